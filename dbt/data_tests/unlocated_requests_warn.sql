-- At most 5 in 100 requests of a month are without a reporting unit.
{{ config(
    severity='warn',
    meta={'severity': 'warn'}
) }}

select
    requested_month,
    sum(requests_opened) as requests,
    sum(requests_opened) filter (where area_code = '_X') as unlocated
from {{ ref('mart_service_request_monthly') }}
group by requested_month
having sum(requests_opened) filter (where area_code = '_X') * 100 > 5 * sum(requests_opened)

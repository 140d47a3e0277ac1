-- At most 50 in 100 requests of a month are without a reporting unit.
{{ config(
    severity='error',
    meta={'severity': 'hold'}
) }}

select
    requested_month,
    sum(requests_opened) as requests,
    sum(requests_opened) filter (where area_code = '_X') as unlocated
from {{ ref('mart_service_request_monthly') }}
group by requested_month
having sum(requests_opened) filter (where area_code = '_X') * 100 > 50 * sum(requests_opened)

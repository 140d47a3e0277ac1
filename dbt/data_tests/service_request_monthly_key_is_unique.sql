-- One row per month, area and kind of service.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select requested_month, area_code, area_valid_from, service_code
from {{ ref('mart_service_request_monthly') }}
group by all
having count(*) > 1

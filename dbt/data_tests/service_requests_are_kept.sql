-- No request is lost or counted twice on the way from core to the monthly figures, unlocated ones
-- included. Counted in core by month of receipt, without any join.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with core as (
    select requested_month, count(*) as requests
    from {{ source('core', 'service_request') }}
    where requested_date <= {{ data_as_of('service_request') }}
    group by requested_month
),

mart as (
    select requested_month, sum(requests_opened) as requests
    from {{ ref('mart_service_request_monthly') }}
    group by requested_month
)

select requested_month, core.requests as in_core, mart.requests as in_mart
from core
full join mart using (requested_month)
where core.requests is distinct from mart.requests

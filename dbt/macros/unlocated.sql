{#- Months of which more than `percent` in 100 requests are without a reporting unit. -#}
{% macro months_with_unlocated(percent) %}
select
    requested_month,
    sum(requests_opened) as requests,
    sum(requests_opened) filter (where area_code = '_X') as unlocated
from {{ ref('mart_service_request_monthly') }}
group by requested_month
having
    sum(requests_opened) filter (where area_code = '_X') * 100
    > {{ percent }} * sum(requests_opened)
{% endmacro %}

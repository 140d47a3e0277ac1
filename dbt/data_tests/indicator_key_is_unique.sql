-- One row per indicator, area, service group, agency and period in each indicator mart.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

{% for mart in ['mart_city_indicator', 'mart_district_indicator', 'mart_sector_indicator'] %}
select
    '{{ mart }}' as mart, indicator_code, area_code, area_valid_from, service_group, agency_code,
    period_kind, period_start
from {{ ref(mart) }}
group by all
having count(*) > 1
{{ 'union all' if not loop.last }}
{% endfor %}

-- Every area of an indicator is known and valid on a day of the period.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

{% for mart in ['mart_city_indicator', 'mart_district_indicator'] %}
select '{{ mart }}' as mart, mart.indicator_code, mart.area_code, mart.period_start
from {{ ref(mart) }} as mart
left join {{ source('ref', 'area') }} as area
    on area.code = mart.area_code and area.valid_from = mart.area_valid_from
where
    area.code is null
    or area.valid_from > last_day(mart.period_start)
    or area.valid_to <= mart.period_start
{{ 'union all' if not loop.last }}
{% endfor %}

-- A share has no numerator above its denominator: each event that counts above counts below.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

{% for mart in ['mart_city_indicator', 'mart_district_indicator', 'mart_sector_indicator'] %}
select '{{ mart }}' as mart, mart.indicator_code, mart.area_code, mart.period_start
from {{ ref(mart) }} as mart
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = mart.indicator_code
where
    indicator.measure = 'ratio'
    and indicator.scale = 100
    and mart.numerator > mart.denominator
{{ 'union all' if not loop.last }}
{% endfor %}

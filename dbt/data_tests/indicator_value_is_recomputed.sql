-- The published value follows from the published numerator and denominator within half a unit of the
-- last published decimal; a ratio without denominator has no value. Of a quantile the numerator is
-- the quantile itself, in the unit of the events.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

{% for mart in ['mart_city_indicator', 'mart_district_indicator', 'mart_sector_indicator'] %}
select '{{ mart }}' as mart, mart.indicator_code, mart.area_code, mart.period_start
from {{ ref(mart) }} as mart
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = mart.indicator_code
where
    (mart.value is null) <> (
        case
            when indicator.measure = 'ratio' then coalesce(mart.denominator, 0) = 0
            else mart.numerator is null
        end
    )
    or abs(
        cast(mart.value as double)
        - indicator.scale * cast(mart.numerator as double)
        / case
            when indicator.measure = 'ratio' then cast(mart.denominator as double)
            else indicator.divisor
        end
    ) > 0.5 * pow(10, -indicator.rounding) + 1e-9
{{ 'union all' if not loop.last }}
{% endfor %}

-- The city's numerator and denominator are those of its units and of what is unlocated, together.
-- The city is counted from the events, the parts through geography and weights: weights that do not
-- sum to 1, an area valid twice or a lost join show here. Maxima, quantiles and numbers of different
-- things do not add up.
-- Half a millionth a part is the rounding of published numerators.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with part as (
    select indicator_code, period_start, numerator, denominator
    from {{ ref('mart_district_indicator') }}
    union all
    select indicator_code, period_start, numerator, denominator
    from {{ ref('ind_pass') }}
    where area_level = 'unlocated'
),

total as (
    select
        indicator_code,
        period_start,
        coalesce(sum(numerator), 0) as numerator,
        coalesce(sum(denominator), 0) as denominator,
        count(*) * 0.000001 as tolerance
    from part
    group by indicator_code, period_start
)

select city.indicator_code, city.period_start
from {{ ref('mart_city_indicator') }} as city
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = city.indicator_code
left join total
    on total.indicator_code = city.indicator_code
    and total.period_start = city.period_start
where
    indicator.measure not in ('maximum', 'quantile', 'distinct')
    -- A month that was not delivered has no city figure to compare with.
    and city.obs_status <> 'O'
    and (
        total.indicator_code is null
        or abs(coalesce(city.numerator, 0) - total.numerator) > total.tolerance
        or abs(coalesce(city.denominator, 0) - total.denominator) > total.tolerance
    )

-- The visits of the whole city are those of its units and of what is unlocated, together. The city is
-- counted from the events, the parts through geography and weights. Half a millionth a part is the
-- rounding of published numerators.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with part as (
    select indicator_code, period_start, numerator
    from {{ ref('mart_health_indicator') }}
    where area_level = 'unit'
    union all
    select indicator_code, period_start, numerator
    from {{ ref('ind_encounter_started') }}
    where area_level = 'unlocated'
),

total as (
    select
        indicator_code,
        period_start,
        coalesce(sum(numerator), 0) as numerator,
        count(*) * 0.000001 as tolerance
    from part
    group by indicator_code, period_start
)

select city.indicator_code, city.period_start
from {{ ref('mart_health_indicator') }} as city
left join total
    on total.indicator_code = city.indicator_code
    and total.period_start = city.period_start
where
    city.area_level = 'city'
    and city.obs_status <> 'O'
    and abs(coalesce(city.numerator, 0) - coalesce(total.numerator, 0)) > coalesce(total.tolerance, 0)

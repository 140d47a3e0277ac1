-- A city's quantile lies between the least and the greatest of its units and of what is unlocated: a
-- mean of the units' quantiles would too, but a part that was left out or counted elsewhere shows.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with part as (
    select indicator_code, period_start, numerator
    from {{ ref('mart_district_indicator') }}
    union all
    select indicator_code, period_start, numerator
    from {{ ref('ind_duration_quantile') }}
    where area_level = 'unlocated'
),

extremes as (
    select indicator_code, period_start, min(numerator) as least, max(numerator) as greatest
    from part
    group by indicator_code, period_start
)

select city.indicator_code, city.period_start
from {{ ref('mart_city_indicator') }} as city
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = city.indicator_code
left join extremes
    on extremes.indicator_code = city.indicator_code
    and extremes.period_start = city.period_start
where
    indicator.measure = 'quantile'
    and city.numerator is not null
    and (
        extremes.least is null
        or city.numerator < extremes.least
        or city.numerator > extremes.greatest
    )

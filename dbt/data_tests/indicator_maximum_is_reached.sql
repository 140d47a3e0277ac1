-- No unit's maximum, or number of different things, is above the city's.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select unit.indicator_code, unit.area_code, unit.area_valid_from, unit.period_start
from {{ ref('mart_district_indicator') }} as unit
inner join {{ ref('mart_city_indicator') }} as city
    using (indicator_code, period_kind, period_start)
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = unit.indicator_code
where
    indicator.measure in ('maximum', 'distinct')
    and unit.numerator > coalesce(city.numerator, -1)

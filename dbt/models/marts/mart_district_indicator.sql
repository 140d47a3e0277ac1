-- Indicators of the reporting units: districts while the city has them, wards and communes after.
-- The city's value stands beside each, so that a district's reader needs no city rows.
select
    unit.* exclude (area_level),
    city.value as city_value
from {{ ref('ind_value') }} as unit
left join {{ ref('ind_value') }} as city
    on city.area_level = 'city'
    and city.indicator_code = unit.indicator_code
    and city.period_kind = unit.period_kind
    and city.period_start = unit.period_start
where unit.area_level = 'unit'

-- A service group's city-wide figure is the city's figure.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select indicator_code, period_start
from {{ ref('mart_city_indicator') }} as city
full join {{ ref('mart_sector_indicator') }} as sector
    using (indicator_code, period_kind, period_start, service_group, agency_code)
where city.value is distinct from sector.value or city.n is distinct from sector.n

-- Indicators of the whole city.
select * exclude (area_level)
from {{ ref('ind_value') }}
where area_level = 'city'

-- Indicators of the whole city for readers of one service group: sector = service group, the
-- agency is the one that answers for the indicator.
select * exclude (area_level)
from {{ ref('ind_value') }}
where area_level = 'city'

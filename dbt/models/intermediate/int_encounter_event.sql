-- Encounters placed in space and time: the area is the one valid on the day of the start. What was
-- only planned, or was cancelled, is no visit.
select
    encounter._source,
    encounter.encounter_id,
    [encounter._source || ':' || encounter.encounter_id] as records,
    encounter.class_code,
    unit.area_code as located_code,
    unit.area_valid_from as located_valid_from,
    encounter.started_date,
    encounter.status not in ('planned', 'cancelled') as is_visit
from {{ source('core', 'encounter') }} as encounter
left join {{ ref('int_area_unit') }} as unit
    on unit.area_code = encounter.area_code
    and encounter.started_date >= unit.starts_on
    and encounter.started_date < unit.ends_before

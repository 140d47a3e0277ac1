-- Service requests placed in space and time: the area is the one valid on the day of the request.
-- A body's competence is taken as given unless the source denies it; a request without a deadline
-- is neither on time nor late. `records` names the core records of an event, as in every event model.
select
    request._source,
    request.service_request_id,
    [request._source || ':' || request.service_request_id] as records,
    request.service_code,
    request.agency_responsible,
    unit.area_code as located_code,
    unit.area_valid_from as located_valid_from,
    unit.unit_code,
    unit.unit_valid_from,
    request.requested_month,
    request.requested_date as opened_date,
    request.expected_date as due_date,
    request.closed_date,
    request.closed_at is not null as is_closed,
    request.expected_at is not null as has_deadline,
    coalesce(request.closed_at <= request.expected_at, false) as is_closed_on_time,
    coalesce(request.closed_at > request.expected_at, false) as is_closed_late,
    coalesce(request.is_within_competence, true) as is_within_competence,
    coalesce(request.is_reopened, false) as is_reopened,
    request.satisfaction is not null as is_answered,
    coalesce(request.satisfaction = 'dissatisfied', false) as is_dissatisfied
from {{ source('core', 'service_request') }} as request
left join {{ ref('int_area_unit') }} as unit
    on unit.area_code = request.area_code
    and request.requested_date >= unit.starts_on
    and request.requested_date < unit.ends_before

-- Emergency calls placed in space and time: one row per call, from its units. A call is reached when
-- its first unit is on scene; the area is the one valid on the day of the call. What the units of a
-- call repeat must agree (dbt/data_tests/emergency_calls_agree.sql); the smallest stands for all.
with call as (
    select
        _source,
        call_id,
        min(call_category) as call_category,
        min(priority_final) as priority_final,
        min(area_code) as area_code,
        min(received_date) as received_date,
        min(received_month) as received_month,
        min(received_at) as received_at,
        min(on_scene_at) as on_scene_at,
        min(response_target_seconds) as response_target_seconds,
        max(greatest(
            received_at, dispatch_at, response_at, on_scene_at, transport_at, hospital_at,
            available_at
        )) as followed_to,
        count(*) as units,
        list(_source || ':' || emergency_trip_id order by emergency_trip_id) as records
    from {{ source('core', 'emergency_trip') }}
    group by _source, call_id
),

timed as (
    select
        *,
        cast((epoch_us(on_scene_at) - epoch_us(received_at)) // 1000000 as bigint)
            as response_seconds,
        cast((epoch_us(followed_to) - epoch_us(received_at)) // 1000000 as bigint)
            as followed_seconds
    from call
)

select
    timed._source,
    timed.call_id,
    timed.records,
    timed.call_category,
    timed.priority_final,
    unit.area_code as located_code,
    unit.area_valid_from as located_valid_from,
    unit.unit_code,
    unit.unit_valid_from,
    timed.received_month,
    timed.received_date,
    timed.units,
    timed.on_scene_at is not null as is_reached,
    timed.response_seconds,
    timed.followed_seconds,
    timed.response_target_seconds is not null as has_target,
    coalesce(timed.response_seconds <= timed.response_target_seconds, false) as is_within_target
from timed
left join {{ ref('int_area_unit') }} as unit
    on unit.area_code = timed.area_code
    and timed.received_date >= unit.starts_on
    and timed.received_date < unit.ends_before

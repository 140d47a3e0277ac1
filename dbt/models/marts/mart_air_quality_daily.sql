-- Daily means of hourly values by station and property, with the hours behind them. A day without
-- a valid hour has no mean and says so (O, not delivered); the clock hours that count are those of
-- the station's local day.
with revision as (
    select coalesce(max(revision_window_days), 0) as revision_window_days
    from {{ source('ref', 'publication') }}
    where mart = 'mart_air_quality_daily'
)

select
    event.station_id,
    coalesce(event.unit_code, '_X') as area_code,
    coalesce(event.unit_valid_from, date '0001-01-01') as area_valid_from,
    event.observed_property,
    event.observed_date,
    case
        when event.value_count > 0 then {{ rounded_ratio(
            'event.value_sum', 'event.value_count::decimal(9, 0)', 1, 1
        ) }}
    end as mean_value,
    cast(event.value_sum as decimal(18, 3)) as value_sum,
    cast(event.value_count as integer) as value_count,
    event.valid_hours,
    event.expected_hours,
    event.unit,
    case
        when event.value_count = 0 then 'O'
        when
            {{ data_as_of('sensor_observation') }}
            < event.observed_date + revision.revision_window_days
            then 'P'
        else 'A'
    end as obs_status
from {{ ref('int_sensor_observation_event') }} as event
cross join revision

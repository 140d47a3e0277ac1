-- The periods of each event model, from its first event to its data's as-of day: local months, or the
-- quarters of a quarterly survey. A period in which the whole city has no event was not delivered.
{{ config(materialized='table') }}

with delivered as (
    select
        'service_request' as event,
        'month' as period_kind,
        cast(requested_month || '-01' as date) as period_start,
        min(first_day) as first_day
    from {{ ref('int_service_request_month') }}
    group by requested_month
    union all
    select
        'dossier' as event,
        'month' as period_kind,
        cast(received_month || '-01' as date) as period_start,
        min(first_day) as first_day
    from {{ ref('int_dossier_month') }}
    group by received_month
    union all
    select
        'sensor_observation' as event,
        'month' as period_kind,
        cast(observed_month || '-01' as date) as period_start,
        min(observed_date) as first_day
    from {{ source('core', 'sensor_observation') }}
    where observed_date <= {{ data_as_of('sensor_observation') }}
    group by observed_month
    union all
    select
        'emergency_trip' as event,
        'month' as period_kind,
        cast(received_month || '-01' as date) as period_start,
        min(received_date) as first_day
    from {{ source('core', 'emergency_trip') }}
    where received_date <= {{ data_as_of('emergency_trip') }}
    group by received_month
    union all
    select
        'labour_force_survey' as event,
        period_kind,
        period_date as period_start,
        period_date as first_day
    from {{ ref('int_labour_force_survey_event') }}
    where period_date <= {{ data_as_of('labour_force_survey') }}
    group by period_kind, period_date
),

spine as (
    select
        event,
        period_kind,
        min(first_day) as first_day,
        unnest(generate_series(
            min(period_start)::timestamp,
            any_value(known.data_as_of)::timestamp,
            to_months(case when period_kind = 'quarter' then 3 else 1 end)
        ))::date as period_start,
        any_value(known.data_as_of) as data_as_of
    from delivered
    inner join {{ source('ref', 'event') }} as known using (event)
    group by event, period_kind
),

bounded as (
    select
        *,
        last_day(
            period_start + to_months(case when period_kind = 'quarter' then 2 else 0 end)
        ) as period_last_day
    from spine
)

select
    bounded.event,
    bounded.period_kind,
    bounded.period_start,
    bounded.period_last_day,
    greatest(bounded.period_start, bounded.first_day) as covered_from,
    least(bounded.period_last_day, bounded.data_as_of) as period_end,
    delivered.period_start is not null as is_delivered
from bounded
left join delivered using (event, period_kind, period_start)

-- The local months of each event model, from its first event to the data's as-of day. A month in
-- which the whole city has no event was not delivered.
{{ config(materialized='table') }}

with delivered as (
    select
        'service_request' as event,
        cast(requested_month || '-01' as date) as period_start,
        min(first_day) as first_day
    from {{ ref('int_service_request_month') }}
    group by requested_month
    union all
    select
        'dossier' as event,
        cast(received_month || '-01' as date) as period_start,
        min(first_day) as first_day
    from {{ ref('int_dossier_month') }}
    group by received_month
    union all
    select
        'sensor_observation' as event,
        cast(observed_month || '-01' as date) as period_start,
        min(observed_date) as first_day
    from {{ source('core', 'sensor_observation') }}
    where observed_date <= {{ data_as_of() }}
    group by observed_month
),

spine as (
    select
        event,
        min(first_day) as first_day,
        unnest(generate_series(
            min(period_start)::timestamp, {{ data_as_of() }}::timestamp, interval 1 month
        ))::date as period_start
    from delivered
    group by event
)

select
    spine.event,
    'month' as period_kind,
    spine.period_start,
    last_day(spine.period_start) as period_last_day,
    greatest(spine.period_start, spine.first_day) as covered_from,
    least(last_day(spine.period_start), {{ data_as_of() }}) as period_end,
    delivered.period_start is not null as is_delivered
from spine
left join delivered using (event, period_start)

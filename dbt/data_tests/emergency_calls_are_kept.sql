-- No call is lost or counted twice on the way from core to the durations, those never reached
-- included. Calls are counted in core, by month of receipt, without any join.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

-- depends_on: {{ ref('mart_city_indicator') }}
with core as (
    select
        date_trunc('month', received_date) as period_start,
        count(distinct (_source, call_id)) as calls,
        count(distinct (_source, call_id)) filter (where on_scene_at is not null) as reached
    from {{ source('core', 'emergency_trip') }}
    where received_date <= {{ data_as_of('emergency_trip') }}
    group by all
),

counted as (
    select
        indicator.code,
        date_trunc('month', histogram.anchor_date) as period_start,
        sum(histogram.events + histogram.censored) as calls,
        sum(histogram.events) as reached
    from {{ source('ref', 'indicator') }} as indicator
    inner join {{ source('ref', 'indicator_pass') }} as pass on pass.code = indicator.code
    inner join {{ ref('int_duration_histogram') }} as histogram using (histogram)
    where
        indicator.event = 'emergency_trip'
        and pass.numerator = 'response_seconds'
        and indicator.condition is null
    group by all
)

select indicator.code, core.period_start, core.calls as in_core, counted.calls as in_mart
from core
inner join {{ source('ref', 'indicator') }} as indicator
    on indicator.event = 'emergency_trip'
    and indicator.measure = 'quantile'
    and indicator.condition is null
inner join {{ source('ref', 'indicator_pass') }} as pass
    on pass.code = indicator.code
    and pass.numerator = 'response_seconds'
left join counted
    on counted.code = indicator.code
    and counted.period_start = core.period_start
where
    core.calls is distinct from counted.calls
    or core.reached is distinct from counted.reached

-- Every observation up to the data's as-of day stands in the mart, with its value where it is free.
-- Counted in core by indicator and month, without any join.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with core as (
    select
        indicator as indicator_code,
        period_start,
        count(*) as observations,
        sum(cast(obs_value as decimal(24, 6))) filter (where coalesce(conf_status, 'F') = 'F')
            as total
    from {{ source('core', 'indicator_observation') }}
    where period_start <= {{ data_as_of('labour_force_survey') }}
    group by all
),

mart as (
    select indicator_code, period_start, count(*) as observations, sum(value) as total
    from {{ ref('mart_socio_economic_indicator') }}
    group by all
)

select indicator_code, period_start
from core
full join mart using (indicator_code, period_start)
where
    core.observations is distinct from mart.observations
    or core.total is distinct from mart.total

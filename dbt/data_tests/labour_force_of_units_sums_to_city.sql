-- What a survey says of the city as a whole is the sum of what it says of its units, within half a
-- thousandth: else a unit is missing, or the two are of different releases.
{{ config(
    severity='error',
    meta={'severity': 'hold'}
) }}

-- depends_on: {{ ref('mart_sector_indicator') }}
with published as (
    select
        observation._source,
        observation.time_period,
        max(observation.obs_value) filter (where observation.indicator = 'UNE') as unemployed,
        max(observation.obs_value) filter (where observation.indicator = 'LF') as labour_force
    from {{ source('core', 'indicator_observation') }} as observation
    where
        observation.dimension_key = 'SEX=_T;AGE=Y_GE15'
        and coalesce(observation.unit_mult, 0) = 0
        and observation.ref_area in (
            select code from {{ source('ref', 'area') }} where level = 'city'
        )
    group by all
),

summed as (
    select
        _source,
        time_period,
        sum(unemployed) as unemployed,
        sum(labour_force) as labour_force
    from {{ ref('int_labour_force_survey_event') }}
    where unit_code is not null
    group by all
)

select _source, time_period
from published
inner join summed using (_source, time_period)
where
    abs(published.unemployed - summed.unemployed) > 0.0005 * published.unemployed
    or abs(published.labour_force - summed.labour_force) > 0.0005 * published.labour_force

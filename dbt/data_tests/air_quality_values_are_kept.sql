-- Every value of a station's operating range stands in a daily figure, once.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with core as (
    select
        observation.observed_property,
        observation.observed_month,
        count(observation.value) as value_count,
        sum(observation.value) as value_sum
    from {{ source('core', 'sensor_observation') }} as observation
    where
        observation.observed_date <= {{ data_as_of('sensor_observation') }}
        and exists (
            select 1 from {{ source('core', 'station') }} as station
            where
                station.station_id = observation.station_id
                and observation.observed_date >= station.operating_from
                and (
                    observation.observed_date <= station.operating_to
                    or station.operating_to is null
                )
        )
    group by observation.observed_property, observation.observed_month
),

mart as (
    select
        observed_property,
        strftime(observed_date, '%Y-%m') as observed_month,
        sum(value_count) as value_count,
        sum(value_sum) as value_sum
    from {{ ref('mart_air_quality_daily') }}
    group by all
)

select observed_property, observed_month
from core
full join mart using (observed_property, observed_month)
where
    coalesce(core.value_count, 0) <> coalesce(mart.value_count, 0)
    or coalesce(core.value_sum, 0) <> coalesce(mart.value_sum, 0)

-- Values of an unknown station, or outside its operating range, are in no figure: a person decides.
{{ config(
    severity='error',
    meta={'severity': 'hold'}
) }}

-- depends_on: {{ ref('mart_air_quality_daily') }}
select observation.station_id, count(*) as observations
from {{ source('core', 'sensor_observation') }} as observation
where
    observation.value is not null
    and observation.observed_date <= {{ data_as_of('sensor_observation') }}
    and not exists (
        select 1 from {{ source('core', 'station') }} as station
        where
            station.station_id = observation.station_id
            and observation.observed_date >= station.operating_from
            and (observation.observed_date <= station.operating_to or station.operating_to is null)
    )
group by observation.station_id

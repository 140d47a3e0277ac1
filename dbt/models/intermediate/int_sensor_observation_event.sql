-- One row per station, observed property and local day of the station's operating range (both ends
-- included): hours expected and hours with a valid value. An hour counts once however many values
-- it holds; the length of a local day follows the clock changes of the source's zone. The records of
-- a day are its station, from which the hours expected follow, and its values, missing ones too.
with build as (select timezone from {{ source('ref', 'build') }}),

known as (
    select data_as_of from {{ source('ref', 'event') }} where event = 'sensor_observation'
),

observation as (
    select
        station_id,
        observed_property,
        observed_date,
        unit,
        value,
        _source,
        observed_at,
        cast(epoch_us(observed_at) // 3600000000 as bigint) as epoch_hour
    from {{ source('core', 'sensor_observation') }}
),

observed_day as (
    select
        station_id,
        observed_property,
        observed_date,
        min(unit) as unit,
        min(_source) as source_id,
        sum(value) as value_sum,
        count(value) as value_count,
        -- 32 bits are enough to tell apart the at most 25 consecutive hours of a local day.
        bit_count(
            bit_or(case when value is not null then 1::bigint << (epoch_hour % 32) end)
        ) as valid_hours,
        list(
            concat(_source, ':', station_id, '/', observed_property, '/', observed_at)
            order by observed_at, _source
        ) as records
    from observation
    group by station_id, observed_property, observed_date
),

station_property as (
    select
        observed_day.station_id,
        observed_day.observed_property,
        min(observed_day.unit) as unit,
        coalesce(min(source.timezone), min(build.timezone)) as timezone
    from observed_day
    cross join build
    left join {{ source('ref', 'source') }} as source on source.source_id = observed_day.source_id
    group by observed_day.station_id, observed_day.observed_property
),

operating_day as (
    select
        station.station_id,
        station.area_code,
        station._source as station_source,
        property.observed_property,
        property.unit,
        property.timezone,
        unnest(generate_series(
            station.operating_from::timestamp,
            least(coalesce(station.operating_to, known.data_as_of), known.data_as_of)::timestamp,
            interval 1 day
        )) as starts_at
    from {{ source('core', 'station') }} as station
    inner join station_property as property using (station_id)
    cross join known
)

select
    operating.station_id,
    operating.observed_property,
    operating.unit,
    list_concat(
        [operating.station_source || ':' || operating.station_id], coalesce(observed.records, [])
    ) as records,
    unit.area_code as located_code,
    unit.area_valid_from as located_valid_from,
    unit.unit_code,
    unit.unit_valid_from,
    cast(operating.starts_at as date) as observed_date,
    cast(date_diff(
        'hour',
        timezone(operating.timezone, operating.starts_at),
        timezone(operating.timezone, operating.starts_at + interval 1 day)
    ) as integer) as expected_hours,
    cast(coalesce(observed.valid_hours, 0) as integer) as valid_hours,
    coalesce(observed.value_count, 0) as value_count,
    observed.value_sum
from operating_day as operating
left join observed_day as observed
    on observed.station_id = operating.station_id
    and observed.observed_property = operating.observed_property
    and observed.observed_date = cast(operating.starts_at as date)
left join {{ ref('int_area_unit') }} as unit
    on unit.area_code = operating.area_code
    and cast(operating.starts_at as date) >= unit.starts_on
    and cast(operating.starts_at as date) < unit.ends_before

-- Indicators on people's health, of the city and of its reporting units, apart from all others: what
-- is built from here stays out of the serving file and of every release. Rates are by the people of
-- the extent that holds in the period. A value that is missing says why: M several concepts of
-- population hold, L the population is not known or no event ever came from the area, O the month
-- was not delivered. B marks the first month that is counted by another concept than the one
-- before, D a population of another year.
with month as (
    select
        min(started_date) as first_day,
        unnest(generate_series(
            date_trunc('month', min(started_date))::timestamp,
            {{ data_as_of('encounter') }}::timestamp,
            interval 1 month
        ))::date as period_start
    from {{ ref('int_encounter_event') }}
    where started_date <= {{ data_as_of('encounter') }}
),

delivered as (
    select distinct cast(date_trunc('month', started_date) as date) as period_start
    from {{ ref('int_encounter_event') }}
),

counted as (
    select * from {{ ref('ind_encounter_started') }}
),

collected as (
    select distinct area_code, area_valid_from from counted where area_level = 'unit'
),

area as (
    select distinct
        area.code as area_code,
        area.valid_from as area_valid_from,
        coalesce(area.valid_to, date '9999-12-31') as ends_before,
        case when area.level = 'city' then 'city' else 'unit' end as area_level
    from {{ source('ref', 'area') }} as area
    left join {{ ref('int_area_unit') }} as unit
        on unit.unit_code = area.code and unit.unit_valid_from = area.valid_from
    where area.level = 'city' or unit.unit_code is not null
),

cell as (
    select
        indicator.code as indicator_code,
        indicator.service_group,
        indicator.agency_code,
        indicator.scale,
        indicator.rounding,
        indicator.unit,
        indicator.revision_window_days,
        area.area_level,
        area.area_code,
        area.area_valid_from,
        month.period_start,
        last_day(month.period_start) as period_last_day,
        greatest(month.period_start, month.first_day, area.area_valid_from) as covered_from,
        least(last_day(month.period_start), area.ends_before - 1, {{ data_as_of('encounter') }})
            as covered_to,
        delivered.period_start is not null as is_delivered
    from {{ source('ref', 'indicator') }} as indicator
    cross join month
    inner join area
        on area.area_valid_from <= least(last_day(month.period_start), {{ data_as_of('encounter') }})
        and area.ends_before > case
            when area.area_level = 'city'
                then least(last_day(month.period_start), {{ data_as_of('encounter') }})
            else month.period_start
        end
    left join delivered on delivered.period_start = month.period_start
    where indicator.event = 'encounter' and indicator.measure = 'rate'
),

measured as (
    select
        cell.*,
        cell.period_last_day - cell.period_start + 1 as days,
        case when cell.is_delivered then greatest(0, cell.covered_to - cell.covered_from + 1)
            else 0
        end as covered_days,
        cast(coalesce(counted.numerator, 0) as decimal(18, 6)) as numerator,
        cast(population.persons as decimal(18, 6)) as denominator,
        population.concept,
        population.reference_date,
        coalesce(population.concepts, 0) as concepts,
        lag(population.concept) over (
            partition by cell.indicator_code, cell.area_level, cell.area_code
            order by cell.period_start
        ) as concept_before,
        coalesce(counted.n, 0) as n,
        coalesce(counted.is_estimated, false) as is_estimated,
        cell.area_level = 'city' or collected.area_code is not null as is_collected,
        cell.is_delivered
        and (cell.area_level = 'city' or collected.area_code is not null) as is_known
    from cell
    left join collected
        on collected.area_code = cell.area_code
        and collected.area_valid_from = cell.area_valid_from
    left join counted
        on counted.indicator_code = cell.indicator_code
        and counted.period_start = cell.period_start
        and counted.area_level = cell.area_level
        and (
            cell.area_level = 'city'
            or (
                counted.area_code = cell.area_code
                and counted.area_valid_from = cell.area_valid_from
            )
        )
    left join {{ ref('int_area_population') }} as population
        on population.area_code = cell.area_code
        and population.area_valid_from = cell.area_valid_from
),

valued as (
    select
        *,
        is_known and coalesce(denominator, 0) > 0 as has_value,
        {{ observation_statuses({
            'M': "concepts > 1",
            'L': "not is_collected or (concepts <= 1 and coalesce(denominator, 0) = 0)",
            'O': "not is_delivered",
            'B': "concept <> concept_before",
            'D': "year(reference_date) <> year(period_start)",
            'U': "is_known and denominator > 0 and numerator < 20",
            'E': "is_known and is_estimated",
            'P': "covered_days < days or "
                ~ data_as_of('encounter') ~ " < period_last_day + revision_window_days",
        }) }} as statuses
    from measured
)

select
    indicator_code,
    area_level,
    area_code,
    area_valid_from,
    service_group,
    agency_code,
    'month' as period_kind,
    period_start,
    case when has_value
        then {{ rounded_ratio('numerator', 'denominator', 'scale', 'rounding') }}
    end as value,
    case when is_known then numerator end as numerator,
    denominator,
    concept as population_concept,
    reference_date as population_reference_date,
    case when is_known then n else 0 end as n,
    unit,
    coalesce(statuses[1], 'A') as obs_status,
    statuses[2] as obs_status_2,
    {{ coverage_share('covered_days', 'days') }} as coverage_share,
    {{ data_as_of('encounter') }} as data_as_of
from valued

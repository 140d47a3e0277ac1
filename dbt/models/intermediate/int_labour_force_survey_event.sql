-- Labour force and unemployed persons aged 15 and over by area and period, in the finest frequency
-- there is. Where a source has the reporting units of a period they are taken, and what it says of
-- the city as a whole is only compared with their sum; where it has not, the city's figure stands
-- without a place. Surveys of two units are independent: their variances add up. The records of an
-- event are the figures that it takes its numbers from.
with figure as (
    select
        _source,
        ref_area,
        freq,
        time_period,
        period_start,
        indicator,
        cast(
            cast(obs_value as decimal(24, 6)) * cast(pow(10, coalesce(unit_mult, 0)) as decimal(10, 0))
            as decimal(18, 6)
        ) as persons,
        cast(
            cast(standard_error as decimal(24, 6)) * cast(pow(10, coalesce(unit_mult, 0)) as decimal(10, 0))
            as decimal(18, 6)
        ) as persons_error,
        sample_size,
        _source || ':' || concat_ws(
            '/', dataflow, ref_area, indicator, freq, dimension_key, time_period
        ) as record
    from {{ source('core', 'indicator_observation') }}
    where
        indicator in ('LF', 'UNE')
        and dimension_key = 'SEX=_T;AGE=Y_GE15'
        and freq in ('M', 'Q')
        and coalesce(unit_mult, 0) between 0 and 6
        and obs_value is not null
        and coalesce(conf_status, 'F') = 'F'
),

survey as (
    select
        _source,
        ref_area,
        freq,
        time_period,
        period_start,
        max(persons) filter (where indicator = 'UNE') as unemployed,
        max(persons) filter (where indicator = 'LF') as labour_force,
        max(persons_error) filter (where indicator = 'UNE') as unemployed_error,
        max(sample_size) filter (where indicator = 'UNE') as sample_size,
        list(record order by record) as records
    from figure
    where freq = (select min(freq) from figure)
    group by all
    having unemployed is not null and labour_force is not null
),

placed as (
    select
        survey.*,
        unit.area_code as located_code,
        unit.area_valid_from as located_valid_from,
        unit.unit_code,
        unit.unit_valid_from,
        exists (
            select 1 from {{ source('ref', 'area') }} as area
            where area.code = survey.ref_area and area.level = 'city'
        ) as is_city,
        bool_or(unit.unit_code is not null) over (
            partition by survey._source, survey.time_period
        ) as has_units
    from survey
    left join {{ ref('int_area_unit') }} as unit
        on unit.area_code = survey.ref_area
        and survey.period_start >= unit.starts_on
        and survey.period_start < unit.ends_before
)

select
    _source,
    ref_area,
    freq,
    time_period,
    records,
    case when freq = 'Q' then 'quarter' else 'month' end as period_kind,
    located_code,
    located_valid_from,
    unit_code,
    unit_valid_from,
    period_start as period_date,
    unemployed,
    labour_force,
    -- Widened before it is squared: a product of narrow DECIMALs overflows at 18 digits.
    cast(cast(unemployed_error as decimal(19, 6)) * unemployed_error as decimal(24, 6))
        as unemployed_variance,
    sample_size
from placed
where unit_code is not null or (is_city and not has_units)

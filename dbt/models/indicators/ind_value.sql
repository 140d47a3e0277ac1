-- The value of every cell and the statuses that hold for it. A value that is missing says why:
-- M nothing to divide by or no event to take the maximum or quantile of, L no event ever came from the area,
-- O the month was not delivered. P stands while the publication's revision window is open or the
-- period is not fully covered.
with cell as (
    select
        cell.* exclude (numerator, denominator, n, variance),
        indicator.service_group,
        indicator.agency_code,
        indicator.measure,
        indicator.scale,
        indicator.divisor,
        indicator.rounding,
        indicator.unit,
        indicator.revision_window_days,
        indicator.unreliable_cv_percent,
        known.data_as_of,
        cell.period_last_day - cell.period_start + 1 as days,
        cell.is_delivered and cell.is_collected as is_known,
        cell.n,
        sqrt(cast(cell.variance as double)) as numerator_error,
        case
            when indicator.measure in ('maximum', 'quantile') then cell.numerator
            else coalesce(cell.numerator, 0)
        end as counted_numerator,
        case when indicator.measure = 'ratio' then coalesce(cell.denominator, 0) end
            as counted_denominator
    from {{ ref('ind_cell') }} as cell
    inner join {{ source('ref', 'indicator') }} as indicator
        on indicator.code = cell.indicator_code
    inner join {{ source('ref', 'event') }} as known on known.event = cell.event
),

measured as (
    select
        *,
        case when is_known then cast(counted_numerator as decimal(18, 6)) end as numerator,
        case when is_known then cast(counted_denominator as decimal(18, 6)) end as denominator
    from cell
),

-- What a sample survey leaves open; normal interval of 95%. No value is divided by these figures.
surveyed as (
    select
        *,
        case
            when measure = 'ratio' and denominator > 0
                then scale * numerator_error / cast(denominator as double)
            when measure = 'count' then scale * numerator_error
        end as value_error,
        case
            when measure = 'ratio' and denominator > 0
                then scale * cast(numerator as double) / cast(denominator as double)
            when measure = 'count' then scale * cast(numerator as double)
        end as plain_value,
        case when numerator > 0 then 100 * numerator_error / cast(numerator as double) end
            as cv_percent
    from measured
),

valued as (
    select
        *,
        case
            when measure = 'ratio' and denominator > 0
                then {{ rounded_ratio('numerator', 'denominator', 'scale', 'rounding') }}
            when measure <> 'ratio' and numerator is not null
                then {{ rounded_ratio('numerator', 'divisor', 'scale', 'rounding') }}
        end as value,
        {{ observation_statuses({
            'M': "is_known and (
                (measure = 'ratio' and denominator = 0)
                or (measure in ('maximum', 'quantile') and numerator is null)
            )",
            'L': "not is_collected",
            'O': "not is_delivered",
            'U': "(measure = 'ratio' and denominator > 0 and numerator < 20)
                or coalesce(cv_percent > unreliable_cv_percent, false)",
            'E': "is_known and is_estimated",
            'P': "covered_days < days or data_as_of < period_last_day + revision_window_days",
        }) }} as statuses
    from surveyed
)

select
    valued.indicator_code,
    valued.area_level,
    valued.area_code,
    valued.area_valid_from,
    valued.service_group,
    valued.agency_code,
    valued.period_kind,
    valued.period_start,
    valued.value,
    valued.numerator,
    valued.denominator,
    case when valued.is_known then valued.n else 0 end as n,
    cast(round(valued.value_error, 4) as decimal(18, 4)) as standard_error,
    cast(round(
        case when valued.value_error is not null then valued.cv_percent end, 4
    ) as decimal(18, 4)) as coefficient_of_variation,
    case
        when valued.value_error is not null
            then cast(round(
                greatest(0, valued.plain_value - 1.959964 * valued.value_error), 4
            ) as decimal(18, 4))
    end as interval_lower,
    case
        when valued.value_error is not null
            then cast(round(
                least(
                    case when valued.unit = '%' then 100 end,
                    valued.plain_value + 1.959964 * valued.value_error
                ), 4
            ) as decimal(18, 4))
    end as interval_upper,
    valued.unit,
    cast(target.target as decimal(18, 4)) as target,
    coalesce(valued.statuses[1], 'A') as obs_status,
    valued.statuses[2] as obs_status_2,
    {{ coverage_share('valued.covered_days', 'valued.days') }} as coverage_share,
    valued.data_as_of
from valued
left join {{ source('ref', 'indicator_target') }} as target
    on target.code = valued.indicator_code
    and valued.period_start >= target.valid_from
    and (valued.period_start < target.valid_to or target.valid_to is null)

-- Quantiles of durations in the shape of the other indicators: the smallest value that at least so
-- many in 100 events do not exceed, taken anew at each level from the histogram, never from parts.
-- Cells are made as in the macro `indicator_cells`; an event of a dissolved area counts by weight.
with part_day as (
    select
        histogram.*,
        relocation.unit_code,
        relocation.unit_valid_from,
        coalesce(relocation.weight, 1) as weight,
        coalesce(relocation.is_estimated, false) as is_estimated
    from {{ ref('int_duration_histogram') }} as histogram
    left join {{ ref('int_area_relocation') }} as relocation
        on relocation.area_code = histogram.located_code
        and relocation.area_valid_from = histogram.located_valid_from
        and histogram.anchor_date >= relocation.starts_on
        and histogram.anchor_date < relocation.ends_before
    where histogram.events > 0
),

placed as (
    select
        histogram,
        'city' as area_level,
        cast(null as varchar) as area_code,
        cast(null as date) as area_valid_from,
        cast(date_trunc('month', anchor_date) as date) as period_start,
        value,
        cast(sum(events) as decimal(28, 8)) as weighted,
        sum(events) as n,
        false as is_estimated
    from {{ ref('int_duration_histogram') }}
    where events > 0
    group by histogram, period_start, value
    union all by name
    select
        histogram,
        case when unit_code is null then 'unlocated' else 'unit' end as area_level,
        unit_code as area_code,
        unit_valid_from as area_valid_from,
        cast(date_trunc('month', anchor_date) as date) as period_start,
        value,
        cast(sum(cast(events as decimal(18, 0)) * weight) as decimal(28, 8)) as weighted,
        sum(events) as n,
        bool_or(is_estimated) as is_estimated
    from part_day
    group by histogram, unit_code, unit_valid_from, period_start, value
),

ranked as (
    select
        *,
        sum(weighted) over (cell order by value) as reached,
        sum(weighted) over (cell) as total
    from placed
    window cell as (
        partition by histogram, area_level, area_code, area_valid_from, period_start
    )
)

select
    indicator.code as indicator_code,
    ranked.area_level,
    ranked.area_code,
    ranked.area_valid_from,
    ranked.period_start,
    'quantile' as measure,
    cast(
        min(ranked.value) filter (
            where ranked.reached * 100 >= ranked.total * indicator.percentile
        ) as decimal(26, 8)
    ) as numerator,
    cast(null as decimal(26, 8)) as denominator,
    cast(sum(ranked.n) as bigint) as n,
    cast(null as decimal(28, 6)) as variance,
    bool_or(ranked.is_estimated) as is_estimated
from ranked
inner join {{ source('ref', 'indicator') }} as indicator on indicator.histogram = ranked.histogram
group by
    indicator.code, indicator.percentile, ranked.area_level, ranked.area_code,
    ranked.area_valid_from, ranked.period_start

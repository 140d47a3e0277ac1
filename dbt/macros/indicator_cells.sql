{#- From the relation `placed_day` (area of origin, anchor day, aggregate columns of every
    indicator) to one row per indicator, period and place.

    The city row adds up the events themselves, before any weight, so that comparing it with its
    parts means something. A part is the reporting unit that is valid on the anchor day; an event
    of a dissolved area counts there by the DECIMAL weights of the correspondence. Events without
    a unit on that day are kept as `unlocated`. -#}
{% macro indicator_cells(indicators) %}
long_day as (
    {%- for indicator in indicators %}
    select
        '{{ indicator.code }}' as indicator_code,
        '{{ indicator.measure }}' as measure,
        located_code,
        located_valid_from,
        anchor_date,
        cast(numerator_{{ loop.index }} as decimal(24, 6)) as numerator,
        cast(denominator_{{ loop.index }} as decimal(24, 6)) as denominator,
        n_{{ loop.index }} as n,
        cast(variance_{{ loop.index }} as decimal(28, 6)) as variance,
        members_{{ loop.index }} as members
    from placed_day
    where n_{{ loop.index }} > 0
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

part_day as (
    select
        long_day.* exclude (located_code, located_valid_from),
        relocation.unit_code,
        relocation.unit_valid_from,
        coalesce(relocation.weight, 1) as weight,
        coalesce(relocation.is_estimated, false) as is_estimated
    from long_day
    left join {{ ref('int_area_relocation') }} as relocation
        on relocation.area_code = long_day.located_code
        and relocation.area_valid_from = long_day.located_valid_from
        and long_day.anchor_date >= relocation.starts_on
        and long_day.anchor_date < relocation.ends_before
),

cell as (
    select
        indicator_code,
        'city' as area_level,
        cast(null as varchar) as area_code,
        cast(null as date) as area_valid_from,
        cast(date_trunc('month', anchor_date) as date) as period_start,
        measure,
        case measure
            when 'maximum' then max(numerator)
            when 'distinct' then {{ different_members() }}
            else sum(numerator)
        end as numerator,
        sum(denominator) as denominator,
        sum(n) as n,
        sum(variance) as variance,
        false as is_estimated
    from long_day
    group by indicator_code, period_start, measure
    union all by name
    select
        indicator_code,
        case when unit_code is null then 'unlocated' else 'unit' end as area_level,
        unit_code as area_code,
        unit_valid_from as area_valid_from,
        cast(date_trunc('month', anchor_date) as date) as period_start,
        measure,
        case measure
            when 'maximum' then max(numerator)
            when 'distinct' then {{ different_members() }}
            else sum(numerator * weight)
        end as numerator,
        sum(denominator * weight) as denominator,
        sum(n) as n,
        -- A share of an estimate has the square of that share of its variance.
        sum(variance * cast(weight * weight as decimal(9, 8))) as variance,
        bool_or(is_estimated) as is_estimated
    from part_day
    group by indicator_code, unit_code, unit_valid_from, period_start, measure
)

select
    indicator_code,
    area_level,
    area_code,
    area_valid_from,
    period_start,
    measure,
    cast(numerator as decimal(26, 8)) as numerator,
    cast(denominator as decimal(26, 8)) as denominator,
    cast(n as bigint) as n,
    cast(variance as decimal(28, 6)) as variance,
    is_estimated
from cell
{% endmacro %}


{#- How many different members the rows of a group name; whole, never weighted. -#}
{% macro different_members() -%}
cast(len(list_distinct(flatten(list(members) filter (where members is not null))))
    as decimal(24, 6))
{%- endmacro %}


{#- The shape of `indicator_cells` without rows, for an anchor that no indicator uses. -#}
{% macro no_indicator_cells() %}
select
    cast(null as varchar) as indicator_code,
    cast(null as varchar) as area_level,
    cast(null as varchar) as area_code,
    cast(null as date) as area_valid_from,
    cast(null as date) as period_start,
    cast(null as varchar) as measure,
    cast(null as decimal(26, 8)) as numerator,
    cast(null as decimal(26, 8)) as denominator,
    cast(null as bigint) as n,
    cast(null as decimal(28, 6)) as variance,
    cast(null as boolean) as is_estimated
where false
{% endmacro %}

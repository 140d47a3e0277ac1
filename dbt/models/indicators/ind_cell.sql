-- Every cell that an indicator of the city should have, and what was counted in it: the city as
-- valid at the end of the period, and each reporting unit that was valid on a day of the period
-- (stocks: on its last day). A cell in which nothing was counted is there too.
-- An indicator of a flow and a stock is counted in two passes.
with counted as (
    select
        indicator_code,
        area_level,
        area_code,
        area_valid_from,
        period_start,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        cast(sum(n) as bigint) as n,
        sum(variance) as variance,
        bool_or(is_estimated) as is_estimated
    from {{ ref('ind_pass') }}
    group by indicator_code, area_level, area_code, area_valid_from, period_start
),

area as (
    select
        code as area_code,
        valid_from as area_valid_from,
        coalesce(valid_to, date '9999-12-31') as ends_before,
        level = 'city' as is_city
    from {{ source('ref', 'area') }}
    where
        level = 'city'
        or exists (
            select 1 from {{ ref('int_area_unit') }} as unit
            where unit.unit_code = code and unit.unit_valid_from = valid_from
        )
),

collected as (
    select 'service_request' as event, unit_code, unit_valid_from
    from {{ ref('int_service_request_month') }}
    union
    select 'dossier' as event, unit_code, unit_valid_from
    from {{ ref('int_dossier_month') }}
    union
    select 'sensor_observation' as event, unit_code, unit_valid_from
    from {{ ref('int_sensor_observation_event') }}
    union
    select 'emergency_trip' as event, unit_code, unit_valid_from
    from {{ ref('int_emergency_trip_event') }}
    union
    select indicator.event, counted.area_code, counted.area_valid_from
    from counted
    inner join {{ source('ref', 'indicator') }} as indicator
        on indicator.code = counted.indicator_code
    where counted.area_level = 'unit'
),

expected as (
    select
        indicator.*,
        period.* exclude (event),
        area.area_code,
        area.area_valid_from,
        area.is_city,
        greatest(period.covered_from, area.area_valid_from) as covered_from_day,
        least(period.period_end, area.ends_before - 1) as covered_to_day
    from {{ source('ref', 'indicator') }} as indicator
    inner join {{ ref('int_period') }} as period on period.event = indicator.event
    inner join area
        on area.area_valid_from <= period.period_end
        and area.ends_before > case
            when area.is_city or indicator.kind = 'stock' then period.period_end
            else period.period_start
        end
)

select
    expected.code as indicator_code,
    expected.event,
    case when expected.is_city then 'city' else 'unit' end as area_level,
    expected.area_code,
    expected.area_valid_from,
    expected.period_kind,
    expected.period_start,
    expected.period_last_day,
    expected.is_delivered,
    expected.is_city or collected.unit_code is not null as is_collected,
    case
        when expected.is_delivered
            then greatest(0, expected.covered_to_day - case
                when expected.is_city then expected.covered_from else expected.covered_from_day
            end + 1)
        else 0
    end as covered_days,
    counted.numerator,
    counted.denominator,
    coalesce(counted.n, 0) as n,
    counted.variance,
    coalesce(counted.is_estimated, false) as is_estimated
from expected
left join collected
    on collected.event = expected.event
    and collected.unit_code = expected.area_code
    and collected.unit_valid_from = expected.area_valid_from
left join counted
    on counted.indicator_code = expected.code
    and counted.period_start = expected.period_start
    and counted.area_level = case when expected.is_city then 'city' else 'unit' end
    and (
        expected.is_city
        or (
            counted.area_code = expected.area_code
            and counted.area_valid_from = expected.area_valid_from
        )
    )

-- The city's events of an anchor are those that core has on such days, by month. Looked at through
-- the number of events of FB1b, FB2, FB2r and FB4, whose denominators are every due or closed request.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

-- Requests of like days are counted in one reading.
with like_days as materialized (
    select expected_date, closed_date, count(*) as n
    from {{ source('core', 'service_request') }}
    group by expected_date, closed_date
),

due as (
    select date_trunc('month', expected_date) as period_start, sum(n) as n
    from like_days
    where expected_date <= {{ data_as_of('service_request') }}
    group by all
),

closed as (
    select date_trunc('month', closed_date) as period_start, sum(n) as n
    from like_days
    where closed_date <= {{ data_as_of('service_request') }}
    group by all
),

core as (
    select 'FB1b' as indicator_code, period_start, n
    from due
    union all
    select closed_indicator.code, closed.period_start, closed.n
    from closed
    cross join (values ('FB2'), ('FB2r'), ('FB4')) as closed_indicator (code)
)

select city.indicator_code, city.period_start, core.n as in_core, city.n as in_mart
from {{ ref('mart_city_indicator') }} as city
left join core
    on core.indicator_code = city.indicator_code
    and core.period_start = city.period_start
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = city.indicator_code
where
    city.indicator_code in ('FB1b', 'FB2', 'FB2r', 'FB4')
    and indicator.condition is null
    and city.obs_status <> 'O'
    and city.n <> coalesce(core.n, 0)

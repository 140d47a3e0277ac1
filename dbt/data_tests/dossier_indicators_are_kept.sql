-- The city's dossiers of an indicator are those that core has, by month: AD3 every one received, AD4
-- every one completed, AD1 those and what was overdue and open when the month (or the data) ended.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with received as (
    select date_trunc('month', received_date) as period_start, count(*) as n
    from {{ source('core', 'dossier') }}
    where received_date <= {{ data_as_of('dossier') }}
    group by all
),

completed as (
    select date_trunc('month', completed_date) as period_start, count(*) as n
    from {{ source('core', 'dossier') }}
    where completed_date <= {{ data_as_of('dossier') }} and status = 'completed'
    group by all
),

-- Closed by other means than a result only after the period: such a dossier has no time of its end
-- in core, and is told by what the event model made of it.
overdue as (
    select period.period_start, count(*) as n
    from {{ ref('int_period') }} as period
    inner join {{ ref('int_dossier_event') }} as dossier
        on dossier.due_date <= period.period_end
        and (dossier.closed_date > period.period_end or dossier.closed_date is null)
    where period.event = 'dossier'
    group by period.period_start
),

core as (
    select 'AD3' as indicator_code, period_start, n
    from received
    union all
    select 'AD4' as indicator_code, period_start, n
    from completed
    union all
    select 'AD1' as indicator_code, period_start, sum(n) as n
    from (select * from completed union all select * from overdue)
    group by period_start
)

select city.indicator_code, city.period_start, core.n as in_core, city.n as in_mart
from {{ ref('mart_city_indicator') }} as city
left join core
    on core.indicator_code = city.indicator_code
    and core.period_start = city.period_start
inner join {{ source('ref', 'indicator') }} as indicator on indicator.code = city.indicator_code
where
    city.indicator_code in ('AD1', 'AD3', 'AD4')
    and indicator.condition is null
    and city.obs_status <> 'O'
    and city.n <> coalesce(core.n, 0)

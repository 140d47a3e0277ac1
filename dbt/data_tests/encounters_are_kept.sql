-- No visit is lost or counted twice on the way from core to the city's figure. Counted in core by
-- month, without any join.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with core as (
    select
        cast(started_month || '-01' as date) as period_start,
        count(*) filter (where status not in ('planned', 'cancelled')) as visits
    from {{ source('core', 'encounter') }}
    where started_date <= {{ data_as_of('encounter') }}
    group by started_month
),

mart as (
    select period_start, numerator
    from {{ ref('mart_health_indicator') }}
    where area_level = 'city' and indicator_code = 'HE1' and obs_status <> 'O'
)

select mart.period_start, core.visits, mart.numerator
from mart
left join core using (period_start)
where mart.numerator is distinct from core.visits

-- No dossier is lost or counted twice on the way from core to the monthly figures, unlocated ones
-- included. Counted in core by month of receipt, without any join.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

with core as (
    select
        received_month,
        count(*) as received,
        count(*) filter (where status = 'completed') as completed
    from {{ source('core', 'dossier') }}
    where received_date <= {{ data_as_of('dossier') }}
    group by received_month
),

mart as (
    select
        received_month,
        sum(dossiers_received) as received,
        sum(dossiers_completed) as completed
    from {{ ref('mart_dossier_district_monthly') }}
    group by received_month
)

select received_month, core.received as in_core, mart.received as in_mart
from core
full join mart using (received_month)
where
    core.received is distinct from mart.received
    or core.completed is distinct from mart.completed

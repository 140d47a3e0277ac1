-- Dossiers received in a local month by reporting unit, and what became of them by the data's
-- as-of day. Whole numbers: the place is the one of the day of receipt.
{{ config(materialized='table') }}

select
    received_month,
    unit_code,
    unit_valid_from,
    min(opened_date) as first_day,
    count(*) as dossiers_received,
    count(*) filter (where is_online) as dossiers_online,
    count(*) filter (where is_completed) as dossiers_completed,
    count(*) filter (where is_completed_on_time) as dossiers_completed_on_time,
    count(*) filter (where is_completed_late) as dossiers_completed_late,
    count(*) filter (where is_digitised) as dossiers_digitised,
    count(*) filter (where closed_date is null and due_date <= {{ data_as_of('dossier') }})
        as dossiers_overdue
from {{ ref('int_dossier_event') }}
where opened_date <= {{ data_as_of('dossier') }}
group by received_month, unit_code, unit_valid_from

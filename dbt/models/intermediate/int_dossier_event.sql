-- Dossiers placed in space and time: the area is the one valid on the day of receipt. A dossier is
-- closed with its result; one that was rejected or withdrawn without a time of its end, on the day
-- on which the source said so. Without a deadline it is neither on time nor late.
with build as (select timezone from {{ source('ref', 'build') }})

select
    dossier._source,
    dossier.dossier_id,
    [dossier._source || ':' || dossier.dossier_id] as records,
    dossier.procedure_code,
    dossier.procedure_level,
    dossier.agency_responsible,
    dossier.channel,
    unit.area_code as located_code,
    unit.area_valid_from as located_valid_from,
    unit.unit_code,
    unit.unit_valid_from,
    dossier.received_month,
    dossier.received_date as opened_date,
    dossier.due_date,
    case
        when dossier.completed_date is not null then dossier.completed_date
        when dossier.status in ('rejected', 'withdrawn')
            then cast(timezone(
                coalesce(source.timezone, build.timezone), dossier.updated_at
            ) as date)
    end as closed_date,
    dossier.channel = 'online' as is_online,
    dossier.status = 'completed' as is_completed,
    dossier.status = 'completed' and coalesce(dossier.completed_at <= dossier.due_at, false)
        as is_completed_on_time,
    dossier.status = 'completed' and coalesce(dossier.completed_at > dossier.due_at, false)
        as is_completed_late,
    coalesce(dossier.is_digitised_result, false) as is_digitised
from {{ source('core', 'dossier') }} as dossier
cross join build
left join {{ source('ref', 'source') }} as source on source.source_id = dossier._source
left join {{ ref('int_area_unit') }} as unit
    on unit.area_code = dossier.area_code
    and dossier.received_date >= unit.starts_on
    and dossier.received_date < unit.ends_before

-- The people of each extent: the latest figure where one concept holds for it. Where several do, the
-- extent has no population that a rate could be divided by.
select
    area_code,
    area_valid_from,
    count(distinct concept) as concepts,
    case when count(distinct concept) = 1 then min(concept) end as concept,
    case when count(distinct concept) = 1 then max(reference_date) end as reference_date,
    case when count(distinct concept) = 1 then arg_max(persons, reference_date) end as persons
from {{ source('ref', 'population') }}
group by area_code, area_valid_from

-- Which reporting unit an area belongs to, and when: the district tier where there is one, else
-- the ward or commune itself. Half-open intervals [starts_on, ends_before). Areas of city level
-- are no unit: an event that names only the city is unlocated below it.
with area as (
    select
        code,
        valid_from,
        coalesce(valid_to, date '9999-12-31') as valid_to,
        level,
        parent_code
    from {{ source('ref', 'area') }}
)

select
    area.code as area_code,
    area.valid_from as area_valid_from,
    greatest(area.valid_from, coalesce(parent.valid_from, area.valid_from)) as starts_on,
    least(area.valid_to, coalesce(parent.valid_to, area.valid_to)) as ends_before,
    case when parent.level = 'district' then parent.code else area.code end as unit_code,
    case
        when parent.level = 'district' then parent.valid_from else area.valid_from
    end as unit_valid_from
from area
left join area as parent
    on parent.code = area.parent_code
    and parent.valid_from < area.valid_to
    and area.valid_from < parent.valid_to
where area.level <> 'city'

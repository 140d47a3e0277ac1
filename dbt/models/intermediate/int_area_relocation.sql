-- Where events of an area count on a given day: in its own unit while it is valid, in its
-- successors' units by weight after that. A weight below 1 makes the value an estimate.
with successor as (
    select
        area_code,
        area_valid_from,
        area_code as to_code,
        area_valid_from as to_valid_from,
        cast(1 as decimal(9, 8)) as weight
    from (select distinct area_code, area_valid_from from {{ ref('int_area_unit') }})
    union all
    select
        from_code as area_code,
        from_valid_from as area_valid_from,
        to_code,
        to_valid_from,
        cast(weight as decimal(9, 8)) as weight
    from {{ source('ref', 'area_correspondence') }}
    where not (from_code = to_code and from_valid_from = to_valid_from)
)

select
    successor.area_code,
    successor.area_valid_from,
    unit.starts_on,
    unit.ends_before,
    unit.unit_code,
    unit.unit_valid_from,
    cast(sum(successor.weight) as decimal(9, 8)) as weight,
    sum(successor.weight) < 1 as is_estimated
from successor
inner join {{ ref('int_area_unit') }} as unit
    on unit.area_code = successor.to_code
    and unit.area_valid_from = successor.to_valid_from
group by all

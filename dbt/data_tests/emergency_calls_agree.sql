-- What the units of a call repeat of it is the same in every row: a person decides which is right.
{{ config(
    severity='error',
    meta={'severity': 'hold'}
) }}

-- depends_on: {{ ref('mart_city_indicator') }}
select _source, call_id
from {{ source('core', 'emergency_trip') }}
where received_date <= {{ data_as_of('emergency_trip') }}
group by _source, call_id
having
    count(distinct received_at) > 1
    or count(distinct call_category) > 1
    or count(distinct coalesce(priority_final, '')) > 1
    or count(distinct coalesce(area_code, '')) > 1
    or count(distinct coalesce(response_target_seconds, -1)) > 1

-- A unit reaches the hospital after it left the scene. Told, not set aside: the response of such a row
-- stands by itself.
{{ config(
    severity='warn',
    meta={'severity': 'warn'}
) }}

-- depends_on: {{ ref('mart_city_indicator') }}
select _source, emergency_trip_id
from {{ source('core', 'emergency_trip') }}
where hospital_at < transport_at and received_date <= {{ data_as_of('emergency_trip') }}

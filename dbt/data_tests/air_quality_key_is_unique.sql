-- One row per station, property and day: also broken by one station known to two sources.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select station_id, observed_property, observed_date
from {{ ref('mart_air_quality_daily') }}
group by all
having count(*) > 1

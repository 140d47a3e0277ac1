-- One row per series and period: also broken by one series known to two sources.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select dataflow, area_code, indicator_code, freq, dimension_key, time_period
from {{ ref('mart_socio_economic_indicator') }}
group by all
having count(*) > 1

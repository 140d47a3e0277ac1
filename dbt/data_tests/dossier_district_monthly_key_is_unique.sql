-- One row per month and area.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select received_month, area_code, area_valid_from
from {{ ref('mart_dossier_district_monthly') }}
group by all
having count(*) > 1

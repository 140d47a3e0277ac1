-- At most 50 in 100 dossiers of a month are without a reporting unit.
{{ config(
    severity='error',
    meta={'severity': 'hold'}
) }}

{{ months_with_unlocated('mart_dossier_district_monthly', 'received_month', 'dossiers_received', 50) }}

-- At most 5 in 100 dossiers of a month are without a reporting unit.
{{ config(
    severity='warn',
    meta={'severity': 'warn'}
) }}

{{ months_with_unlocated('mart_dossier_district_monthly', 'received_month', 'dossiers_received', 5) }}

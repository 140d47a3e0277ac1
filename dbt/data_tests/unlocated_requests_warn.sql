-- At most 5 in 100 requests of a month are without a reporting unit.
{{ config(
    severity='warn',
    meta={'severity': 'warn'}
) }}

{{ months_with_unlocated('mart_service_request_monthly', 'requested_month', 'requests_opened', 5) }}

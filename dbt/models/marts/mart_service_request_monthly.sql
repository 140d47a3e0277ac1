-- Requests by the month and place of receipt and kind of service, and what became of them.
{{ monthly_by_place('service_request', 'int_service_request_month', 'requested_month', [
    'service_code', 'requests_opened', 'requests_closed', 'requests_closed_on_time',
    'requests_closed_late', 'requests_overdue',
]) }}

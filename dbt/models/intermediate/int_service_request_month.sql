-- Requests received in a local month by reporting unit and kind of service, and what became of
-- them by the data's as-of day. Whole numbers: the place is the one of the day of receipt.
{{ config(materialized='table') }}

select
    requested_month,
    unit_code,
    unit_valid_from,
    service_code,
    min(opened_date) as first_day,
    count(*) as requests_opened,
    count(*) filter (where is_closed) as requests_closed,
    count(*) filter (where is_closed_on_time) as requests_closed_on_time,
    count(*) filter (where is_closed_late) as requests_closed_late,
    count(*) filter (where not is_closed and due_date <= {{ data_as_of('service_request') }}) as requests_overdue
from {{ ref('int_service_request_event') }}
where opened_date <= {{ data_as_of('service_request') }}
group by requested_month, unit_code, unit_valid_from, service_code

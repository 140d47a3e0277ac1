-- Requests by the month and place of receipt and kind of service, and what became of them. What
-- has no reporting unit stands under _X with the key of the city, never left out.
with month as (
    select
        *,
        cast(requested_month || '-01' as date) as period_start,
        last_day(cast(requested_month || '-01' as date)) as period_last_day
    from {{ ref('int_service_request_month') }}
),

coverage as (
    select
        period_start,
        data_as_of < period_last_day + (
            select coalesce(max(revision_window_days), 0)
            from {{ source('ref', 'publication') }}
            where mart = 'mart_service_request_monthly'
        ) or covered_from > period_start as is_provisional
    from {{ ref('int_period') }}
    cross join {{ source('ref', 'build') }}
    where event = 'service_request'
)

select
    month.requested_month,
    coalesce(month.unit_code, '_X') as area_code,
    coalesce(month.unit_valid_from, city.valid_from, date '0001-01-01') as area_valid_from,
    coalesce(area.name_vi, 'Chưa xác định địa bàn') as area_name_vi,
    coalesce(area.name_en, 'Area not specified') as area_name_en,
    month.service_code,
    month.requests_opened,
    month.requests_closed,
    month.requests_closed_on_time,
    month.requests_closed_late,
    month.requests_overdue,
    case when coverage.is_provisional then 'P' else 'A' end as obs_status
from month
inner join coverage using (period_start)
left join {{ source('ref', 'area') }} as area
    on area.code = month.unit_code
    and area.valid_from = month.unit_valid_from
left join {{ source('ref', 'area') }} as city
    on city.level = 'city'
    and city.valid_from <= month.period_last_day
    and (city.valid_to > month.period_last_day or city.valid_to is null)

{#- A mart of monthly counts by reporting unit. What has no unit stands under _X with the key of the
    city, never left out.

    `model` has one row per month, unit and whatever else is among `columns`, with the month's first
    day that has any. The month spine of all events is not asked: what a mart is built from must say
    of itself alone whether it may be published. -#}
{% macro monthly_by_place(event, model, month_column, columns) %}
with month as (
    select
        *,
        cast({{ month_column }} || '-01' as date) as period_start,
        last_day(cast({{ month_column }} || '-01' as date)) as period_last_day
    from {{ ref(model) }}
),

coverage as (
    select
        period_start,
        {{ data_as_of(event) }} < period_last_day + (
            select coalesce(max(revision_window_days), 0)
            from {{ source('ref', 'publication') }}
            where mart = '{{ this.name }}'
        ) or (select min(first_day) from month) > period_start as is_provisional
    from (select distinct period_start, period_last_day from month)
)

select
    month.{{ month_column }},
    coalesce(month.unit_code, '_X') as area_code,
    coalesce(month.unit_valid_from, city.valid_from, date '0001-01-01') as area_valid_from,
    coalesce(area.name_vi, 'Chưa xác định địa bàn') as area_name_vi,
    coalesce(area.name_en, 'Area not specified') as area_name_en,
    {%- for column in columns %}
    month.{{ column }},
    {%- endfor %}
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
{% endmacro %}

-- Statistics as their source published them last, one row per series and period. A survey's figures
-- carry what they leave open: coefficient of variation and the normal interval of 95%. What is
-- not free for publication has no value here, and does not say which rule closed it.
with observation as (
    select
        *,
        coalesce(conf_status, 'F') <> 'F' as is_closed,
        case
            when standard_error is not null and obs_value <> 0
                then 100 * cast(standard_error as double) / abs(cast(obs_value as double))
        end as cv_percent
    from {{ source('core', 'indicator_observation') }}
    where period_start <= {{ data_as_of('labour_force_survey') }}
),

judged as (
    select
        *,
        {{ observation_statuses({
            'Q': "is_closed",
            'M': "not is_closed and obs_status = 'M'",
            'L': "not is_closed and obs_status = 'L'",
            'O': "not is_closed and obs_status in ('H', 'K', 'O', 'Q')",
            'B': "obs_status = 'B'",
            'D': "obs_status = 'D'",
            'U': "not is_closed and (obs_status = 'U' or coalesce(cv_percent > 20, false))",
            'I': "obs_status = 'I'",
            'E': "obs_status = 'E'",
            'F': "obs_status = 'F'",
            'P': "obs_status = 'P'",
        }) }} as statuses
    from observation
)

select
    judged.dataflow,
    judged.ref_area as area_code,
    coalesce(area.valid_from, date '0001-01-01') as area_valid_from,
    coalesce(area.name_vi, 'Chưa xác định địa bàn') as area_name_vi,
    coalesce(area.name_en, 'Area not specified') as area_name_en,
    judged.indicator as indicator_code,
    judged.indicator_name_vi,
    judged.indicator_name_en,
    judged.freq,
    judged.dimension_key,
    judged.time_period,
    judged.period_start,
    judged.period_end,
    case when not judged.is_closed then cast(judged.obs_value as decimal(24, 6)) end as value,
    judged.unit_measure,
    judged.unit_mult,
    judged.decimals,
    case when not judged.is_closed then judged.standard_error end as standard_error,
    case when not judged.is_closed then cast(round(judged.cv_percent, 4) as decimal(18, 4)) end
        as coefficient_of_variation,
    case
        when not judged.is_closed
            then cast(round(
                cast(judged.obs_value as double)
                - 1.959964 * cast(judged.standard_error as double), 4
            ) as decimal(24, 4))
    end as interval_lower,
    case
        when not judged.is_closed
            then cast(round(
                cast(judged.obs_value as double)
                + 1.959964 * cast(judged.standard_error as double), 4
            ) as decimal(24, 4))
    end as interval_upper,
    case when not judged.is_closed then judged.sample_size end as sample_size,
    coalesce(judged.statuses[1], 'A') as obs_status,
    judged.statuses[2] as obs_status_2,
    case when not judged.is_closed then 'F' when judged.conf_status = 'N' then 'N' else 'C' end
        as conf_status
from judged
left join {{ source('ref', 'area') }} as area
    on area.code = judged.ref_area
    and area.valid_from <= judged.period_start
    and (area.valid_to > judged.period_start or area.valid_to is null)

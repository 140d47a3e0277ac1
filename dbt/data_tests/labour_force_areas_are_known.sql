-- Figures of the labour force survey whose area the city does not know in that period are in no
-- indicator: a person decides.
{{ config(
    severity='error',
    meta={'severity': 'hold'}
) }}

-- depends_on: {{ ref('mart_sector_indicator') }}
select observation.ref_area, observation.time_period
from {{ source('core', 'indicator_observation') }} as observation
where
    observation.indicator in ('LF', 'UNE')
    and observation.period_start <= {{ data_as_of('labour_force_survey') }}
    and not exists (
        select 1 from {{ source('ref', 'area') }} as area
        where
            area.code = observation.ref_area
            and area.valid_from <= observation.period_start
            and (area.valid_to > observation.period_start or area.valid_to is null)
    )

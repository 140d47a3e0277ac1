-- The labour force survey by the first day of its period. Which indicators: see the registry (warehouse/indicators).
-- depends_on: {{ ref('int_area_relocation') }}
{{ flow_indicators('labour_force_survey', 'period') }}

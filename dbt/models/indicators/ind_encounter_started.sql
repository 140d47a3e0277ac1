-- Encounters by the day of their start. Which indicators: see the registry (warehouse/indicators).
-- depends_on: {{ ref('int_area_relocation') }}
{{ flow_indicators('encounter', 'started') }}

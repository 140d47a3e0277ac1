-- Station days by the local day. Which indicators: see the registry (warehouse/indicators).
-- depends_on: {{ ref('int_area_relocation') }}
{{ flow_indicators('sensor_observation', 'observed') }}

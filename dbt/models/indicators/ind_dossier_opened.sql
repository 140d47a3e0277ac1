-- Dossiers by the day of receipt. Which indicators: see the registry (warehouse/indicators).
-- depends_on: {{ ref('int_area_relocation') }}
{{ flow_indicators('dossier', 'opened') }}

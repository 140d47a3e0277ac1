-- Dossiers that are in a stock on the last day of a period. Which indicators: see the registry (warehouse/indicators).
-- depends_on: {{ ref('int_area_relocation') }}
-- depends_on: {{ ref('int_period') }}
{{ stock_indicators('dossier') }}

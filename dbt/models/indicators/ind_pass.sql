-- What the passes over the events counted, one after the other: every row that an `ind_` model
-- gives for an indicator of the open marts. A new pass is added here and nowhere else.
{{ config(materialized='view') }}

{% for model in [
    'ind_service_request_opened', 'ind_service_request_due', 'ind_service_request_closed',
    'ind_service_request_period_end', 'ind_dossier_opened', 'ind_dossier_closed',
    'ind_dossier_period_end', 'ind_sensor_observation_observed',
    'ind_emergency_trip_received', 'ind_duration_quantile',
    'ind_labour_force_survey_period'
] %}
select * from {{ ref(model) }}
{{ 'union all' if not loop.last }}
{%- endfor %}

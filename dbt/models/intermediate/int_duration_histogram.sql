-- How many events lasted how long, by day and area: exact, and mergeable over days and areas, so
-- that quantiles and survival at any grain come without reading the events again. `events` ended
-- after `value`; `censored` were followed up to `value` without an end. One histogram serves every
-- indicator that counts the same amounts of the same events (`ref.indicator.histogram`).
{{ config(materialized='table') }}

{%- set counted = [] -%}
{%- for event in ['service_request', 'sensor_observation', 'emergency_trip'] -%}
  {%- set model = ref('int_' ~ event ~ '_event') -%}
  {%- for histogram in registered_histograms(event) -%}
    {%- do counted.append((event, model, histogram)) -%}
  {%- endfor -%}
{%- endfor %}

{%- for event, model, histogram in counted %}
{{ 'union all' if not loop.first }}
select
    '{{ histogram.name }}' as histogram,
    located_code,
    located_valid_from,
    {{ histogram.anchor }}_date as anchor_date,
    cast(coalesce({{ histogram.numerator }}, {{ histogram.censored or 0 }}, 0) as bigint) as value,
    count({{ histogram.numerator }}) as events,
    count(*) - count({{ histogram.numerator }}) as censored
from {{ model }}
where
    {{ histogram.anchor }}_date <= {{ data_as_of(event) }}
    and ({{ histogram.condition or 'true' }})
group by all
{%- else %}
select
    cast(null as varchar) as histogram,
    cast(null as varchar) as located_code,
    cast(null as date) as located_valid_from,
    cast(null as date) as anchor_date,
    cast(null as bigint) as value,
    cast(null as bigint) as events,
    cast(null as bigint) as censored
where false
{%- endfor %}

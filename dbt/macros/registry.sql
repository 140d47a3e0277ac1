{#- Indicators that the city registered for one event model and anchor, in order of code.
    Read when the model runs, never while the project is parsed: the parsed project stays valid
    whatever the registry says. -#}
{% macro registered(event, anchor) %}
  {%- if not execute -%}{{ return([]) }}{%- endif -%}
  {%- set rows = run_query(
      "select code, measure, aggregation, numerator, denominator, enters, leaves, condition"
      ~ " from " ~ source('ref', 'indicator')
      ~ " where event = '" ~ event ~ "' and anchor = '" ~ anchor ~ "' order by code"
  ) -%}
  {%- set found = [] -%}
  {%- for row in rows -%}
    {%- do found.append({
        'code': row[0], 'measure': row[1], 'aggregation': row[2], 'numerator': row[3],
        'denominator': row[4], 'enters': row[5], 'leaves': row[6], 'condition': row[7]
    }) -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- One aggregate column set of one indicator: numerator, denominator and number of events. -#}
{% macro indicator_columns(indicator, position) %}
  {%- set condition = indicator.condition or 'true' -%}
  {%- set basis = indicator.denominator or indicator.numerator -%}
  {%- if indicator.measure == 'maximum' %}
    max(case when {{ condition }} then cast({{ indicator.numerator }} as bigint) end)
        as numerator_{{ position }},
    cast(null as bigint) as denominator_{{ position }},
    count(*) filter (where {{ condition }}) as n_{{ position }}
  {%- elif indicator.aggregation == 'count' %}
    count(*) filter (where ({{ condition }}) and ({{ indicator.numerator }})) as numerator_{{ position }},
    {% if indicator.denominator -%}
    count(*) filter (where ({{ condition }}) and ({{ indicator.denominator }}))
    {%- else %}cast(null as bigint){% endif %} as denominator_{{ position }},
    count(*) filter (where ({{ condition }}) and ({{ basis }})) as n_{{ position }}
  {%- else %}
    sum(case when {{ condition }} then cast({{ indicator.numerator }} as decimal(18, 6)) end)
        as numerator_{{ position }},
    {% if indicator.denominator -%}
    sum(case when {{ condition }} then cast({{ indicator.denominator }} as decimal(18, 6)) end)
    {%- else %}cast(null as bigint){% endif %} as denominator_{{ position }},
    count(*) filter (where ({{ condition }}) and ({{ basis }}) > 0) as n_{{ position }}
  {%- endif -%}
{% endmacro %}

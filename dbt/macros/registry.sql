{#- What the city's indicators count of one event model by one anchor, in order of code; an
    indicator of a flow and a stock stands at both anchors. Read when the model runs, never while
    the project is parsed: the parsed project stays valid whatever the registry says. -#}
{% macro registered(event, anchor) %}
  {%- if not execute -%}{{ return([]) }}{%- endif -%}
  {%- set rows = run_query(
      "select code, measure, aggregation, numerator, denominator, enters, leaves, condition,"
      ~ " variance, sample_size"
      ~ " from " ~ source('ref', 'indicator_pass')
      ~ " where event = '" ~ event ~ "' and anchor = '" ~ anchor ~ "'"
      ~ " and measure <> 'quantile' order by code"
  ) -%}
  {%- set found = [] -%}
  {%- for row in rows -%}
    {%- do found.append({
        'code': row[0], 'measure': row[1], 'aggregation': row[2], 'numerator': row[3],
        'denominator': row[4], 'enters': row[5], 'leaves': row[6], 'condition': row[7],
        'variance': row[8], 'sample_size': row[9]
    }) -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- What the quantile indicators of one event model count, each distribution once. -#}
{% macro registered_histograms(event) %}
  {%- if not execute -%}{{ return([]) }}{%- endif -%}
  {%- set rows = run_query(
      "select distinct indicator.histogram, counted.anchor, counted.numerator, indicator.censored,"
      ~ " indicator.condition from " ~ source('ref', 'indicator') ~ " as indicator"
      ~ " inner join " ~ source('ref', 'indicator_pass') ~ " as counted using (code)"
      ~ " where indicator.event = '" ~ event ~ "' and indicator.measure = 'quantile'"
      ~ " order by indicator.histogram"
  ) -%}
  {%- set found = [] -%}
  {%- for row in rows -%}
    {%- do found.append({
        'name': row[0], 'anchor': row[1], 'numerator': row[2], 'censored': row[3],
        'condition': row[4]
    }) -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- One aggregate column set of one indicator: numerator, denominator, number of events, of a sample
    survey the numerator's variance, with the sample's size in place of the number of events, and
    what is told apart where different values are counted. `events` names the column that says how
    many like events a row stands for. -#}
{% macro indicator_columns(indicator, position, events=none) %}
  {%- set condition = indicator.condition or 'true' -%}
  {%- set basis = indicator.denominator or indicator.numerator -%}
  {%- if indicator.measure == 'maximum' %}
    max(case when {{ condition }} then cast({{ indicator.numerator }} as bigint) end)
        as numerator_{{ position }},
    cast(null as bigint) as denominator_{{ position }},
    {{ number_of(events, condition) }} as n_{{ position }}
  {%- elif indicator.measure == 'distinct' %}
    cast(null as bigint) as numerator_{{ position }},
    cast(null as bigint) as denominator_{{ position }},
    {{ number_of(events, '(' ~ condition ~ ') and (' ~ indicator.numerator ~ ') is not null') }}
        as n_{{ position }}
  {%- elif indicator.aggregation == 'count' %}
    {{ number_of(events, '(' ~ condition ~ ') and (' ~ indicator.numerator ~ ')') }} as numerator_{{ position }},
    {% if indicator.denominator -%}
    {{ number_of(events, '(' ~ condition ~ ') and (' ~ indicator.denominator ~ ')') }}
    {%- else %}cast(null as bigint){% endif %} as denominator_{{ position }},
    {{ number_of(events, '(' ~ condition ~ ') and (' ~ basis ~ ')') }} as n_{{ position }}
  {%- else %}
    {%- set times = ' * ' ~ events if events else '' %}
    sum(case when {{ condition }} then cast({{ indicator.numerator }} as decimal(18, 6)){{ times }} end)
        as numerator_{{ position }},
    {% if indicator.denominator -%}
    sum(case when {{ condition }} then cast({{ indicator.denominator }} as decimal(18, 6)){{ times }} end)
    {%- else %}cast(null as bigint){% endif %} as denominator_{{ position }},
    {{ sample_of(indicator, events, condition, '(' ~ condition ~ ') and (' ~ basis ~ ') > 0') }}
        as n_{{ position }}
  {%- endif -%},
    {% if indicator.variance -%}
    sum(case when {{ condition }} then cast({{ indicator.variance }} as decimal(24, 6)) end)
    {%- else %}cast(null as decimal(38, 6)){% endif %} as variance_{{ position }},
  {%- if indicator.measure == 'distinct' %}
    list(distinct {{ indicator.numerator }})
        filter (where ({{ condition }}) and ({{ indicator.numerator }}) is not null)
        as members_{{ position }}
  {%- else %}
    cast(null as varchar[]) as members_{{ position }}
  {%- endif -%}
{% endmacro %}


{#- Sample units behind the events, where a survey tells them; else the number of events. -#}
{% macro sample_of(indicator, events, condition, counted) -%}
{%- if indicator.sample_size -%}
greatest(
        {{ number_of(events, counted) }},
        coalesce(sum({{ indicator.sample_size }}) filter (where {{ condition }}), 0)
    )
{%- else -%}
{{ number_of(events, counted) }}
{%- endif -%}
{%- endmacro %}


{#- How many events meet a condition. -#}
{% macro number_of(events, condition) -%}
{%- if events -%}
coalesce(sum({{ events }}) filter (where {{ condition }}), 0)
{%- else -%}
count(*) filter (where {{ condition }})
{%- endif -%}
{%- endmacro %}


{#- The columns of an event model that the expressions of some indicators name, in the model's
    order, the place left out. Found by word: one too many costs a little, one too few cannot be. -#}
{% macro columns_named(indicators, model) %}
  {%- set words = [] -%}
  {%- for indicator in indicators -%}
    {%- for part in ['numerator', 'denominator', 'condition'] -%}
      {%- do words.extend(modules.re.findall('\w+', (indicator[part] or '') | lower)) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- set found = [] -%}
  {%- for column in adapter.get_columns_in_relation(model) -%}
    {%- if column.name | lower in words and column.name not in ['located_code', 'located_valid_from'] -%}{%- do found.append(column.name) -%}{%- endif -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}

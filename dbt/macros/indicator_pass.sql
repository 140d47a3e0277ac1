{#- One pass over an event model for every indicator with this anchor: events are counted in the
    month of their anchor day, up to its data's as-of day. -#}
{% macro flow_indicators(event, anchor) %}
{%- set indicators = registered(event, anchor) -%}
{%- set model = ref('int_' ~ event ~ '_event') -%}
{%- if not indicators -%}
{{ no_indicator_cells() }}
{%- else -%}
with placed_day as materialized (
    select
        located_code,
        located_valid_from,
        {{ anchor }}_date as anchor_date,
        {%- for indicator in indicators %}
        {{- indicator_columns(indicator, loop.index) }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    where {{ anchor }}_date <= {{ data_as_of(event) }}
    group by located_code, located_valid_from, {{ anchor }}_date
),

{{ indicator_cells(indicators) }}
{%- endif -%}
{% endmacro %}


{#- Stocks at period end: an event is in the stock from the day it enters until the day before it
    leaves. Only events still in when their month (or the data) ends meet the month spine. -#}
{% macro stock_indicators(event) %}
{%- set indicators = registered(event, 'period_end') -%}
{%- set model = ref('int_' ~ event ~ '_event') -%}
{%- set intervals = [] -%}
{%- for indicator in indicators -%}
  {%- set interval = (indicator.enters, indicator.leaves) -%}
  {%- if interval not in intervals -%}{%- do intervals.append(interval) -%}{%- endif -%}
{%- endfor -%}
{%- if not indicators -%}
{{ no_indicator_cells() }}
{%- else -%}
with placed_day as materialized (
    {%- for enters, leaves in intervals %}
    {{ 'union all by name' if not loop.first }}
    select
        member.located_code,
        member.located_valid_from,
        period.period_end as anchor_date,
        {%- for indicator in indicators %}
        {%- if (indicator.enters, indicator.leaves) == (enters, leaves) %}
        {{- indicator_columns(indicator, loop.index, 'member.events') }},
        {%- else %}
        null::bigint as numerator_{{ loop.index }},
        null::bigint as denominator_{{ loop.index }},
        0::bigint as n_{{ loop.index }},
        null::decimal(38, 6) as variance_{{ loop.index }},
        null::varchar[] as members_{{ loop.index }},
        {%- endif %}
        {%- endfor %}
    from (
        -- Like events are joined to the months they stay in once.
        select
            located_code,
            located_valid_from,
            {%- for column in columns_named(indicators, model) %}
            {{ column }},
            {%- endfor %}
            cast({{ enters }} as date) as entered_on,
            cast({{ leaves }} as date) as left_on,
            count(*)::bigint as events
        from {{ model }}
        where
            {{ enters }} <= {{ data_as_of(event) }}
            and (
                {{ leaves }} is null
                or {{ leaves }} > least(last_day({{ enters }}), {{ data_as_of(event) }})
            )
        group by all
    ) as member
    inner join {{ ref('int_period') }} as period
        on period.event = '{{ event }}'
        and period.period_end >= member.entered_on
        and (member.left_on is null or period.period_end < member.left_on)
    group by member.located_code, member.located_valid_from, period.period_end
    {%- endfor %}
),

{{ indicator_cells(indicators) }}
{%- endif -%}
{% endmacro %}

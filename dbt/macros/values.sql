{#- The day up to which the data of one event model speaks: a source that is late ages its own
    figures and no others. Written into the statement as a constant so that files and row groups
    beyond it are skipped; read when the model runs. -#}
{% macro data_as_of(event) %}
  {%- if not execute -%}{{ return("date '0001-01-01'") }}{%- endif -%}
  {%- set rows = run_query(
      "select data_as_of from " ~ source('ref', 'event') ~ " where event = '" ~ event ~ "'"
  ) -%}
  {{ return("date '" ~ rows[0][0] ~ "'") }}
{% endmacro %}


{#- scale * numerator / denominator as DECIMAL(18,4), rounded to `digits` (0 to 4) with halves away
    from zero, in whole numbers: dividing DECIMAL gives DOUBLE in DuckDB, which misses exact halves.
    Both operands have at most 6 decimals and are widened
    first: a product of narrow DECIMALs overflows at 18 digits. The denominator is above zero. -#}
{% macro rounded_ratio(numerator, denominator, scale, digits) %}
cast(
    cast(
        sign({{ numerator }})
        * (
            (
                2 * abs(cast(cast({{ numerator }} as decimal(32, 6)) * 1000000 as hugeint))
                * cast({{ scale }} as hugeint)
                * [1, 10, 100, 1000, 10000][{{ digits }} + 1]
                + cast(cast({{ denominator }} as decimal(32, 6)) * 1000000 as hugeint)
            )
            // (2 * cast(cast({{ denominator }} as decimal(32, 6)) * 1000000 as hugeint))
        )
        * [10000, 1000, 100, 10, 1][{{ digits }} + 1]
        as decimal(20, 0)
    ) * 0.0001::decimal(5, 4)
    as decimal(18, 4)
)
{% endmacro %}


{#- Covered days over days of the period as DECIMAL(7,6), rounded half up. -#}
{% macro coverage_share(covered_days, days) %}
cast(
    cast((2000000 * {{ covered_days }} + {{ days }}) // (2 * {{ days }}) as decimal(7, 0))
    * 0.000001::decimal(7, 6)
    as decimal(7, 6)
)
{% endmacro %}


{#- Observation status codes that hold for a row, in order of precedence (SDMX CL_OBS_STATUS);
    `conditions` maps a code to its condition, in that order. The first code that holds is the
    published status, the next stands beside it; A where none holds. -#}
{% macro observation_statuses(conditions) %}
list_filter(
    [
        {%- for code, condition in conditions.items() %}
        case when {{ condition }} then '{{ code }}' end{{ ',' if not loop.last }}
        {%- endfor %}
    ],
    lambda code: code is not null
)
{% endmacro %}

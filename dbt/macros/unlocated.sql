{#- Months of a monthly mart of which more than `percent` in 100 are without a reporting unit. -#}
{% macro months_with_unlocated(mart, month_column, count_column, percent) %}
select
    {{ month_column }},
    sum({{ count_column }}) as counted,
    sum({{ count_column }}) filter (where area_code = '_X') as unlocated
from {{ ref(mart) }}
group by {{ month_column }}
having
    sum({{ count_column }}) filter (where area_code = '_X') * 100
    > {{ percent }} * sum({{ count_column }})
{% endmacro %}

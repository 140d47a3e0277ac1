-- A city's quantile is a value at or below which so many in 100 events lie, and below which fewer do;
-- its n is the number of events. Counted from the histogram by plain sums.
{{ config(
    severity='error',
    meta={'severity': 'block'}
) }}

select indicator.code, city.period_start
from {{ ref('int_duration_histogram') }} as histogram
inner join {{ source('ref', 'indicator') }} as indicator
    on indicator.histogram = histogram.histogram
left join {{ ref('mart_city_indicator') }} as city
    on city.indicator_code = indicator.code
    and city.period_start = date_trunc('month', histogram.anchor_date)
where histogram.events > 0
group by indicator.code, indicator.percentile, city.period_start, city.numerator, city.n
having
    city.numerator is null
    or city.n <> sum(histogram.events)
    or coalesce(sum(histogram.events) filter (where histogram.value <= city.numerator), 0) * 100
    < indicator.percentile * sum(histogram.events)
    or coalesce(sum(histogram.events) filter (where histogram.value < city.numerator), 0) * 100
    >= indicator.percentile * sum(histogram.events)

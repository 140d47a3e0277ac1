"""The bare limit: the figures of the marts by plain SQL over the files of core.

Usage: python -m bench.limit.marts CORE AREAS DAY TARGET
"""

import sys
from pathlib import Path

import duckdb
from deltalake import DeltaTable

READER = "hive_partitioning = true, hive_types_autocast = false, union_by_name = true"
EVENT = """
    CREATE VIEW event AS
    SELECT area.code AS area_code, area.valid_from AS area_valid_from, r.service_code,
        r.requested_month, r.requested_date, r.expected_date, r.closed_date,
        r.closed_at <= r.expected_at AS is_on_time
    FROM read_parquet({files}, {reader}) r
    LEFT JOIN area ON area.code = r.area_code AND r.requested_date >= area.valid_from
        AND (area.valid_to IS NULL OR r.requested_date < area.valid_to)
    WHERE NOT r._is_deleted AND r.requested_date <= DATE '{day}'
"""
MONTHLY = """
    CREATE TABLE target.monthly AS
    SELECT requested_month, area_code, area_valid_from, service_code,
        count(*) AS requests_opened,
        count(*) FILTER (closed_date IS NOT NULL) AS requests_closed,
        count(*) FILTER (is_on_time) AS requests_closed_on_time,
        count(*) FILTER (NOT is_on_time) AS requests_closed_late,
        count(*) FILTER (closed_date IS NULL AND expected_date <= DATE '{day}')
            AS requests_overdue
    FROM event GROUP BY ALL
"""
# What is still open when the month of its deadline (or the data) ends, by like days.
STOCK = """
    CREATE TABLE stock AS
    SELECT area_code, requested_date, expected_date, closed_date, count(*) AS n
    FROM event WHERE expected_date <= DATE '{day}' AND (closed_date IS NULL
        OR closed_date > least(last_day(expected_date), DATE '{day}'))
    GROUP BY ALL
"""
INDICATOR = """
    CREATE TABLE target.indicator AS
    WITH period AS (
        SELECT unnest(generate_series(
                (SELECT min(requested_month) || '-01' FROM target.monthly)::TIMESTAMP,
                TIMESTAMP '{day}', INTERVAL 1 MONTH))::DATE AS period_start,
            least(last_day(period_start), DATE '{day}') AS period_end,
            -- A month without any request was not delivered: its figures are null.
            strftime(period_start, '%Y-%m') IN (SELECT requested_month FROM target.monthly)
                AS is_delivered
    ), counted AS (
        SELECT 'FB1' AS code, area_code, (requested_month || '-01')::DATE AS period_start,
            sum(requests_closed_on_time) AS numerator, sum(requests_opened) AS denominator,
            sum(requests_opened) AS n
        FROM target.monthly GROUP BY ALL
        UNION ALL
        SELECT 'FB1b', area_code, date_trunc('month', expected_date)::DATE AS due,
            count(*) FILTER (is_on_time), count(*), count(*)
        FROM event WHERE expected_date <= DATE '{day}' GROUP BY ALL
        UNION ALL
        SELECT unnest(['FB5', 'FB5a']), area_code, period_start,
            unnest([sum(n), max(period_end - requested_date)]), NULL, sum(n)
        FROM stock JOIN period ON expected_date <= period_end
            AND (closed_date IS NULL OR closed_date > period_end)
        GROUP BY area_code, period_start
    ), placed AS (
        SELECT code, area_code, period_start, numerator, denominator, n FROM counted
        UNION ALL
        SELECT code, (SELECT code FROM area WHERE level = 'city'), period_start,
            CASE code WHEN 'FB5a' THEN max(numerator) ELSE sum(numerator) END,
            sum(denominator), sum(n)
        FROM counted GROUP BY code, period_start
    ), expected AS (
        SELECT indicator.code, area.code AS area_code, area.valid_from AS area_valid_from,
            period_start, is_delivered
        FROM (VALUES ('FB1'), ('FB1b'), ('FB5'), ('FB5a')) indicator(code), area, period
    ), complete AS (
        SELECT e.*,
            CASE WHEN e.code = 'FB5a' THEN numerator WHEN is_delivered THEN coalesce(numerator, 0)
                END::DECIMAL(18, 6) AS numerator,
            CASE WHEN is_delivered AND e.code LIKE 'FB1%' THEN coalesce(denominator, 0)
                END::DECIMAL(18, 6) AS denominator,
            coalesce(n, 0)::BIGINT AS n
        FROM expected e
        LEFT JOIN (SELECT p.* FROM placed p JOIN period USING (period_start) WHERE is_delivered) p
            USING (code, area_code, period_start)
    )
    SELECT code, area_code, area_valid_from, period_start,
        CASE WHEN code LIKE 'FB1%' THEN
            CASE WHEN denominator > 0
            THEN ((2000 * numerator::BIGINT + denominator::BIGINT) // (2 * denominator::BIGINT))
                * 0.1::DECIMAL(2, 1) END
            ELSE numerator END::DECIMAL(18, 4) AS value, numerator, denominator, n
    FROM complete
"""


def main(core: Path, areas: Path, day: str, target: Path) -> None:
    """Count by months and by days of the stock, then every figure from that."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    connection.execute(f"ATTACH '{target}' AS target")
    connection.execute(
        f"CREATE TABLE area AS SELECT * FROM read_csv('{areas}', all_varchar = true)"
    )
    for column in ("valid_from", "valid_to"):
        connection.execute(f"ALTER TABLE area ALTER {column} TYPE DATE")
    files = DeltaTable(core).file_uris()
    connection.execute(EVENT.format(files=files, reader=READER, day=day))
    connection.execute(MONTHLY.format(day=day))
    connection.execute(STOCK.format(day=day))
    connection.execute(INDICATOR.format(day=day))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))

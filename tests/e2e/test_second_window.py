"""The demo city at Tết, through the whole pipeline (takes minutes)."""

import csv
import json
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.e2e.world import Lake, demo_server

FIRST, LAST = date(2026, 1, 1), date(2026, 4, 30)


@pytest.mark.long
def test_tet_shows_in_the_lake(seed: int, tmp_path: Path) -> None:
    with demo_server(seed, 0.2, 120, first=FIRST) as server:
        lake = Lake(tmp_path / "home", server)
        lake.run(LAST)
    with duckdb.connect() as connection:
        files = [str(path) for path in (lake.root / "core/service_request").rglob("*.parquet")]
        days = Counter(
            dict(
                connection.execute(
                    "SELECT requested_date, count(*) FROM read_parquet(?, union_by_name = true) "
                    "WHERE NOT _is_deleted GROUP BY ALL",
                    [files],
                ).fetchall()
            )
        )
    usual = sum(days[date(2026, 1, day)] for day in range(5, 26)) / 21
    holiday = sum(days[date(2026, 2, day)] for day in range(16, 21)) / 5
    after = sum(days[date(2026, 2, day)] for day in range(23, 28)) / 5
    assert holiday < 0.6 * usual
    assert after > usual
    pointer = json.loads((lake.root / "releases/service-request-monthly/latest.json").read_text())
    folder = lake.root / "releases/service-request-monthly" / pointer["version"]
    with (folder / "service-request-monthly.csv").open(encoding="utf-8", newline="") as stream:
        months = {row["requested_month"] for row in csv.DictReader(stream)}
    assert months == {"2026-01", "2026-02", "2026-03", "2026-04"}

"""What Superset's connection can do at all, asked by the one who may ask in SQL."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reports.superset.errors import ReportsError
from tests.superset.may_see import DISTRICT_VIEW
from tests.superset.stage import Row, Stage

SETTINGS = {
    "enable_external_access": False,
    "lock_configuration": True,
    "access_mode": "read_only",
}


def _column(text: str) -> Row:
    return {"expressionType": "SQL", "label": "x", "sqlExpression": text}


def _database(stage: Stage) -> int:
    (found,) = stage.client("admin").all("database")
    return int(found["id"])


def _run(stage: Stage, sql: str) -> Any:
    """What the administrator's SQL Lab answers."""
    sent = {"database_id": _database(stage), "sql": sql, "client_id": uuid.uuid4().hex[:10]}
    return stage.client("admin").ask("POST", "/api/v1/sqllab/execute/", json=sent)["data"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_chart_is_asked_over_a_connection_that_is_shut(stage: Stage, name: str) -> None:
    asked = {"columns": [_column(f"current_setting('{name}')")]}
    rows = stage.asked("admin", DISTRICT_VIEW, asked)["result"][0]["data"]
    assert {row["x"] for row in rows} == {SETTINGS[name]}


# Forms that Superset passes on as they are; a sub-query of a chart it refuses itself.
READS = {
    "plain": "SELECT content FROM read_text('{file}')",
    "union": "SELECT area_code FROM report_district_indicator UNION ALL SELECT content "
    "FROM read_text('{file}')",
    "with": "WITH other AS (SELECT * FROM read_csv('{file}')) SELECT * FROM other",
    "by name": "SELECT * FROM '{file}'",
    "files": "SELECT * FROM glob('{folder}/*')",
    "attach": "ATTACH '{folder}/other.duckdb' AS other",
    "copy": "COPY report_district_indicator TO '{folder}/out.csv'",
}


@pytest.mark.parametrize("way", READS)
def test_the_connection_reaches_no_other_file(stage: Stage, way: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    sql = READS[way].format(file=file, folder=tmp_path)
    with pytest.raises(ReportsError, match="disabled by configuration"):
        _run(stage, sql)
    assert [each.name for each in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(
            "content FROM read_text('{file}') UNION ALL SELECT area_code",
            "disabled by configuration",
            id="union",
        ),
        pytest.param("(SELECT max(a) FROM read_csv('{file}'))", "sub-queries", id="sub-query"),
    ],
)
def test_a_chart_reaches_no_other_file(stage: Stage, text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    asked = {"columns": [], "metrics": [_column(text.format(file=file))]}
    with pytest.raises(ReportsError, match=why):
        stage.asked("admin", DISTRICT_VIEW, asked)


def test_the_settings_stay_as_they_are(stage: Stage) -> None:
    for sql in ("SET enable_external_access = true", "SET threads = 1"):
        with pytest.raises(ReportsError, match="configuration has been locked|while database is"):
            _run(stage, sql)


@contextmanager
def _writing_allowed(stage: Stage) -> Iterator[None]:
    """Superset itself lets statements pass that write."""
    place = f"/api/v1/database/{_database(stage)}"
    stage.client("admin").ask("PUT", place, json={"allow_dml": True})
    try:
        yield
    finally:
        stage.client("admin").ask("PUT", place, json={"allow_dml": False})


WRITES = (
    "CREATE TABLE written (a INTEGER)",
    "DELETE FROM report_district_indicator",
    "UPDATE publication_status SET version = 'v9'",
)


@pytest.mark.parametrize("sql", WRITES)
def test_nothing_is_written_even_where_superset_would_let_it(stage: Stage, sql: str) -> None:
    before = stage.serving.read_bytes()
    with pytest.raises(ReportsError, match="does not allow for DDL/DML"):
        _run(stage, sql)
    with _writing_allowed(stage), pytest.raises(ReportsError, match="read-only mode"):
        _run(stage, sql)
    assert stage.serving.read_bytes() == before

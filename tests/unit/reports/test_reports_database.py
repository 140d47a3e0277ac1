"""The database of the reports: read alone, no other file in reach, and nothing that unlocks it."""

from pathlib import Path

import duckdb
import pytest

from reports.superset.datasets import database


def _connect(folder: Path) -> dict[str, object]:
    asset = database("danang", "Đà Nẵng", folder / "marts.duckdb")
    given: dict[str, object] = asset.content["extra"]["engine_params"]["connect_args"]
    return given


def test_the_file_is_opened_for_reading_with_no_other_in_reach(tmp_path: Path) -> None:
    given = _connect(tmp_path)
    assert given["read_only"] is True
    settings = given["config"]
    assert isinstance(settings, dict)
    assert settings["enable_external_access"] is False
    assert settings["lock_configuration"] is True


def test_superset_offers_no_way_to_write_or_to_ask_freely(tmp_path: Path) -> None:
    content = database("danang", "Đà Nẵng", tmp_path / "marts.duckdb").content
    for allowed in ("expose_in_sqllab", "allow_dml", "allow_ctas", "allow_cvas"):
        assert content[allowed] is False, allowed
    assert content["allow_csv_upload"] is False


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("CREATE TABLE written (a INTEGER)", id="write"),
        pytest.param("SELECT * FROM read_text('{other}')", id="read"),
        pytest.param("COPY shown TO '{other}'", id="copy"),
        pytest.param("ATTACH '{other}'", id="attach"),
        pytest.param("SET enable_external_access = true", id="open"),
        pytest.param("SET threads = 1", id="set"),
    ],
)
def test_a_connection_that_is_opened_so_does_nothing_but_read(tmp_path: Path, sql: str) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n", encoding="utf-8")
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute("CREATE TABLE shown AS SELECT 1 AS a")
    given = _connect(tmp_path)
    with duckdb.connect(str(tmp_path / "marts.duckdb"), **given) as connection:  # type: ignore[arg-type]
        assert connection.execute("SELECT a FROM shown").fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            connection.execute(sql.format(other=other))
    assert other.read_text(encoding="utf-8") == "a\n1\n"

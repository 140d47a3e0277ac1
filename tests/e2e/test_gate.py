"""Faults in the marts before the real gate: what each engine sees, and that a reject keeps all."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse.dbt_build
from pipeline.console import Console
from pipeline.context import open_context
from pipeline.run import RunReport, run_day
from quality import contract_checks, gx_checks
from tests.e2e.world import URL_VARIABLE, Lake
from warehouse.fork_server import ForkServer
from warehouse.promotion_record import evidence, latest

DAY = date(2025, 7, 2)
PROJECT = warehouse.dbt_build.PROJECT
# The served tables that hold the rows of a publication, and of no other in this city.
SERVED = {
    "indicators-feedback": (
        "mart_city_indicator",
        "mart_district_indicator",
        "mart_sector_indicator",
    ),
    "service-request-monthly": ("mart_service_request_monthly",),
}


def _shown(lake: Lake) -> dict[str, dict[str, Any]]:
    """What readers see of each publication: served values and releases."""
    with duckdb.connect(str(lake.root / "serving/marts.duckdb"), read_only=True) as serving:
        found: dict[str, dict[str, Any]] = {
            name: {
                mart: serving.execute(f"SELECT * FROM {mart} ORDER BY ALL").fetchall()  # noqa: S608 - fixed
                for mart in marts
            }
            for name, marts in SERVED.items()
        }
    assert all(rows for values in found.values() for rows in values.values())
    pointers = {path.parent.name: path for path in lake.root.glob("releases/*/latest.json")}
    assert pointers
    for name, path in pointers.items():
        found[name]["latest.json"] = path.read_bytes()
        found[name]["releases"] = lake.files(f"releases/{name}")
    return found


class Gate:
    """Runs a day in this process on a lake whose history is published."""

    def __init__(self, lake: Lake, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.lake = lake
        self.monkeypatch = monkeypatch
        self.project = folder / "marts_project"
        environment = lake.environment(DAY, {})
        for name in ("CITYLAKE_HOME", URL_VARIABLE, "CITYLAKE_DANANG_OPEN311_TOKEN"):
            monkeypatch.setenv(name, environment[name])
        self.before = _shown(lake)

    def edit(self, model: str, old: str, new: str) -> None:
        """Build from a copy of the dbt project in which one text of a model is another."""
        shutil.copytree(PROJECT, self.project, ignore=shutil.ignore_patterns("target", "logs"))
        path = self.project / "models" / model
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self.monkeypatch.setattr(warehouse.dbt_build, "PROJECT", self.project)

    def run(self) -> RunReport:
        """Run the day."""
        context = open_context(self.lake.city, DAY)
        return run_day(
            replace(context, environ=self.lake.environment(DAY, {})), Console(quiet=True)
        )

    def failing(self, publication: str) -> set[tuple[str, str]]:
        """Engine and status of the checks that did not pass, by the latest record."""
        paths = open_context(self.lake.city, DAY).paths
        record = latest(paths)
        assert record is not None
        checks = evidence(paths, record.entries[publication].checks)
        return {(each["engine"], each["status"]) for each in checks if each["status"] != "passed"}


@pytest.fixture
def gate(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gate:
    return Gate(lake, monkeypatch, tmp_path)


def _rejected(gate: Gate, report: RunReport, *names: str) -> dict[str, str]:
    """What is rejected is shown as before, what is promoted beside it is new; every verdict."""
    verdicts = {line.name: line.verdict for line in report.publications}
    assert {name: verdicts[name] for name in names} == dict.fromkeys(names, "reject")
    assert report.exit_code == 4
    after = _shown(gate.lake)
    for name in names:
        assert not any(line.is_new for line in report.publications if line.name == name)
        assert after[name] == gate.before[name]
    for name in verdicts.keys() - set(names):
        # The day has new values of every publication: what is promoted shows.
        assert (after[name] != gate.before[name]) == (verdicts[name] == "publish")
    if set(names) == verdicts.keys():
        assert after == gate.before
    return verdicts


BOTH = ("indicators-feedback", "service-request-monthly")


def test_without_a_fault_the_day_is_published(gate: Gate) -> None:
    report = gate.run()
    assert report.exit_code == 0
    after = _shown(gate.lake)
    for name, each in after.items():
        assert all(each[part] != gate.before[name][part] for part in each)
    (released,) = gate.lake.root.glob(f"releases/*/{DAY}-*/quality-report.json")
    checks = json.loads(released.read_bytes())["accuracy"]["checks"]
    assert {each["engine"] for each in checks} == {"contract", "dbt", "gx"}
    assert any(each["engine"] == "gx" and "core.service_request" in str(each) for each in checks)


def test_a_run_that_changes_nothing_never_starts_great_expectations(gate: Gate) -> None:
    gate.run()
    server = ForkServer("no.such.module", "nothing")
    gate.monkeypatch.setattr(gx_checks, "_SERVER", server)
    assert gate.run().exit_code == 0
    assert server._process is None


def test_a_fault_that_only_contract_checks_see(gate: Gate) -> None:
    gate.edit(
        "marts/mart_service_request_monthly.sql",
        "'requests_overdue'",
        "'requests_opened + 1 as requests_overdue'",
    )
    verdicts = _rejected(gate, gate.run(), "service-request-monthly")
    assert verdicts["indicators-feedback"] == "publish"
    assert gate.failing("service-request-monthly") == {("contract", "failed")}
    assert gate.failing("indicators-feedback") == set()


def test_a_fault_that_only_dbt_sees(gate: Gate) -> None:
    gate.edit(
        "marts/mart_service_request_monthly.sql",
        "'requests_opened'",
        "'requests_opened + 1 as requests_opened'",
    )
    _rejected(gate, gate.run(), "service-request-monthly")
    assert gate.failing("service-request-monthly") == {("dbt", "failed")}


def test_a_fault_that_only_great_expectations_sees(gate: Gate) -> None:
    gate.edit(
        "../macros/monthly_by_place.sql",
        "    coalesce(area.name_vi, 'Chưa xác định địa bàn') as area_name_vi,",
        "    coalesce(area.name_vi, 'Chưa xác định địa bàn') || ' ' as area_name_vi,",
    )
    verdicts = _rejected(gate, gate.run(), "service-request-monthly")
    assert verdicts["indicators-feedback"] == "publish"
    assert gate.failing("service-request-monthly") == {("gx", "failed")}
    assert gate.failing("indicators-feedback") == set()
    status = json.loads(gate.lake.call("status", "--city", gate.lake.city, "--json"))
    reasons = status["publications"]["service-request-monthly"]["reasons"]
    assert any(reason.startswith("gx ") and "area_name_is_clean" in reason for reason in reasons)


def _spoil(root: Path) -> None:
    """Give open requests of July a status that their contract does not know, as no load would."""
    (path,) = (root / "core/service_request/requested_month=2025-07").glob("*.parquet")
    rows = pq.read_table(path, partitioning=None)
    status = [{"open": "đang mở"}.get(each, each) for each in rows["status"].to_pylist()]
    assert "đang mở" in status
    place = rows.schema.get_field_index("status")
    pq.write_table(rows.set_column(place, "status", pa.array(status)), path)


def test_a_fault_in_core_that_only_great_expectations_sees(gate: Gate) -> None:
    _spoil(gate.lake.root)
    _rejected(gate, gate.run(), *BOTH)
    for name in BOTH:
        assert gate.failing(name) == {("gx", "failed")}
    status = json.loads(gate.lake.call("status", "--city", gate.lake.city, "--json"))
    (reason,) = status["publications"]["indicators-feedback"]["reasons"]
    assert "core.service_request.status:expect_column_values_to_be_in_set" in reason
    assert "đang" not in reason


def test_a_model_that_breaks_skips_tests_and_rejects(gate: Gate) -> None:
    gate.edit("marts/mart_city_indicator.sql", "from", "from no_such_relation, ")
    _rejected(gate, gate.run(), "indicators-feedback")
    assert {("dbt", "errored"), ("dbt", "skipped")} <= gate.failing("indicators-feedback")


def test_missing_run_results_reject(gate: Gate) -> None:
    build = warehouse.dbt_build.build

    def losing(*arguments: Any) -> warehouse.dbt_build.DbtRun:
        run = build(*arguments)
        run.run_results.unlink()
        return run

    gate.monkeypatch.setattr("pipeline.transform.build", losing)
    _rejected(gate, gate.run(), *BOTH)
    assert gate.failing("service-request-monthly") == {("dbt", "missing")}


def test_great_expectations_that_cannot_be_imported_rejects(gate: Gate) -> None:
    gate.monkeypatch.setattr(gx_checks, "_SERVER", ForkServer("no.such.module", "nothing"))
    _rejected(gate, gate.run(), *BOTH)
    assert gate.failing("service-request-monthly") == {("gx", "missing")}


def test_a_check_that_raises_rejects(gate: Gate) -> None:
    def raising(*_: Any, **__: Any) -> Any:
        raise duckdb.Error("cannot look")

    gate.monkeypatch.setattr(contract_checks, "coverage", raising)
    _rejected(gate, gate.run(), *BOTH)
    assert gate.failing("service-request-monthly") == {("contract", "errored")}


def test_a_rejected_day_changes_the_status_only(gate: Gate) -> None:
    name, hashes = "indicators-feedback", gate.lake.hashes()
    gate.edit("indicators/ind_value.sql", "    valued.unit,", "    'percent' as unit,")
    assert _rejected(gate, gate.run(), name)["service-request-monthly"] == "publish"
    status = json.loads(gate.lake.call("status", "--city", gate.lake.city, "--json"))
    entry = status["publications"][name]
    assert entry["verdict"] == "reject"
    assert entry["version"] is not None
    assert any("contract" in reason for reason in entry["reasons"])
    after = gate.lake.hashes()
    kept = {f"publication/{name}", *(f"serving/{mart}" for mart in SERVED[name])}
    assert {each: after[each] for each in kept} == {each: hashes[each] for each in kept}
    other = "service-request-monthly"
    changed = {each for each in hashes if after[each] != hashes[each]}
    assert {f"status/{name}", f"publication/{other}", "serving/publication_status"} <= changed


def test_the_real_process_ends_with_the_code_of_a_rejected_day(lake: Lake) -> None:
    before = _shown(lake)
    _spoil(lake.root)
    output = lake.run(DAY, expect=4)
    for name in BOTH:
        (row,) = (line.split() for line in output.splitlines() if line.split()[:1] == [name])
        assert row[1] == "reject"
        assert "as before" in " ".join(row)
        assert any(line.startswith(f"{name}: gx ") for line in output.splitlines())
    assert _shown(lake) == before

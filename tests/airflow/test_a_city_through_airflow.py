"""Days of the demo city through Airflow, one after the other, beside the command line's run.

The tests are one story and stand in its order: what a day leaves is where the next one starts.
"""

import os
import signal

from tests.airflow.orchestra import Json, Orchestra, change
from tests.airflow.processes import children_named

FIRST, SECOND, THIRD = "2025-07-02", "2025-07-03", "2025-07-04"
FEEDBACK, STATISTICS = "ingest_feedback.open311", "ingest_socioeconomic.statistics_office"
SOURCES = {
    "ingest_administration.one_stop_shop",
    FEEDBACK,
    "ingest_health.encounters",
    STATISTICS,
}
REQUESTS, DOSSIERS = "service-request-monthly", "dossier-district-monthly"
PUBLICATIONS = {
    DOSSIERS,
    "indicators-administration",
    "indicators-feedback",
    "indicators-health",
    "indicators-socioeconomic",
    REQUESTS,
    "socio-economic-indicators",
}
OTHERS = {"transform", "deadline", "reports", "maintenance"}
IMPLAUSIBLE = """
  - name: {column}_is_nothing
    description: {{vi: Không có gì, en: Nothing at all}}
    type: custom
    engine: greatExpectations
    severity: hold
    implementation:
      type: expect_column_max_to_be_between
      kwargs: {{column: {column}, max_value: 0}}
"""


def test_every_dag_is_there_and_none_is_broken(orchestra: Orchestra) -> None:
    dags = orchestra.dags()
    assert len(dags) == 15
    assert set(dags) == SOURCES | {f"publish_{name}" for name in PUBLICATIONS} | OTHERS
    assert orchestra.get("importErrors")["total_entries"] == 0
    assert all(dag["is_paused"] for dag in dags.values())
    assert all(dag["owners"] and dag["owners"] != ["airflow"] for dag in dags.values())
    assert {"feedback", "trung_tam_1022"} <= {tag["name"] for tag in dags[FEEDBACK]["tags"]}


def test_nobody_enters_without_a_name(orchestra: Orchestra) -> None:
    client = orchestra.client("auditor")
    url = f"{client.base_url}/api/v2/dags"
    import httpx

    assert httpx.get(url).status_code == 401
    wrong = {"username": "admin", "password": "admin"}
    assert httpx.post(f"{client.base_url}/auth/token", json=wrong).status_code == 401
    answer = client.patch(f"/api/v2/dags/{FEEDBACK}", json={"is_paused": False})
    assert answer.status_code == 403
    mode = (orchestra.home / "airflow" / "passwords.json").stat().st_mode
    assert mode & 0o077 == 0


def test_a_broken_contract_breaks_its_own_dag_only(orchestra: Orchestra) -> None:
    contract = orchestra.city / "sources" / "feedback" / "open311.yaml"
    whole = contract.read_text(encoding="utf-8")
    change(contract, "value: discard", "value: dsicard")
    orchestra.unpause()
    try:
        broken: Json = orchestra.until(
            lambda: (d := orchestra.dags()[FEEDBACK])["description"].startswith("sources/") and d,
            "the broken contract",
        )
        assert "open311.yaml:" in broken["description"]
        assert "broken contract" in {tag["name"] for tag in broken["tags"]}
        assert len(orchestra.dags()) == 15
        assert orchestra.get("importErrors")["total_entries"] == 0
        orchestra.start(STATISTICS, FIRST)
        run = orchestra.client("engineer").post(
            f"/api/v2/dags/{FEEDBACK}/dagRuns", json={"logical_date": None, "dag_run_id": "broken"}
        )
        run.raise_for_status()
        assert orchestra.ended(STATISTICS, FIRST)["state"] == "success"
        failed = orchestra.until(
            lambda: (
                (t := orchestra.tasks(FEEDBACK, "broken"))["contract"]["state"] == "failed" and t
            ),
            "the run that says what is broken",
        )
        assert failed["contract"]["try_number"] == 1
        assert "citylake." in orchestra.said(FEEDBACK, "broken")
    finally:
        contract.write_text(whole, encoding="utf-8")
    orchestra.until(
        lambda: not orchestra.dags()[FEEDBACK]["description"].startswith("sources/"),
        "the mended contract",
    )


def test_a_day_comes_through_as_it_does_without_airflow(orchestra: Orchestra) -> None:
    orchestra.server.refusals = 2
    runs = orchestra.ingest(FIRST)
    orchestra.day(FIRST)
    assert orchestra.server.refused == 2
    for dag, run in runs.items():
        tasks = orchestra.tasks(dag, run)
        assert {name: each["state"] for name, each in tasks.items()} == dict.fromkeys(
            ("extract", "load", "account"), "success"
        )
        # What failed twice was tried a third time, and held up none of the others.
        assert tasks["extract"]["try_number"] == (3 if dag == FEEDBACK else 1)
    orchestra.run_plain(FIRST)
    assert orchestra.hashes(orchestra.home) == orchestra.hashes(orchestra.plain)


def test_transform_was_started_by_the_events_whose_versions_it_read(orchestra: Orchestra) -> None:
    (run, *_) = orchestra.runs("transform", FIRST)
    assert run["run_type"] == "asset_triggered"
    events = orchestra.get(f"dags/transform/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")[
        "asset_events"
    ]
    told = {event["extra"]["table"]: event["extra"] for event in events}
    assert {f"ingest_{event['source']}" for event in told.values()} == SOURCES
    place = f"dags/transform/dagRuns/{run['dag_run_id']}/taskInstances/build/xcomEntries"
    built = orchestra.get(f"{place}/return_value?deserialize=true")["value"]
    assert built["read"] == {table: extra["version"] for table, extra in told.items()}
    assert all(built["versions"][table] == version for table, version in built["read"].items())
    record = sorted((orchestra.home / "danang" / "promotions").glob("*.json"))[-1]
    assert all(extra["sequence"] == 1 for extra in told.values()), record


def test_what_is_held_waits_for_a_named_person_and_silence_rejects(orchestra: Orchestra) -> None:
    datasets = orchestra.city / "datasets"
    whole = {name: (datasets / f"{name}.yaml").read_text("utf-8") for name in (REQUESTS, DOSSIERS)}
    columns = {REQUESTS: "requests_opened", DOSSIERS: "dossiers_received"}
    latest = {name: _latest(orchestra, name) for name in whole}
    try:
        for name, text in whole.items():
            more = IMPLAUSIBLE.format(column=columns[name]).lstrip("\n")
            (datasets / f"{name}.yaml").write_text(f"{text.rstrip()}\n{more}", encoding="utf-8")
        orchestra.ingest(SECOND)
        held = {
            name: orchestra.until(lambda name=name: _waits(orchestra, name), f"{name} is held")
            for name in whole
        }
        answer = {"chosen_options": ["Approve"], "params_input": {}}
        place = "/api/v2/dags/publish_{}/dagRuns/{}/taskInstances/approval/-1/hitlDetails"
        path = place.format(REQUESTS, held[REQUESTS]["dag_run_id"])
        for other in ("auditor", "engineer"):
            refused = orchestra.client(other).patch(path, json=answer)
            assert refused.status_code == 403, other
        orchestra.client("approver").patch(path, json=answer).raise_for_status()
        assert orchestra.ended(f"publish_{REQUESTS}", SECOND)["state"] == "success"
        assert orchestra.ended(f"publish_{DOSSIERS}", SECOND)["state"] == "success"
        orchestra.day(SECOND)
        assert orchestra.run_plain(SECOND) == 3
        orchestra.decide_plain("approve", REQUESTS, "approver")
        orchestra.decide_plain("refuse", DOSSIERS)
    finally:
        for name, text in whole.items():
            (datasets / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert _latest(orchestra, REQUESTS) != latest[REQUESTS]
    assert _latest(orchestra, DOSSIERS) == latest[DOSSIERS]
    tasks = orchestra.tasks(f"publish_{DOSSIERS}", held[DOSSIERS]["dag_run_id"])
    assert (tasks["approve"]["state"], tasks["refuse"]["state"]) == ("skipped", "success")
    ledger = "\n".join(
        path.read_text("utf-8")
        for path in sorted((orchestra.home / "danang" / "ledger").rglob("*.json"))
    )
    assert '"approver"' in ledger
    assert orchestra.hashes(orchestra.home) == orchestra.hashes(orchestra.plain)


def test_a_scheduler_that_is_killed_comes_back_to_the_same_content(orchestra: Orchestra) -> None:
    orchestra.ingest(THIRD)
    orchestra.until(
        lambda: any(
            task["state"] == "running"
            for dag in SOURCES
            for run in orchestra.runs(dag, THIRD)
            for task in orchestra.tasks(dag, run["dag_run_id"]).values()
        ),
        "a running task",
    )
    (scheduler,) = children_named(orchestra.home, "scheduler")
    os.kill(scheduler, signal.SIGKILL)
    orchestra.day(THIRD)
    assert children_named(orchestra.home, "scheduler") != [scheduler]
    orchestra.run_plain(THIRD)
    assert orchestra.hashes(orchestra.home) == orchestra.hashes(orchestra.plain)


def _latest(orchestra: Orchestra, dataset: str) -> bytes:
    return (orchestra.home / "danang" / "releases" / dataset / "latest.json").read_bytes()


def _waits(orchestra: Orchestra, publication: str) -> Json | None:
    """The run of a publication's DAG that waits for a person, if it does."""
    for run in orchestra.runs(f"publish_{publication}", SECOND):
        tasks = orchestra.tasks(f"publish_{publication}", run["dag_run_id"])
        if tasks["approval"]["state"] == "awaiting_input":
            return run
    return None

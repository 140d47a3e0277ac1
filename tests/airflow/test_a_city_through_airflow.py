"""Days of the demo city through Airflow, one after the other, beside the command line's run.

The tests are one story and stand in its order: what a day leaves is where the next one starts.
"""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import psutil

from pipeline.orchestration.plan import read_plan
from tests.airflow.decided import (
    APPROVE,
    READING_SECONDS,
    answer_path,
    holding,
    is_told_of,
    ledger_decisions,
    refuse_at_once,
    started_by,
    waiting,
)
from tests.airflow.orchestra import URL, Json, Orchestra, change
from tests.airflow.processes import children_named
from tests.airflow.seen import latest, notices, passwords, process_of_attempt, requests_of
from tests.mail_server import ADDRESSES

FIRST, SECOND, THIRD, FOURTH = "2025-07-02", "2025-07-03", "2025-07-04", "2025-07-05"
FEEDBACK = "ingest_feedback.open311"
SOURCES = {
    "ingest_administration.one_stop_shop",
    FEEDBACK,
    "ingest_health.encounters",
    "ingest_socioeconomic.statistics_office",
}
REQUESTS, DOSSIERS = "service-request-monthly", "dossier-district-monthly"
SOCIO = "socio-economic-indicators"
PUBLICATIONS = {
    DOSSIERS,
    "indicators-administration",
    "indicators-feedback",
    "indicators-health",
    "indicators-socioeconomic",
    REQUESTS,
    SOCIO,
}
RECIPIENTS = {"brief_hai_chau", "brief_thanh_pho"}
OTHERS = {"transform", "deadline", "reports", "maintenance"}


def test_every_dag_is_there_and_none_is_broken(orchestra: Orchestra) -> None:
    dags = orchestra.dags()
    assert len(dags) == 17
    publishing = {f"publish_{name}" for name in PUBLICATIONS}
    assert set(dags) == SOURCES | publishing | RECIPIENTS | OTHERS
    assert orchestra.get("importErrors")["total_entries"] == 0
    assert all(dag["is_paused"] for dag in dags.values())
    assert all(dag["owners"] and dag["owners"] != ["airflow"] for dag in dags.values())
    assert {"feedback", "trung_tam_1022"} <= {tag["name"] for tag in dags[FEEDBACK]["tags"]}
    pools = {each["name"]: each["slots"] for each in orchestra.get("pools")["pools"]}
    assert read_plan(str(orchestra.city)).pools.items() <= pools.items()


def test_nobody_enters_without_a_name(orchestra: Orchestra) -> None:
    client = orchestra.client("auditor")
    url = f"{client.base_url}/api/v2/dags"
    assert httpx.get(url).status_code == 401
    wrong = {"username": "admin", "password": "admin"}
    assert httpx.post(f"{client.base_url}/auth/token", json=wrong).status_code == 401
    answer = client.patch(f"/api/v2/dags/{FEEDBACK}", json={"is_paused": False})
    assert answer.status_code == 403
    mode = (orchestra.home / "airflow" / "passwords.json").stat().st_mode
    assert mode & 0o077 == 0


def test_changes_asked_for_at_once_stop_nobody(orchestra: Orchestra) -> None:
    """Each waits for the one before; the server with one writer answers all the while."""
    days = [f"2024-01-{number:02}" for number in range(1, 25)]
    client = orchestra.client("engineer")
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(partial(orchestra.start, "maintenance"), days))
        places = [f"/api/v2/dags/maintenance/dagRuns/{run}" for run in runs]
        ended = list(pool.map(client.delete, places))
    assert len(set(runs)) == len(days)
    assert {answer.status_code for answer in ended} == {204}


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
        assert len(orchestra.dags()) == 17
        assert orchestra.get("importErrors")["total_entries"] == 0
        orchestra.start("maintenance", FIRST)
        run = orchestra.client("engineer").post(
            f"/api/v2/dags/{FEEDBACK}/dagRuns", json={"logical_date": None, "dag_run_id": "broken"}
        )
        run.raise_for_status()
        assert orchestra.ended("maintenance", FIRST)["state"] == "success"
        failed = orchestra.until(
            lambda: (
                # The tasks of a run are there an instant after the run.
                (t := orchestra.tasks(FEEDBACK, "broken")).get("contract", {}).get("state")
                == "failed"
                and t
            ),
            "the run that says what is broken",
        )
        assert failed["contract"]["try_number"] == 1
        # What a task said is there an instant after its state.
        orchestra.until(
            lambda: "citylake." in orchestra.said(FEEDBACK, "broken"), "what the run said"
        )
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


def test_a_whole_day_is_not_built_again_at_its_deadline(orchestra: Orchestra) -> None:
    told, built = len(orchestra.listener.told), len(orchestra.runs("transform", FIRST))
    run = orchestra.start("deadline", FIRST)
    assert orchestra.ended("deadline", FIRST)["state"] == "success"
    assert orchestra.tasks("deadline", run)["missing"]["state"] == "skipped"
    events = orchestra.get("assets/events?source_dag_id=deadline&limit=100")["asset_events"]
    assert run not in {each["source_run_id"] for each in events}
    assert len(orchestra.runs("transform", FIRST)) == built
    assert len(orchestra.listener.told) == told


def test_each_recipient_was_sent_the_brief_of_the_day_once(orchestra: Orchestra) -> None:
    for dag in sorted(RECIPIENTS):
        ended = orchestra.ended(dag, FIRST)
        assert ended["run_type"] == "asset_triggered"
        assert orchestra.tasks(dag, ended["dag_run_id"])["send"]["state"] == "success"
    # However often the serving file was written meanwhile.
    assert sorted(orchestra.post.envelopes) == sorted([each] for each in ADDRESSES.values())
    for message in orchestra.post.taken:
        (attachment,) = message.iter_attachments()
        assert attachment.get_content().startswith(b"%PDF-")


def test_transform_was_started_by_the_events_whose_versions_it_read(orchestra: Orchestra) -> None:
    (run, *_) = orchestra.runs("transform", FIRST)
    assert run["run_type"] == "asset_triggered"
    events = orchestra.get(f"dags/transform/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")[
        "asset_events"
    ]
    told = {event["extra"]["table"]: event["extra"] for event in events}
    assert {f"ingest_{event['source']}" for event in told.values()} == SOURCES
    built = orchestra.returned("transform", run["dag_run_id"], "build")
    assert built["read"] == {table: extra["version"] for table, extra in told.items()}
    assert all(built["versions"][table] == version for table, version in built["read"].items())
    sources = orchestra.status(orchestra.home)["sources"]
    for extra in told.values():
        assert extra["sequence"] == sources[extra["source"]]["sequence"]


def test_what_is_held_waits_for_a_named_person_and_silence_rejects(orchestra: Orchestra) -> None:
    columns = {REQUESTS: "requests_opened", DOSSIERS: "dossiers_received", SOCIO: "sample_size"}
    released = {name: latest(orchestra, name) for name in columns}
    with holding(orchestra.city, columns), ThreadPoolExecutor(1) as pool:
        orchestra.ingest(SECOND)
        hasty = pool.submit(refuse_at_once, orchestra, SOCIO, SECOND)
        held = orchestra.until(lambda: waiting(orchestra, REQUESTS, SECOND), f"{REQUESTS} is held")
        path = answer_path(REQUESTS, held["dag_run_id"])
        for other in ("auditor", "engineer", "admin"):
            refused = orchestra.client(other).patch(path, json=APPROVE)
            assert refused.status_code == 403, other
        # A person reads first.
        time.sleep(READING_SECONDS)
        orchestra.client("approver").patch(path, json=APPROVE).raise_for_status()
        assert hasty.result() >= 1
        for name in columns:
            assert orchestra.ended(f"publish_{name}", SECOND)["state"] == "success"
        orchestra.day(SECOND)
        assert orchestra.run_plain(SECOND) == 3
        orchestra.decide_plain("approve", REQUESTS, "approver")
        orchestra.decide_plain("refuse", SOCIO, "approver")
        orchestra.decide_plain("refuse", DOSSIERS)
    assert latest(orchestra, REQUESTS) != released[REQUESTS]
    for name in (DOSSIERS, SOCIO):
        assert latest(orchestra, name) == released[name]
        (refusal,) = orchestra.runs(f"publish_{name}", SECOND)
        tasks = orchestra.tasks(f"publish_{name}", refusal["dag_run_id"])
        assert tasks["approval"]["state"] == "success"
        assert (tasks["approve"]["state"], tasks["refuse"]["state"]) == ("skipped", "success")
    entries = ledger_decisions(orchestra.home)
    decided = (f"approval {REQUESTS}", f"refusal {DOSSIERS}", f"refusal {SOCIO}")
    assert tuple(what for what, _ in entries) == decided
    assert entries[0][1]["approved_by"]["person"] == "approver"
    assert entries[1][1]["refused_by"] == {"person": None, "attestation": "silence"}
    assert entries[2][1]["refused_by"] == {"person": "approver", "attestation": "stated"}
    # As the same decisions are entered without Airflow.
    assert entries == ledger_decisions(orchestra.plain)
    assert orchestra.hashes(orchestra.home) == orchestra.hashes(orchestra.plain)


def test_what_people_read_follows_each_decision(orchestra: Orchestra) -> None:
    told = {
        (f"publish_{REQUESTS}", "approve"),
        (f"publish_{DOSSIERS}", "refuse"),
        (f"publish_{SOCIO}", "refuse"),
    }
    record = orchestra.status(orchestra.home)["record"]
    for dag in ("reports", *sorted(RECIPIENTS)):
        orchestra.until(
            partial(is_told_of, orchestra, dag, SECOND, record), f"{dag} of record {record}"
        )
        assert orchestra.ended(dag, SECOND)["state"] == "success"
    events = started_by(orchestra, "reports", SECOND)
    assert told <= {(each["source_dag_id"], each["source_task_id"]) for each in events}
    assert max(each["extra"]["record"] for each in events) == record


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


def test_at_the_deadline_marts_are_built_with_what_is_there(orchestra: Orchestra) -> None:
    late = {dag.removeprefix("ingest_") for dag in SOURCES}
    for here in ([], sorted(SOURCES - {FEEDBACK})):
        before, built = len(orchestra.listener.told), len(orchestra.runs("transform", FOURTH))
        for dag in here:
            orchestra.start(dag, FOURTH)
        for dag in here:
            assert orchestra.ended(dag, FOURTH)["state"] == "success"
            late.remove(dag.removeprefix("ingest_"))
        run = orchestra.start("deadline", FOURTH)
        assert orchestra.ended("deadline", FOURTH)["state"] == "success"
        orchestra.until(
            lambda built=built: len(orchestra.runs("transform", FOURTH)) > built, "the marts"
        )
        ended = orchestra.ended("transform", FOURTH)
        assert (ended["run_type"], ended["state"]) == ("asset_triggered", "success")
        told = {each["what"]: each for each in orchestra.listener.told[before:]}
        assert set(told) == late
        assert {each["status"] for each in told.values()} == {"missing"}
        assert {(each["day"], each["run"]) for each in told.values()} == {(FOURTH, run)}
        assert all(each in notices(orchestra) for each in told.values())
    assert late == {FEEDBACK.removeprefix("ingest_")}
    # The same day by the command line, of which the fourth source is away.
    orchestra.run_plain(FOURTH, away=URL)
    assert orchestra.hashes(orchestra.home) == orchestra.hashes(orchestra.plain)


def test_backfills_at_once_a_killed_task_and_one_without_memory(orchestra: Orchestra) -> None:
    """All sources of a day by Airflow's own backfill; one of them has everything go wrong."""
    before, built = len(orchestra.listener.told), len(orchestra.runs("transform", FOURTH))
    orchestra.server.open.clear()
    try:
        for dag in SOURCES:
            orchestra.backfill(dag, FOURTH, FOURTH).raise_for_status()
        assert orchestra.backfill(FEEDBACK, FOURTH, FOURTH).status_code == 409
        killed = process_of_attempt(orchestra, FEEDBACK, FOURTH, 1)
        (late,) = orchestra.until(lambda: orchestra.listener.told[before:], "the deadline of a run")
        (run,) = orchestra.runs(FEEDBACK, FOURTH)
        assert (late["what"], late["status"], late["day"]) == ("feedback.open311", "late", FOURTH)
        assert late["run"] == run["dag_run_id"]
        assert late in notices(orchestra)
        killed.kill()
        limited = process_of_attempt(orchestra, FEEDBACK, FOURTH, 2)
        # What is there may stay; nothing more is given.
        limited.rlimit(psutil.RLIMIT_AS, (1, 1))
    finally:
        orchestra.server.open.set()
    orchestra.until(lambda: len(orchestra.runs("transform", FOURTH)) > built, "the whole day")
    orchestra.day(FOURTH)
    assert run["run_type"] == "backfill"
    assert orchestra.tasks(FEEDBACK, run["dag_run_id"])["extract"]["try_number"] == 3
    orchestra.run_plain(FOURTH)
    assert orchestra.hashes(orchestra.home) == orchestra.hashes(orchestra.plain)


def test_a_day_that_is_published_changes_nothing(orchestra: Orchestra) -> None:
    city = orchestra.home / "danang"
    hashes, records = orchestra.hashes(orchestra.home), set((city / "promotions").iterdir())
    releases = set((city / "releases").rglob("*"))
    orchestra.start(FEEDBACK, FOURTH)
    assert orchestra.ended(FEEDBACK, FOURTH)["state"] == "success"
    orchestra.start("transform", FOURTH)
    assert orchestra.ended("transform", FOURTH)["state"] == "success"
    assert set((city / "promotions").iterdir()) == records
    assert set((city / "releases").rglob("*")) == releases
    assert orchestra.hashes(orchestra.home) == hashes


def test_a_log_names_run_source_and_batch_and_tells_of_no_record(orchestra: Orchestra) -> None:
    run = orchestra.runs(FEEDBACK, FOURTH)[-1]["dag_run_id"]
    batches = set()
    for task in ("extract", "load", "account"):
        lines = [each for each in orchestra.log(FEEDBACK, run, task) if "run" in each]
        named = {(each["run"], each["day"], each["source"]) for each in lines}
        assert named == {(run, FOURTH, "feedback.open311")}, task
        (told,) = [each for each in lines if each["logger"] == "dags.logs"]
        batches.add(told["batch"])
    (batch,) = batches
    assert batch.startswith(f"feedback.open311_{FOURTH}_")
    logs = [path.read_text("utf-8") for path in (orchestra.home / "airflow").rglob("*.log")]
    assert len(logs) > 50
    # What a person wrote, and what opens a door, is in no log of a task or a component.
    secrets = [orchestra.listener.address.rpartition("/")[2], *passwords(orchestra)]
    described = {
        each["description"] for each in requests_of(orchestra, FOURTH) if each.get("description")
    }
    assert len(described) > 20
    for text in (*secrets, *described):
        assert not any(text in log for log in logs), text


def test_lineage_tells_of_batches_and_verdicts(orchestra: Orchestra) -> None:
    events = [json.loads(path.read_text("utf-8")) for path in orchestra.lineage.iterdir()]
    assert len(events) > 100
    outputs = {
        (each["name"], name): facet
        for event in events
        if event.get("eventType") == "COMPLETE"
        for each in event["outputs"]
        if each["namespace"] == "citylake://danang"
        for name, facet in each["facets"].items()
        if name.startswith("citylake_") and facet["day"] == FIRST
    }
    run = orchestra.runs("transform", FIRST)[0]["dag_run_id"]
    place = f"dags/transform/dagRuns/{run}/upstreamAssetEvents"
    for event in orchestra.get(place)["asset_events"]:
        told = event["extra"]
        facet = outputs[f"core/{told['table']}/{told['source']}", "citylake_batch"]
        assert facet["deltaVersion"] == told["version"]
        assert facet["streamSequence"] == told["sequence"]
        assert (facet["records"], facet["quarantined"]) == (told["records"], told["quarantined"])
    for name in PUBLICATIONS:
        assert outputs[f"publication/{name}", "citylake_verdict"]["verdict"] == "publish"
    promoted = [
        event
        for event in events
        if event["job"]["name"] == "transform.promote" and event["eventType"] == "COMPLETE"
    ]
    assert any(
        {each["name"].partition("/")[0] for each in event["inputs"]} == {"core"}
        for event in promoted
    )
    assert not any("sourceCode" in event["job"]["facets"] for event in events)


def test_maintenance_cleans_and_checks_and_changes_no_content(orchestra: Orchestra) -> None:
    hashes = orchestra.hashes(orchestra.home)
    run = orchestra.start("maintenance", FOURTH)
    assert orchestra.ended("maintenance", FOURTH)["state"] == "success"
    tasks = orchestra.tasks("maintenance", run)
    assert {name: each["state"] for name, each in tasks.items()} == dict.fromkeys(
        ("compaction", "retention", "ledger"), "success"
    )
    assert orchestra.returned("maintenance", run, "retention")["live"] > 0
    assert orchestra.returned("maintenance", run, "ledger") == {"problems": []}
    assert orchestra.hashes(orchestra.home) == hashes

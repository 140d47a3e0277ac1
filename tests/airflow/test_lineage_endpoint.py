"""OpenLineage's events reach the server that one variable names, by Airflow's own client."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from pipeline.orchestration.configuration import Home, prepare

REPOSITORY = Path(__file__).resolve().parents[2]
BATCH = {"day": "2025-07-02", "sequence": 3, "version": 7, "records": 40, "quarantined": 2}
VERDICT = {
    "day": "2025-07-02",
    "record": 5,
    "verdict": "hold",
    "candidate": "ab12",
    "version": None,
    "reasons": ["never told"],
}
ASSETS = {
    "citylake://danang/core/service_request/feedback.open311": BATCH,
    "citylake://danang/publication/monthly": VERDICT,
}
# As Airflow's listener does when a task has ended: its adapter finds the server by itself.
EMIT = """
import json, sys
from airflow.providers.openlineage import conf
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
from airflow.sdk import Asset
from openlineage.client.event_v2 import Job, OutputDataset, Run, RunEvent, RunState
from dags.lineage import _dataset

outputs = [_dataset(OutputDataset, Asset(uri), extra) for uri, extra in
           json.loads(sys.argv[1]).items()]
print("disabled" if conf.is_disabled() else "enabled")
OpenLineageAdapter().emit(RunEvent(
    eventType=RunState.COMPLETE,
    eventTime="2025-07-03T00:30:00.000Z",
    run=Run(runId="01900000-0000-7000-8000-000000000000"),
    job=Job(namespace=conf.namespace(), name="ingest_feedback.open311.load"),
    outputs=outputs,
))
"""


@contextmanager
def _receiver() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A server of lineage: its address, and path and body of all that it was sent."""
    received: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            received.append((self.path, json.loads(self.rfile.read(length))))
            self.send_response(201)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *ignored: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def test_an_event_with_our_facets_reaches_the_server(airflow_program: Path, tmp_path: Path) -> None:
    with _receiver() as (address, received):
        base = {**os.environ, "CITYLAKE_LINEAGE": address}
        done = subprocess.run(  # noqa: S603 - the project's own environment
            [airflow_program.with_name("python"), "-P", "-c", EMIT, json.dumps(ASSETS)],
            env=prepare(Home(tmp_path / "airflow"), "danang", 8123, base),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "enabled" in done.stdout
    ((path, event),) = received
    assert path == "/api/v1/lineage"
    assert event["eventType"] == "COMPLETE"
    assert event["job"]["namespace"] == "citylake"
    batch, verdict = event["outputs"]
    assert (batch["namespace"], batch["name"]) == (
        "citylake://danang",
        "core/service_request/feedback.open311",
    )
    assert _own(batch["facets"]["citylake_batch"]) == {
        "day": "2025-07-02",
        "deltaVersion": 7,
        "streamSequence": 3,
        "records": 40,
        "quarantined": 2,
    }
    assert (verdict["namespace"], verdict["name"]) == ("citylake://danang", "publication/monthly")
    found = _own(verdict["facets"]["citylake_verdict"])
    assert found.pop("version", None) is None
    assert found == {name: VERDICT[name] for name in ("day", "record", "verdict", "candidate")}
    assert "never told" not in json.dumps(event)


def _own(facet: dict[str, Any]) -> dict[str, Any]:
    """A facet without what every facet has."""
    return {name: value for name, value in facet.items() if not name.startswith("_")}

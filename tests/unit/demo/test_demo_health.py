"""The health system's server, asked by a plain HTTP client that follows the FHIR standard."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo import days
from demo.health.calendar import encounters_on
from demo.health.generator import generate
from demo.health.system import URL_VARIABLE, start
from demo.http_server import RunningServer
from demo.systems import Settings
from demo.window import Window

FIRST = date(2025, 6, 25)
DAY = "2025-07-02"
TOKEN = "demo-token"  # noqa: S105 - of this test's server
WINDOW = Window(11, FIRST, 10, 0.02)
KICK_OFF = {"Accept": "application/fhir+json", "Prefer": "respond-async"}


class Client:
    """GET and DELETE with the bearer token; nothing else."""

    def __init__(self, base: str, token: str = TOKEN) -> None:
        self.base = base
        self.token = token

    def ask(
        self, method: str, address: str, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case and body."""
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        given = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        connection.request(method, target, headers=given)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def export(self, query: str = "?_type=Encounter") -> dict[str, Any]:
        """Kick off, wait as asked, and return the manifest."""
        status, headers, _ = self.ask("GET", f"{self.base}/$export{query}", KICK_OFF)
        assert status == 202
        place = headers["content-location"]
        for _ in range(5):
            status, headers, body = self.ask("GET", place, {"Accept": "application/json"})
            if status == 200:
                return {**json.loads(body), "status_address": place}
            assert status == 202
            time.sleep(float(headers["retry-after"]) / 20)
        raise AssertionError("the export is never ready")

    def resources(self, manifest: dict[str, Any], kind: str = "output") -> list[dict[str, Any]]:
        """Every resource of the files of one list, which are as many as the manifest says."""
        found = []
        for file in manifest[kind]:
            status, headers, body = self.ask("GET", file["url"])
            assert status == 200
            assert headers["content-type"] == "application/fhir+ndjson"
            lines = body.decode().splitlines()
            assert len(lines) == file["count"]
            found += [json.loads(line) for line in lines]
        return found


def _client(running: RunningServer, day: str = DAY, token: str = TOKEN) -> Client:
    return Client(running.variables[URL_VARIABLE].replace("{day}", day), token)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningServer]:
    """A server without faults."""
    server = start(Settings(WINDOW, TOKEN, faults=False, troubled=False))
    yield server
    server.close()


@pytest.fixture(scope="module")
def faulty() -> Iterator[RunningServer]:
    """A server with faults in the records, none on the way."""
    server = start(Settings(WINDOW, TOKEN, fault_rate=20, troubled=False))
    yield server
    server.close()


def test_nine_thousand_a_day_over_the_window() -> None:
    counts = [encounters_on(2025, day, 1.0) for day in days.days_from(days.FIRST_DAY, 120)]
    assert sum(counts) == pytest.approx(1_080_000, rel=0.01)


@pytest.mark.parametrize("scale", [0.05, 0.2])
def test_as_many_are_made_as_the_calendar_says(scale: float) -> None:
    """Each encounter of the calendar is one row, planted faults among them."""
    frame = generate(Window(7, FIRST, 10, scale))
    per_day = dict(frame.group_by("day").len().iter_rows())
    wanted = days.days_from(FIRST, 10)
    assert per_day == {day.toordinal(): encounters_on(7, day, scale) for day in wanted}
    assert sum(per_day.values()) == pytest.approx(90_000 * scale, rel=0.1)


def test_an_export_of_everything(running: RunningServer) -> None:
    client = _client(running)
    manifest = client.export()
    assert manifest["requiresAccessToken"] is True
    assert manifest["transactionTime"] == "2025-07-03T00:00:00+07:00"
    assert len(manifest["output"]) > 2
    assert (manifest["deleted"], manifest["error"]) == ([], [])
    found = client.resources(manifest)
    identifiers = [each["id"] for each in found]
    assert len(identifiers) == len(set(identifiers))
    assert {each["resourceType"] for each in found} == {"Encounter"}
    assert {each["status"] for each in found} == {"finished", "cancelled", "in-progress"}
    for each in found:
        assert ("end" in each["period"]) == (each["status"] == "finished")
        assert each["period"]["start"] <= each["meta"]["lastUpdated"] < "2025-07-03"
    assert client.ask("DELETE", manifest["status_address"])[0] == 202
    assert client.ask("GET", manifest["status_address"])[0] == 404
    assert client.ask("GET", manifest["output"][0]["url"])[0] == 404


def test_an_export_since_an_instant(running: RunningServer) -> None:
    client = _client(running)
    since = "2025-06-30T17:00:00Z"  # midnight of 1 July
    every = client.resources(client.export())
    later = client.resources(client.export(f"?_type=Encounter&_since={since}"))
    expected = [each for each in every if each["meta"]["lastUpdated"] >= "2025-07-01T00:00:00"]
    assert later == expected
    assert 0 < len(later) < len(every)


def test_each_day_shows_what_was_known_then(running: RunningServer) -> None:
    before = {each["id"]: each for each in _all(running, "2025-07-01")}
    after = {each["id"]: each for each in _all(running, DAY)}
    assert before.keys() < after.keys()
    moved = Counter(
        (before[name]["status"], after[name]["status"]) for name in before.keys() & after.keys()
    )
    assert moved["in-progress", "finished"] > 0
    assert all(pair[0] == "in-progress" or pair[0] == pair[1] for pair in moved)
    assert _all(running, DAY) == list(after.values())


def _all(running: RunningServer, day: str) -> list[dict[str, Any]]:
    client = _client(running, day)
    return client.resources(client.export())


def test_areas_are_those_of_the_day(running: RunningServer) -> None:
    old = {_area(each) for each in _all(running, DAY) if each["period"]["start"] < "2025-07-01"}
    new = {_area(each) for each in _all(running, DAY) if each["period"]["start"] >= "2025-07-01"}
    assert "20227" not in new  # Thanh Bình ended with the reform
    assert len(new) <= 15 < len(old)


def _area(resource: dict[str, Any]) -> str:
    return str(resource["location"][0]["location"]["identifier"]["value"])


def test_deletions_are_listed_with_since_alone(faulty: RunningServer) -> None:
    client = _client(faulty, days.days_from(FIRST, WINDOW.count)[-1].isoformat())
    every = client.export()
    assert every["deleted"] == []
    manifest = client.export(f"?_type=Encounter&_since={FIRST.isoformat()}T00:00:00Z")
    bundles = client.resources(manifest, "deleted")
    assert {each["type"] for each in bundles} == {"transaction"}
    requests = [entry["request"] for each in bundles for entry in each["entry"]]
    assert {each["method"] for each in requests} == {"DELETE"}
    gone = {each["url"].split("/")[1] for each in requests}
    for file in every["output"]:
        text = client.ask("GET", file["url"])[2].decode()
        assert not [name for name in gone if name in text]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?_type=Encounter", {"Accept": "application/fhir+json"}, 400),
        ("?_type=Patient", KICK_OFF, 400),
        ("?_type=Encounter&_since=yesterday", KICK_OFF, 400),
        ("?_type=Encounter", KICK_OFF, 202),
    ],
)
def test_what_cannot_be_asked_for(
    running: RunningServer, query: str, headers: dict[str, str], status: int
) -> None:
    client = _client(running)
    found, _, body = client.ask("GET", f"{client.base}/$export{query}", headers)
    assert found == status
    assert status == 202 or json.loads(body)["resourceType"] == "OperationOutcome"


def test_the_token_is_asked_for(running: RunningServer) -> None:
    client = _client(running, token="wrong")  # noqa: S106 - a wrong one
    assert client.ask("GET", f"{client.base}/$export", KICK_OFF)[0] == 401
    far = _client(running, "2031-01-01")
    assert far.ask("GET", f"{far.base}/$export", KICK_OFF)[0] == 404


def test_faults_of_the_way_go_away() -> None:
    server = start(Settings(WINDOW, TOKEN, faults=False))
    try:
        seen = Counter[int]()
        for day in ("2025-07-01", "2025-07-02", "2025-07-03"):
            client = _client(server, day)
            seen.update(_statuses(client))
        # The export that expires is asked for anew, and meets the other two once more.
        assert seen[500] == seen[429] == 4
        assert seen[410] == 1
        assert seen[0] == 2  # cut connections
    finally:
        server.close()


def _statuses(client: Client) -> Iterator[int]:
    """Every status until the first file came whole; a cut body is 0."""
    while True:
        status, headers, _ = client.ask("GET", f"{client.base}/$export?_type=Encounter", KICK_OFF)
        yield status
        if status != 202:
            continue
        body = b""
        while status != 200:
            status, _, body = client.ask("GET", headers["content-location"])
            yield status
        for _ in range(2):
            try:
                status, _, _ = client.ask("GET", json.loads(body)["output"][0]["url"])
            except http.client.IncompleteRead:
                status = 0
            yield status
            if status == 200:
                return


@pytest.mark.parametrize("kind", ["missing_file", "short_file", "outcome_error"])
def test_breakages_of_files(kind: str) -> None:
    settings = Settings(WINDOW, TOKEN, faults=False, troubled=False, breakages=(f"{kind}:{DAY}",))
    server = start(settings)
    try:
        client = _client(server)
        manifest = client.export()
        if kind == "missing_file":
            assert client.ask("GET", manifest["output"][-1]["url"])[0] == 404
        elif kind == "short_file":
            last = manifest["output"][-1]
            assert client.ask("GET", last["url"])[2].count(b"\n") == last["count"] - 1
        else:
            (outcome,) = client.resources(manifest, "error")
            assert outcome["issue"][0]["severity"] == "error"
        assert len(_all(server, "2025-07-01")) > 0
    finally:
        server.close()


@pytest.mark.parametrize(("kind", "status"), [("always_expired", 410), ("failed_export", 500)])
def test_breakages_of_exports(kind: str, status: int) -> None:
    settings = Settings(WINDOW, TOKEN, faults=False, troubled=False, breakages=(f"{kind}:{DAY}",))
    server = start(settings)
    try:
        client = _client(server)
        _, headers, _ = client.ask("GET", f"{client.base}/$export?_type=Encounter", KICK_OFF)
        assert client.ask("GET", headers["content-location"])[0] == status
    finally:
        server.close()


def test_an_unknown_breakage_is_refused() -> None:
    for text in ("html:2025-07-02", "missing_file", "missing_file:soon"):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever its words
            start(Settings(WINDOW, TOKEN, breakages=(text,)))

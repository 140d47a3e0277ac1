"""The protocol `fhir_bulk` against a server written from the standard, fault by fault."""

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from extract.errors import SourceError, TerminalError, TransientError
from extract.raw import RawStore
from extract.window import Window
from tests.unit.extract.bulk_server import TOKEN, BulkServer, Reply, bulk_server
from warehouse.contract.model import RawColumn
from warehouse.contract.problem import ContractError
from warehouse.contract.read_source import read_source

CONTRACT = Path(__file__).resolve().parents[3] / "cities/danang/sources/health/encounters.yaml"

COLUMNS = [
    *(RawColumn(name, required=False) for name in ("resourceType", "id", "meta.lastUpdated")),
    RawColumn("request.method", required=False),
    RawColumn("type.0.coding.0.code", required=False),
]


def lines(first: int, count: int) -> bytes:
    records = [
        {
            "resourceType": "Encounter",
            "id": f"e{number}",
            "type": [{"coding": [{"code": f"c{number}"}]}],
        }
        for number in range(first, first + count)
    ]
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


FILES = {"Encounter.1.ndjson": lines(0, 3), "Encounter.2.ndjson": lines(3, 2)}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing", "diagnostics": "Nguyễn Văn An"}],
}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No test waits; what would have been waited is here."""
    waited: list[float] = []
    from extract.transport import http

    usual = http.HttpTransport.__init__

    def quiet(self: Any, *arguments: Any, **named: Any) -> None:
        usual(self, *arguments, **named)
        self.sleep = waited.append

    monkeypatch.setattr(http.HttpTransport, "__init__", quiet)
    return waited


def stream(open_source: Any, server: BulkServer, **rest: Any) -> Any:
    protocol = {"kind": "fhir_bulk", "types": ["Encounter"], **rest.pop("options", {})}
    transport = {
        "kind": "http",
        "url": server.url,
        "token_env": "BULK_TOKEN",
        "attempts": 3,
        "backoff_seconds": 0.01,
    }
    return open_source(
        COLUMNS,
        transport=transport,
        format={"kind": "fhir"},
        protocol=protocol,
        environ={"BULK_TOKEN": TOKEN},
        **rest,
    )


def refused(open_source: Any, server: BulkServer, **rest: Any) -> SourceError:
    opened = stream(open_source, server, **rest)
    with pytest.raises(SourceError) as caught:
        opened.read()
    assert TOKEN not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    return caught.value


def test_an_export_is_read_file_by_file(open_source: Any) -> None:
    with bulk_server(files=FILES, polls=3) as server:
        opened = stream(open_source, server).read()
    assert opened.column("id") == [f"e{number}" for number in range(5)]
    assert opened.column("type.0.coding.0.code") == [f"c{number}" for number in range(5)]
    assert opened.reader.summary.names == list(FILES)
    assert opened.reader.summary.digests == [
        hashlib.sha256(content).hexdigest() for content in FILES.values()
    ]
    methods = [(method, what) for method, what, *_ in server.seen]
    assert methods[0] == ("GET", "kick-off")
    assert methods[1:5] == [("GET", "status")] * 4
    assert methods[-1] == ("DELETE", "status")


def test_what_is_asked(open_source: Any, waits: list[float]) -> None:
    with bulk_server(files=FILES, polls=2) as server:
        stream(open_source, server, overlap_seconds=3600).read()
    _, _, headers, parameters = server.seen[0]
    assert headers["prefer"] == "respond-async"
    assert headers["accept"] == "application/fhir+json"
    assert parameters == {"_type": "Encounter", "_since": "2025-06-30T16:00:00Z"}
    assert {each[2].get("authorization") for each in server.seen} == {f"Bearer {TOKEN}"}
    assert waits == [1.0, 1.0]


def test_the_first_export_has_no_since(open_source: Any) -> None:
    window = Window(date(2025, 7, 1), None, datetime(2025, 7, 1, 17, tzinfo=UTC))
    with bulk_server(files=FILES) as server:
        stream(open_source, server, window=window).read()
    assert server.seen[0][3] == {"_type": "Encounter"}


def test_files_that_need_no_token_get_none(open_source: Any) -> None:
    with bulk_server(files=FILES, needs_token=False) as server:
        stream(open_source, server).read()
    of_files = [each[2] for each in server.seen if each[1] in FILES]
    assert len(of_files) == 2
    assert all("authorization" not in headers for headers in of_files)


def test_no_other_server_is_shown_the_token(open_source: Any) -> None:
    with bulk_server() as other, bulk_server() as server:
        listed = [{"type": "Encounter", "url": f"{other.url}/files/Encounter.9.ndjson"}]
        server.manifest = json.dumps({"requiresAccessToken": True, "output": listed}).encode()
        error = refused(open_source, server)
        assert (error.rule, error.file) == ("token", "Encounter.9.ndjson")
        place = {"Content-Location": f"{other.url}/jobs/1"}
        server.scripts["kick-off"] = lambda _: Reply(202, headers=place)
        assert refused(open_source, server).rule == "token"
    assert other.seen == []


def test_types_that_were_not_asked_for_are_not_fetched(open_source: Any) -> None:
    files = {**FILES, "Patient.1.ndjson": b'{"resourceType":"Patient"}\n'}
    with bulk_server(files=files) as server:
        opened = stream(open_source, server).read()
    assert server.asked("Patient.1.ndjson") == 0
    assert len(opened.rows()) == 5


def test_deletions_are_records(open_source: Any) -> None:
    bundle = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": "2025-06-30T10:00:00Z"},
        "type": "transaction",
        "entry": [
            {"request": {"method": "DELETE", "url": "Encounter/e7"}},
            {"request": {"method": "DELETE", "url": "Encounter/e8"}},
        ],
    }
    name = "Bundle.1.ndjson"
    files = {**FILES, name: json.dumps(bundle).encode() + b"\n"}
    with bulk_server(files=files, deleted=(name,)) as server:
        opened = stream(open_source, server).read()
    deleted = [row for row in opened.rows() if row["request.method"] == "DELETE"]
    assert [(row["id"], row["meta.lastUpdated"], row["_raw_row"]) for row in deleted] == [
        ("e7", "2025-06-30T10:00:00Z", 0),
        ("e8", "2025-06-30T10:00:00Z", 1),
    ]
    assert {row["resourceType"] for row in deleted} == {"Encounter"}


def test_an_empty_export(open_source: Any) -> None:
    with bulk_server() as server:
        assert stream(open_source, server).read().rows() == []


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_resources_than_announced(open_source: Any, count: int) -> None:
    with bulk_server(files=FILES, counts={"Encounter.1.ndjson": count}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TerminalError)
    assert (error.rule, error.file) == ("count", "Encounter.1.ndjson")
    assert "holds 3 resources" in str(error)
    assert f"says {count}" in str(error)


def test_a_line_that_is_no_resource_counts_and_is_set_aside(open_source: Any) -> None:
    files = {"Encounter.1.ndjson": lines(0, 1) + b'{"id": "cut\n' + lines(1, 1)}
    with bulk_server(files=files) as server:
        opened = stream(open_source, server).read()
    assert opened.rejected() == [(1, '{"id": "cut', "row:json")]
    assert opened.column("id") == ["e0", "e1"]


def test_a_listed_file_that_is_missing(open_source: Any) -> None:
    with bulk_server(files=FILES, counts={"Encounter.3.ndjson": 4}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TransientError)
    assert (error.rule, error.file) == ("expired", "Encounter.3.ndjson")
    assert server.asked("kick-off") == 2


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("what", ["status", "Encounter.2.ndjson"])
def test_an_export_that_expires_is_asked_for_again(
    open_source: Any, what: str, status: int
) -> None:
    once = {what: lambda before: Reply(status) if before == 0 else None}
    with bulk_server(files=FILES, scripts=once) as server:
        opened = stream(open_source, server).read()
    assert opened.column("id") == [f"e{number}" for number in range(5)]
    assert server.asked("kick-off") == 2


def test_an_export_that_expires_twice(open_source: Any) -> None:
    with bulk_server(files=FILES, scripts={"status": lambda _: Reply(410)}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TransientError)
    assert error.rule == "expired"
    assert server.asked("kick-off") == 2


@pytest.mark.parametrize("what", ["kick-off", "status"])
def test_an_outcome_says_why(open_source: Any, what: str) -> None:
    body = json.dumps(OUTCOME).encode()
    with bulk_server(files=FILES, scripts={what: lambda _: Reply(400, body)}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TerminalError)
    assert error.rule == "outcome"
    assert "OperationOutcome error/processing" in str(error)
    assert "Nguyễn" not in str(error)


def test_an_outcome_of_a_failing_server(open_source: Any) -> None:
    body = json.dumps(OUTCOME).encode()
    with bulk_server(files=FILES, scripts={"status": lambda _: Reply(500, body)}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TransientError)
    assert "500 (OperationOutcome error/processing) (attempt 3 of 3)" in str(error)


@pytest.mark.parametrize(
    ("severity", "rule"), [("error", "outcome"), ("fatal", "outcome"), ("warning", None)]
)
def test_errors_that_the_manifest_lists(open_source: Any, severity: str, rule: str | None) -> None:
    issue = {"severity": severity, "code": "exception"}
    outcome = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode() + b"\n"
    name = "OperationOutcome.1.ndjson"
    with bulk_server(files={**FILES, name: outcome * 2}, error=(name,)) as server:
        if rule is None:
            assert len(stream(open_source, server).read().rows()) == 5
            return
        error = refused(open_source, server)
    assert (error.rule, error.file) == (rule, name)
    assert f"2 {severity}/exception" in str(error)
    assert [each[:2] for each in server.seen][-1] == ("DELETE", "status")


def test_waiting_is_bounded(open_source: Any, waits: list[float]) -> None:
    with bulk_server(files=FILES, polls=1000) as server:
        server.scripts["status"] = lambda _: Reply(202, headers={"Retry-After": "10"})
        error = refused(open_source, server, options={"poll_max_seconds": 25})
    assert isinstance(error, TransientError)
    assert error.rule == "export_time"
    assert waits == [10.0, 10.0]


def test_a_server_that_asks_for_a_pause_gets_it(open_source: Any, waits: list[float]) -> None:
    def script(before: int) -> Reply | None:
        return Reply(429, headers={"Retry-After": "7"}) if before < 2 else None

    with bulk_server(files=FILES, polls=0, scripts={"status": script}) as server:
        assert len(stream(open_source, server).read().rows()) == 5
    assert waits == [7.0, 7.0]


@pytest.mark.parametrize("what", ["kick-off", "status", "Encounter.2.ndjson"])
@pytest.mark.parametrize("fault", [Reply(500), Reply(200, b"x" * 64, cut=True)], ids=["500", "cut"])
def test_faults_that_go_away(open_source: Any, what: str, fault: Reply) -> None:
    twice = {what: lambda before: fault if before < 2 else None}
    with bulk_server(files=FILES, polls=0, scripts=twice) as server:
        opened = stream(open_source, server).read()
    assert opened.column("id") == [f"e{number}" for number in range(5)]


def test_a_file_that_is_a_web_page(open_source: Any) -> None:
    page = Reply(200, b"<!doctype html><title>Nguy\xe1\xbb\x85n V\xc4\x83n A</title>")
    with bulk_server(files=FILES, scripts={"Encounter.2.ndjson": lambda _: page}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TerminalError)
    assert (error.rule, error.file) == ("html", "Encounter.2.ndjson")
    assert "Nguy" not in str(error)


def test_a_server_that_is_gone_for_good(open_source: Any) -> None:
    with bulk_server(files=FILES) as server:
        pass
    error = refused(open_source, server)
    assert isinstance(error, TransientError)
    assert error.rule == "connection"


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"not json",
        b'{"requiresAccessToken": "yes", "output": []}',
        b'{"requiresAccessToken": true}',
        b'{"requiresAccessToken": true, "output": [{"type": "Encounter"}]}',
        b'{"requiresAccessToken":true,"output":[{"type":"Encounter","url":"a","count":-1}]}',
    ],
)
def test_what_is_no_manifest(open_source: Any, body: bytes) -> None:
    with bulk_server(files=FILES, manifest=body) as server:
        error = refused(open_source, server)
    assert isinstance(error, TerminalError)
    assert error.rule == "manifest"


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (Reply(200), "status"),
        (Reply(202), "status"),
        (Reply(401), "token"),
        (Reply(403), "token"),
        (Reply(404), "status"),
    ],
)
def test_a_kick_off_that_is_refused(open_source: Any, reply: Reply, rule: str) -> None:
    with bulk_server(scripts={"kick-off": lambda _: reply}) as server:
        error = refused(open_source, server)
    assert isinstance(error, TerminalError)
    assert error.rule == rule


def test_files_are_stored_before_any_is_read(open_source: Any, store: RawStore) -> None:
    with bulk_server(files=FILES) as server:
        opened = stream(open_source, server)
        next(iter(opened.reader))
        stored = {digest for digest, _ in store.stored()}
    assert stored == {hashlib.sha256(content).hexdigest() for content in FILES.values()}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("value: {kind: fhir}", "value: {kind: ndjson}", "fhir_bulk needs transport http and"),
        ("types: [Encounter]", "types: []", "types"),
        (", types: [Encounter]", "", "types"),
        ("types: [Encounter]", "types: [Encounter], until: 5", "until"),
    ],
    ids=["format", "no types", "types left out", "unknown option"],
)
def test_a_contract_that_contradicts_itself(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "encounters.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        read_source(path, "health.encounters")
    assert any(told in str(each) for each in caught.value.problems)

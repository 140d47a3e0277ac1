import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from extract.errors import TerminalError, TransientError
from extract.window import Window
from tests.unit.extract.server import Answer, Asked, serve
from warehouse.contract.model import RawColumn

COLUMNS = ["service_request_id", RawColumn("lat", "number")]
SIZE = 10


def record(number: int) -> dict[str, Any]:
    return {"service_request_id": f"DN-{number}", "lat": 16 + number / 64}


def pages_of(count: int) -> Callable[[Asked, int], Answer]:
    def script(asked: Asked, before: int) -> Answer:
        page = int(asked.parameters["page"])
        numbers = range((page - 1) * SIZE, min(page * SIZE, count))
        return Answer(json.dumps([record(number) for number in numbers]).encode())

    return script


def stream(open_source: Any, url: str, **rest: Any) -> Any:
    options = {"kind": "open311", "page_size": SIZE, **rest.pop("options", {})}
    transport = {"kind": "http", "url": url, "attempts": 2, "backoff_seconds": 0.001}
    return open_source(
        COLUMNS, transport=transport, format={"kind": "json"}, protocol=options, **rest
    )


@pytest.mark.parametrize("in_flight", [1, 2, 4])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30, 57])
def test_all_pages_in_order(open_source: Any, count: int, in_flight: int) -> None:
    with serve(pages_of(count)) as server:
        opened = stream(open_source, server.url, options={"in_flight": in_flight}).read()
    assert opened.column("service_request_id") == [f"DN-{number}" for number in range(count)]
    assert [batch.raw_name for batch in opened.batches] == [
        f"requests.json page {page}" for page in range(1, -(-count // SIZE) + 1)
    ]
    assert opened.reader.summary.objects == count // SIZE + 1
    asked = sorted({int(each.parameters["page"]) for each in server.asked})
    assert max(asked) <= count // SIZE + in_flight


def test_what_is_asked(open_source: Any) -> None:
    with serve(pages_of(3)) as server:
        stream(open_source, server.url, overlap_seconds=3600, options={"in_flight": 1}).read()
    assert [each.parameters for each in server.asked] == [
        {
            "page": "1",
            "page_size": "10",
            "extensions": "true",
            "updated_after": "2025-06-30T16:00:00Z",
            "updated_before": "2025-07-01T17:00:00Z",
        }
    ]


def test_the_first_request_has_no_start_and_names_are_options(open_source: Any) -> None:
    window = Window(date(2025, 7, 1), None, datetime(2025, 7, 1, 17, tzinfo=UTC))
    options = {
        "page_size_parameter": "limit",
        "updated_before_parameter": "before",
        "extensions": False,
        "path": "v3/all.json",
        "in_flight": 1,
    }
    with serve(pages_of(3)) as server:
        stream(open_source, server.url, window=window, options=options).read()
    assert server.asked[0].path == "/open311/v2/v3/all.json"
    assert server.asked[0].parameters == {
        "page": "1",
        "limit": "10",
        "before": "2025-07-01T17:00:00Z",
    }


def test_a_looping_page(open_source: Any) -> None:
    def script(asked: Asked, before: int) -> Answer:
        asked.parameters["page"] = str(min(int(asked.parameters["page"]), 3))
        return pages_of(100)(asked, before)

    with serve(script) as server, pytest.raises(TerminalError) as caught:
        stream(open_source, server.url, options={"max_pages": 20}).read()
    assert str(caught.value) == (
        "source feedback.test, file requests.json, page 4: the page repeats page 3 [paging_loop]"
    )


def test_more_pages_than_declared(open_source: Any) -> None:
    with (
        serve(pages_of(10_000)) as server,
        pytest.raises(TerminalError, match=r"more than 5 pages \[paging_loop\]"),
    ):
        stream(open_source, server.url, options={"max_pages": 5}).read()
    assert len(server.asked) <= 7


def test_faults_on_the_way_do_not_show(open_source: Any) -> None:
    def script(asked: Asked, before: int) -> Answer:
        good = pages_of(45)(asked, before)
        bad = {
            "2": Answer(status=500),
            "3": Answer(good.body[:20], announced=len(good.body)),
            "4": Answer(status=429, headers={"Retry-After": "0"}),
        }
        return bad.get(asked.parameters["page"], good) if before == 0 else good

    with serve(script) as server:
        opened = stream(open_source, server.url).read()
    assert opened.column("service_request_id") == [f"DN-{number}" for number in range(45)]
    assert len(server.asked) >= 8


@pytest.mark.parametrize(
    ("bad", "kind", "message"),
    [
        (
            Answer(b'[{"service_request_id": "1"},\n {"service_request_id": }]'),
            TerminalError,
            "file requests.json page 7: invalid JSON at line 2 column 25",
        ),
        (Answer(status=500), TransientError, "page 7: the server answered 500"),
        (Answer(b"<html>", headers={"Content-Type": "text/html"}), TerminalError, "page 7: .*HTML"),
        (
            Answer(b'{"error": "quota"}'),
            TerminalError,
            "page 7: no array of records at the top level",
        ),
    ],
    ids=["invalid json", "500", "html", "other json"],
)
def test_page_seven(open_source: Any, bad: Answer, kind: Any, message: str) -> None:
    def script(asked: Asked, before: int) -> Answer:
        return bad if asked.parameters["page"] == "7" else pages_of(100)(asked, before)

    with serve(script) as server:
        opened = stream(open_source, server.url)
        with pytest.raises(kind) as caught:
            opened.read()
    assert re.search(message, str(caught.value))
    assert len(opened.rows()) == 60


def test_an_error_beyond_the_last_page_is_nobodys(open_source: Any) -> None:
    def script(asked: Asked, before: int) -> Answer:
        return Answer(status=404) if asked.parameters["page"] == "3" else pages_of(15)(asked, 0)

    with serve(script) as server:
        assert len(stream(open_source, server.url).read().rows()) == 15


def test_pages_are_stored_before_they_are_read(open_source: Any, store: Any) -> None:
    with (
        serve(lambda *_: Answer(b"[{]")) as server,
        pytest.raises(TerminalError, match="invalid JSON"),
    ):
        stream(open_source, server.url, options={"in_flight": 1}).read()
    assert store.open(hashlib.sha256(b"[{]").hexdigest()).read() == b"[{]"


def test_a_file_takes_no_requests(open_bytes: Any) -> None:
    opened = open_bytes(b"[]", {"kind": "json"}, ["a"], protocol={"kind": "open311"})
    with pytest.raises(TerminalError, match=r"takes no requests \[contract\]"):
        opened.read()

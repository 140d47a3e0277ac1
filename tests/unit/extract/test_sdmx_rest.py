"""The SDMX REST protocol: what it asks, and what it makes of every answer."""

from dataclasses import replace
from typing import Any

import pytest

from extract.errors import GoneError, SourceError, TerminalError, TransientError
from tests.unit.extract.conftest import WINDOW
from tests.unit.extract.sdmx_messages import structure
from tests.unit.extract.server import Answer, Asked, Script, serve

DATA = (
    b"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE\n"
    b"dataflow,X:LFS(1.0),I,M,490,2025-01,12.5\n"
)
COLUMNS = ["FREQ", "REF_AREA", "TIME_PERIOD", "OBS_VALUE"]
STRUCTURE = structure(attributes=())


def _script(data: Answer, described: Answer | None = None) -> Script:
    def script(asked: Asked, before: int) -> Answer:
        if "datastructure" in asked.path:
            return described or Answer(STRUCTURE)
        return data

    return script


def _stream(open_source: Any, url: str, kind: str = "sdmx-csv", **rest: Any) -> Any:
    options = {"kind": "sdmx", "agency": "X", "flow": "LFS", **rest.pop("options", {})}
    transport = {"kind": "http", "url": url, "attempts": 2, "backoff_seconds": 0.001}
    form = {"kind": kind, "dimensions": ["FREQ", "REF_AREA"]}
    return open_source(COLUMNS, transport=transport, format=form, protocol=options, **rest)


def test_the_structure_comes_before_the_data(open_source: Any) -> None:
    with serve(_script(Answer(DATA))) as server:
        opened = _stream(open_source, server.url).read()
    assert [each.path.removeprefix("/open311/v2/") for each in server.asked] == [
        "structure/datastructure/X/LFS/~",
        "data/dataflow/X/LFS/~/*",
    ]
    assert [each.parameters for each in server.asked] == [{"references": "children"}, {}]
    assert [each.headers["accept"] for each in server.asked] == [
        "application/vnd.sdmx.structure+xml;version=3.0.0",
        "application/vnd.sdmx.data+csv;version=2.0.0",
    ]
    assert opened.reader.summary.names == ["LFS structure", "LFS data"]
    assert opened.column("OBS_VALUE") == ["12.5"]


def test_the_words_of_version_2_1(open_source: Any) -> None:
    options = {"version": "2.1", "key": "M.490", "datastructure": "DSD", "flow_version": "1.0"}
    first = DATA.replace(b"STRUCTURE,STRUCTURE_ID,ACTION", b"DATAFLOW").replace(
        b"dataflow,X:LFS(1.0),I", b"X:LFS(1.0)"
    )
    with serve(_script(Answer(first))) as server:
        _stream(open_source, server.url, options=options).read()
    assert [each.path.removeprefix("/open311/v2/") for each in server.asked] == [
        "datastructure/X/DSD/latest",
        "data/X,LFS,1.0/M.490",
    ]
    assert server.asked[1].headers["accept"] == "application/vnd.sdmx.data+csv;version=1.0.0"


def test_what_was_updated_is_asked_with_an_overlap(open_source: Any) -> None:
    window = {"cursor": "window", "overlap_seconds": 3600, "options": {"updated_after": True}}
    with serve(_script(Answer(DATA))) as server:
        _stream(open_source, server.url, **window).read()
        everything = replace(WINDOW, since=None)
        _stream(open_source, server.url, window=everything, **window).read()
    assert server.asked[1].parameters == {"updatedAfter": "2025-06-30T16:00:00Z"}
    assert server.asked[3].parameters == {}


def test_nothing_updated_is_no_error(open_source: Any) -> None:
    window = {"cursor": "window", "options": {"updated_after": True}}
    with serve(_script(Answer(b"no results", 404))) as server:
        opened = _stream(open_source, server.url, **window).read()
    assert opened.rows() == []
    assert opened.reader.summary.objects == 1


def test_a_snapshot_without_data_is_an_error(open_source: Any) -> None:
    with (
        serve(_script(Answer(b"no results", 404))) as server,
        pytest.raises(TerminalError, match=r"file LFS data: the server answered 404 \[status\]"),
    ):
        _stream(open_source, server.url).read()


BROKEN = {
    "no-structure": (None, Answer(b"", 404), GoneError, "status", "LFS structure"),
    "structure-is-html": (None, Answer(b"<!doctype html>"), TerminalError, "html", "LFS structure"),
    "structure-is-data": (None, Answer(DATA), TerminalError, "dsd", "LFS structure"),
    "structure-is-json": (None, Answer(b'{"a": 1}'), TerminalError, "sdmx_csv", "LFS structure"),
    "structure-is-cut": (None, Answer(STRUCTURE[:-30]), TerminalError, "xml", "LFS structure"),
    "structure-changed": (
        None,
        Answer(structure(("FREQ", "REF_AREA", "SEX"), ())),
        TerminalError,
        "dsd_changed",
        "LFS structure",
    ),
    "token": (Answer(b"", 401), None, TerminalError, "token", "LFS data"),
    "not-acceptable": (Answer(b"", 406), None, TerminalError, "status", "LFS data"),
    "server-error": (Answer(b"", 500), None, TransientError, "status", "LFS data"),
    "cut-body": (Answer(DATA, announced=999), None, TransientError, "cut_connection", "LFS data"),
    "data-is-html": (Answer(b"<html>"), None, TerminalError, "html", "LFS data"),
    "data-is-xml": (Answer(b"<Error/>"), None, TerminalError, "sdmx_csv", "LFS data"),
    "empty-data": (Answer(b""), None, TerminalError, "empty", "LFS data"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bad_answers_are_one_clear_error(open_source: Any, name: str) -> None:
    data, described, kind, rule, file = BROKEN[name]
    with (
        serve(_script(data or Answer(DATA), described)) as server,
        pytest.raises(SourceError) as caught,
    ):
        _stream(open_source, server.url).read()
    assert type(caught.value) is kind
    assert (caught.value.rule, caught.value.file) == (rule, file)


def test_a_failing_server_is_asked_again(open_source: Any) -> None:
    def script(asked: Asked, before: int) -> Answer:
        if "datastructure" in asked.path:
            return Answer(STRUCTURE)
        return Answer(b"", 503) if before == 0 else Answer(DATA)

    with serve(script) as server:
        opened = _stream(open_source, server.url).read()
    assert len(opened.rows()) == 1
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("options", "rest"),
    [
        ({"updated_after": True}, {}),
        ({}, {"cursor": "window"}),
        ({"version": "1.0"}, {}),
        ({}, {"kind": "csv"}),
    ],
    ids=["no-window", "no-cursor", "version", "format"],
)
def test_what_does_not_go_together_is_refused(
    open_source: Any, options: dict[str, Any], rest: dict[str, Any]
) -> None:
    with pytest.raises(TerminalError, match=r"\[contract\]"):
        _stream(open_source, "http://127.0.0.1:1", options=options, **rest)

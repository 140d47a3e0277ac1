import gzip
import io
import socket
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from extract.errors import Place, SourceError, TerminalError, TransientError
from extract.raw import RawObject, RawStore
from extract.transport.base import Request
from extract.transport.http import HttpOptions, HttpTransport
from tests.unit.extract.server import Answer, Script, serve

BODY = b'[{"id": "1"}]'
SECRET = "s3cret-t0ken"  # noqa: S105 - must never show in an error


class Fetch:
    """Asks for one page and remembers how long it would have waited."""

    def __init__(self, store: RawStore) -> None:
        self.store = store
        self.waits: list[float] = []

    def __call__(self, url: str, environ: dict[str, str] | None = None, **options: Any) -> bytes:
        raw = self.raw(url, environ, **options)[0]
        assert raw.content is not None
        assert self.store.open(raw.digest).read() == raw.content
        return raw.content

    def raw(
        self, url: str, environ: dict[str, str] | None = None, **options: Any
    ) -> list[RawObject]:
        settings = HttpOptions(url=url, **options)
        place = Place("feedback.test")
        transport = HttpTransport(settings, environ or {}, place, self.waits.append)

        def sink(content: Any, name: str, page: int | None = None) -> RawObject:
            return self.store.put(content, name, page=page, keep_bytes=1 << 20)

        try:
            return list(transport.deliver(Request("requests.json", {"page": "7"}, 7), sink))
        finally:
            transport.close()


@pytest.fixture
def fetch(store: RawStore) -> Fetch:
    return Fetch(store)


def first_then(bad: Answer, times: int) -> Script:
    return lambda asked, before: bad if before < times else Answer(BODY)


def test_a_page_is_asked_for_once(fetch: Fetch) -> None:
    with serve(first_then(Answer(), 0)) as server:
        assert fetch(server.url, headers={"x-client": "citylake"}, parameters={"a": 1}) == BODY
    assert len(server.asked) == 1
    assert server.asked[0].path == "/open311/v2/requests.json"
    assert server.asked[0].parameters == {"page": "7", "a": "1"}
    assert server.asked[0].headers["x-client"] == "citylake"


@pytest.mark.parametrize(
    ("bad", "waits"),
    [
        (Answer(status=500), [0.5, 1.0]),
        (Answer(status=503, headers={"Retry-After": "7"}), [7.0, 7.0]),
        (Answer(status=429, headers={"Retry-After": "3"}), [3.0, 3.0]),
        (Answer(status=429), [0.5, 1.0]),
        (Answer(BODY[:5], announced=len(BODY)), [0.5, 1.0]),
    ],
    ids=["500", "503 with Retry-After", "429 with Retry-After", "429", "cut body"],
)
def test_transient_answers_are_asked_again(fetch: Fetch, bad: Answer, waits: list[float]) -> None:
    with serve(first_then(bad, 2)) as server:
        assert fetch(server.url) == BODY
    assert fetch.waits == waits
    assert len(server.asked) == 3


def test_a_date_to_retry_at_is_measured_by_the_servers_clock(fetch: Fetch) -> None:
    until = "Fri, 31 Dec 2100 23:59:59 GMT"

    def script(asked: Any, before: int) -> Answer:
        return Answer(status=429, headers={"Retry-After": until}) if before == 0 else Answer(BODY)

    with serve(script) as server, pytest.raises(TransientError, match=r"429 \(attempt 1 of 5\)"):
        fetch(server.url)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (Answer(status=500), "status"),
        (Answer(BODY[:5], announced=len(BODY)), "cut_connection"),
    ],
    ids=["500", "cut body"],
)
def test_attempts_are_bounded_and_nothing_is_stored(
    fetch: Fetch, bad: Answer, rule: str, paths: Any
) -> None:
    with serve(first_then(bad, 99)) as server, pytest.raises(TransientError) as caught:
        fetch(server.url, attempts=4, backoff_seconds=2, backoff_max_seconds=5)
    assert caught.value.rule == rule
    assert caught.value.page == 7
    assert "attempt 4 of 4" in str(caught.value)
    assert fetch.waits == [2, 4, 5]
    assert len(server.asked) == 4
    assert [path for path in paths.raw.rglob("*") if path.is_file()] == []
    assert list((paths.work / "raw").iterdir()) == []


def test_a_long_retry_after_gives_up(fetch: Fetch) -> None:
    bad = Answer(status=429, headers={"Retry-After": "86400"})
    with serve(first_then(bad, 9)) as server, pytest.raises(TransientError):
        fetch(server.url)
    assert (fetch.waits, len(server.asked)) == ([], 1)


def test_no_answer_in_time(fetch: Fetch) -> None:
    with (
        serve(lambda asked, before: Answer(hang=True)) as server,
        pytest.raises(TransientError, match=r"ReadTimeout.*\[timeout\]"),
    ):
        fetch(server.url, attempts=2, read_timeout_seconds=0.1)


def test_nobody_listens(fetch: Fetch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(TransientError, match=r"ConnectError.*\[connection\]"):
        fetch(f"http://127.0.0.1:{port}", attempts=2)


HTML = b"<!DOCTYPE html><html><body>Sorry, moved</body></html>"


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (Answer(status=401), "token"),
        (Answer(status=403), "token"),
        (Answer(status=404), "status"),
        (Answer(status=400), "status"),
        (Answer(HTML, headers={"Content-Type": "text/html; charset=utf-8"}), "html"),
        (Answer(HTML, headers={"Content-Type": "application/json"}), "html"),
        (Answer(b"\xef\xbb\xbf\n <HTML>x"), "html"),
        (Answer(BODY, headers={"Content-Encoding": "br"}), "coding"),
    ],
    ids=["401", "403", "404", "400", "html", "html as json", "html with mark", "coding"],
)
def test_terminal_answers_are_not_asked_again(fetch: Fetch, bad: Answer, rule: str) -> None:
    environ = {"TOKEN": SECRET}
    with serve(first_then(bad, 99)) as server, pytest.raises(TerminalError) as caught:
        fetch(server.url, environ, token_env="TOKEN")  # noqa: S106 - a variable's name
    assert caught.value.rule == rule
    assert len(server.asked) == 1
    assert str(caught.value).startswith("source feedback.test, file requests.json, page 7: ")
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "header", "value"),
    [
        ({}, "authorization", f"Bearer {SECRET}"),
        ({"token_header": "X-Key", "token_scheme": ""}, "x-key", SECRET),
    ],
    ids=["bearer", "bare"],
)
def test_the_token_is_sent(fetch: Fetch, options: dict[str, str], header: str, value: str) -> None:
    with serve(first_then(Answer(), 0)) as server:
        fetch(server.url, {"TOKEN": SECRET}, token_env="TOKEN", **options)  # noqa: S106 - a name
    assert server.asked[0].headers[header] == value


@pytest.mark.parametrize("environ", [{}, {"TOKEN": " "}, {"TOKEN": "\u0110"}])
def test_without_a_token_nothing_is_asked(fetch: Fetch, environ: dict[str, str]) -> None:
    with (
        serve(first_then(Answer(), 0)) as server,
        pytest.raises(TerminalError, match=r"TOKEN.*\[token\]"),
    ):
        fetch(server.url, environ, token_env="TOKEN")  # noqa: S106 - a variable's name
    assert server.asked == []


def redirecting(target: Callable[[], str]) -> Script:
    return lambda asked, before: Answer(status=302, headers={"Location": target()})


def test_a_redirect_is_followed_only_without_a_token(fetch: Fetch) -> None:
    with serve(first_then(Answer(), 0)) as other, serve(redirecting(lambda: other.url)) as server:
        assert fetch(server.url) == BODY
        asked = len(other.asked)
        with pytest.raises(TerminalError, match="302"):
            fetch(server.url, {"TOKEN": SECRET}, token_env="TOKEN")  # noqa: S106 - a name
        assert len(other.asked) == asked


def test_the_environment_may_name_the_address(fetch: Fetch) -> None:
    with serve(first_then(Answer(), 0)) as server:
        environ = {"FEEDBACK_URL": server.url, "HTTP_PROXY": "http://127.0.0.1:1"}
        assert fetch("http://nowhere.invalid", environ, url_env="FEEDBACK_URL") == BODY


def test_a_gzip_body_stays_as_it_came(fetch: Fetch) -> None:
    zipped = gzip.compress(BODY)
    with serve(lambda *_: Answer(zipped, headers={"Content-Encoding": "gzip"})) as server:
        assert fetch(server.url) == zipped


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        opened.writestr("b.csv", "2")
        opened.writestr("a.csv", "1")
        opened.writestr("readme.txt", "")
    return stream.getvalue()


def test_members_of_an_archive(fetch: Fetch) -> None:
    with serve(lambda *_: Answer(archive())) as server:
        found = fetch.raw(server.url, member="*.csv")
    assert [raw.content for raw in found] == [b"1", b"2"]
    assert [raw.name for raw in found] == [
        "requests.json page 7/a.csv",
        "requests.json page 7/b.csv",
    ]


def test_a_cut_archive(fetch: Fetch) -> None:
    with (
        serve(lambda *_: Answer(archive()[:-20])) as server,
        pytest.raises(TerminalError, match=r"\[zip\]"),
    ):
        fetch.raw(server.url, member="*.csv")


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/x"])
def test_a_wrong_address(fetch: Fetch, url: str) -> None:
    with pytest.raises(SourceError, match=r"\[contract\]"):
        fetch(url)


def test_an_address_that_is_not_set_is_named_by_its_variable() -> None:
    options = HttpOptions(url_env="CITYLAKE_NOWHERE_URL")
    with pytest.raises(TerminalError, match="CITYLAKE_NOWHERE_URL holds no address") as caught:
        HttpTransport(options, {}, Place("feedback.test"))
    assert caught.value.rule == "url"

"""The real server process, asked with a plain HTTP client."""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from demo.__main__ import main
from demo.feedback.transport import Breakage, broken
from demo.trouble import Attempts, Trouble

ROOT = Path(__file__).parents[3]
TOKEN = "a token for tests"  # noqa: S105 - guards nothing
BASE = "/as-of/2025-03-10/georeport/v2"
OPTIONS = ("--systems", "feedback", "--scale", "0.02", "--days", "5")


@contextmanager
def _served(*options: str) -> Iterator[str]:
    """A running server's host and port."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "demo", "serve", "--port", "0", *OPTIONS, *options],
        cwd=ROOT,
        env={**os.environ, "DEMO_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        address = ready["variables"]["CITYLAKE_DANANG_OPEN311_URL"]
        assert ready["token_variables"] == ["CITYLAKE_DANANG_OPEN311_TOKEN"]
        assert urlsplit(address).hostname == "127.0.0.1"
        yield urlsplit(address).netloc
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
        process.stdout.close()


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with _served() as place:
        yield place


@pytest.fixture
def client(served: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(served, timeout=10)
    yield connection
    connection.close()


def _get(
    client: http.client.HTTPConnection, path: str, token: str | None = TOKEN, **values: object
) -> tuple[http.client.HTTPResponse, bytes]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    client.request("GET", f"{path}?{urlencode(values)}" if values else path, headers=headers)
    response = client.getresponse()
    return response, response.read()


def _page(client: http.client.HTTPConnection, **values: object) -> list[dict[str, object]]:
    """A page, asked for until it comes."""
    for _ in range(4):
        try:
            response, body = _get(client, f"{BASE}/requests.json", extensions="true", **values)
        except http.client.IncompleteRead:
            client.close()
            continue
        if response.status == 200:
            page: list[dict[str, object]] = json.loads(body)
            return page
    raise AssertionError("the page never came")


def test_index_says_that_all_is_synthetic(client: http.client.HTTPConnection) -> None:
    response, body = _get(client, "/", token=None)
    assert response.status == 200
    assert "tổng hợp" in body.decode()
    assert "synthetic" in body.decode()


@pytest.mark.parametrize("token", [None, "another"], ids=["none", "wrong"])
def test_token_is_required(client: http.client.HTTPConnection, token: str | None) -> None:
    response, body = _get(client, f"{BASE}/requests.json", token=token)
    assert response.status == 401
    assert b"DN-" not in body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/as-of/2025-03-07/georeport/v2/requests.json", 404),
        ("/as-of/2025-03-13/georeport/v2/requests.json", 404),
        ("/as-of/2025-02-31/georeport/v2/requests.json", 400),
        (f"{BASE}/requests.json?page=0", 400),
        (f"{BASE}/requests.json?page_size=many", 400),
        (f"{BASE}/requests.json?updated_after=yesterday", 400),
        (f"{BASE}/requests.json?start_date=2025-03-10T00:00:00", 400),
        (f"{BASE}/requests/DN-250310-99999.json", 404),
        (f"{BASE}/manifest.json", 404),
        ("/manifest", 404),
    ],
)
def test_wrong_addresses_are_refused(
    client: http.client.HTTPConnection, path: str, status: int
) -> None:
    response, body = _get(client, path)
    assert response.status == status
    assert json.loads(body)[0]["code"] == status


def test_pages_hold_all_on_one_connection(client: http.client.HTTPConnection) -> None:
    found: list[dict[str, object]] = []
    number = 1
    while page := _page(client, page=number, page_size=40):
        found += page
        number += 1
    assert found == _page(client, page_size=1_000)
    assert len(found) > 150


def test_page_is_never_larger_than_a_thousand(client: http.client.HTTPConnection) -> None:
    with _served("--scale", "0.5", "--no-faults") as place:
        large = http.client.HTTPConnection(place, timeout=10)
        response, body = _get(large, f"{BASE}/requests.json", page_size=5_000)
        assert len(json.loads(body)) == 1_000
        assert int(response.headers["X-Total-Count"]) > 4_000
        large.close()


def test_services_discovery_and_single(client: http.client.HTTPConnection) -> None:
    _, services = _get(client, f"{BASE}/services.json")
    assert len(json.loads(services)) == 12
    _, discovery = _get(client, f"{BASE}/discovery.json")
    assert json.loads(discovery)["endpoints"][0]["url"].endswith(BASE)
    _, single = _get(client, f"{BASE}/requests/DN-250310-00001.json")
    assert len(json.loads(single)) == 1


def test_scheduled_troubles_go_away(client: http.client.HTTPConnection) -> None:
    met = set()
    for number in (1, 2, 3):
        for attempt in range(4):
            try:
                response, body = _get(client, f"{BASE}/requests.json", page=number, page_size=50)
            except http.client.IncompleteRead:
                client.close()
                met.add("cut")
                continue
            if response.status == 200:
                assert attempt in (1, 2)
                json.loads(body)
                break
            met.add(str(response.status))
            assert response.status != 429 or response.headers["Retry-After"] == "1"
        else:
            pytest.fail("the page never came")
    assert met == {"500", "429", "cut"}


def test_breakages_stay() -> None:
    pages = ("looping_page:2025-03-08:2", "html:2025-03-09", "invalid_json:2025-03-10")
    breaks = [f"--break=feedback:{page}" for page in (*pages, "always_error:2025-03-11")]
    with _served(*breaks, "--no-transport-faults") as place:
        client = http.client.HTTPConnection(place, timeout=10)

        def ask(day: int, page: int) -> tuple[int, bytes]:
            path = f"/as-of/2025-03-{day:02d}/georeport/v2/requests.json"
            response, body = _get(client, path, page=page, page_size=20)
            return response.status, body

        assert ask(8, 2) == ask(8, 3) == ask(8, 900) != ask(8, 1)
        assert ask(9, 1)[0] == 200
        assert ask(9, 1)[1].startswith(b"<!doctype html>")
        with pytest.raises(json.JSONDecodeError):
            json.loads(ask(10, 1)[1])
        assert [ask(11, 1)[0] for _ in range(6)] == [500] * 6
        json.loads(ask(11, 2)[1])
        client.close()


def test_server_without_token_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_TOKEN", raising=False)
    assert main(["serve"]) == 2


def _processor_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_small_scale_is_ready_soon() -> None:
    before = _processor_seconds_of_children()
    with _served("--days", "120"):
        pass
    # processor time, because the machine may have other things to do; 1.5 s when it has none
    assert _processor_seconds_of_children() - before < 3


def test_it_is_known_by_the_name_that_it_was_told_and_answers_where_it_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "demo", "serve", "--scale", "0.02", "--days", "5"]
    command += ["--systems", "health,feedback", "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, "--listen", "127.0.0.2", "--known-as", "source.example"],
        cwd=ROOT,
        env={**os.environ, "DEMO_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    health = ["health", "--systems", "health,feedback", "--port", str(port), "--host"]
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())["variables"]
        places = {urlsplit(address).netloc for address in told.values()}
        assert places == {f"source.example:{port}", f"source.example:{port + 1}"}
        assert main([*health, "127.0.0.2"]) == 0
        assert main([*health, "127.0.0.1"]) == 1
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
    assert main([*health, "127.0.0.2"]) == 1


def test_attempts_start_again_after_success() -> None:
    attempts = Attempts()
    seen = [attempts.refuse("/page", Trouble.SERVER_ERROR) for _ in range(6)]
    assert seen == [True, True, False, True, True, False]


@pytest.mark.parametrize("text", ["html", "html:2025-03-09:1:1", "flood:2025-03-09", "html:x"])
def test_unknown_breakages_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        broken(text)


def test_breakage_is_read() -> None:
    assert broken("html:2025-03-09:4").page == 4
    assert broken("looping_page:2025-03-09").kind is Breakage.LOOPING_PAGE


def test_manifest_command_writes_json_lines(tmp_path: Path) -> None:
    target = tmp_path / "manifest.jsonl"
    options = ["--scale", "0.02", "--to", "2025-03-10", "--output", str(target)]
    assert main(["manifest", "--from", "2025-03-09", *options]) == 0
    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert {line["day"] for line in lines} == {"2025-03-09", "2025-03-10"}
    assert main(["manifest", "--from", "2025-03-11", *options]) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--systems", "feedback,nobody"), "no system 'nobody'"),
        (("--listen", "127.0.0.1"), "--listen needs --port"),
        (("--break", "html:2025-03-10"), "expected SYSTEM:KIND:DAY"),
        (("--break", "feedback:fire:2025-03-10"), "fire"),
    ],
)
def test_wrong_use_is_told(
    options: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEMO_TOKEN", TOKEN)
    assert main(["serve", *OPTIONS, *options]) == 2
    assert says in capsys.readouterr().err

"""What counts as an answer of Superset: an answer to what was asked, and never a page."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.cli import main
from reports.superset.assets import CHARTS, Asset
from reports.superset.client import Client
from reports.superset.errors import LoginError, ReportsError

Answer = tuple[int, str, str]
PAGE: Answer = (200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Login</title>")
CHART = Asset(CHARTS, "city/one", {"slice_name": "Một"})


def _json(code: int, value: object) -> Answer:
    return code, "application/json", json.dumps(value)


@contextmanager
def _listening(told: dict[str, Answer]) -> Iterator[str]:
    """The address of a server that answers paths as it is told, and lets everybody in."""
    answers = {
        "/api/v1/security/login": _json(200, {"access_token": "t"}),
        "/api/v1/security/csrf_token/": _json(200, {"result": "c"}),
        **told,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the name that the library asks for
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code, kind, text = answers[self.path.partition("?")[0]]
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the name that the library asks for

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _server(told: dict[str, Answer]) -> Iterator[Client]:
    """A client of such a server."""
    with _listening(told) as address:
        client = Client(address, "admin", "secret-password")
        try:
            yield client
        finally:
            client.close()


def test_the_message_that_superset_gives_is_success() -> None:
    with _server({"/api/v1/assets/import/": _json(200, {"message": "OK"})}) as client:
        client.import_assets([CHART])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PAGE, id="page-to-log-in"),
        pytest.param(_json(200, {}), id="nothing"),
        pytest.param(_json(401, {"msg": "Token has expired"}), id="expired"),
        pytest.param((302, "text/html", ""), id="sent-away"),
    ],
)
def test_no_other_answer_to_an_import_is(answer: Answer) -> None:
    with (
        _server({"/api/v1/assets/import/": answer}) as client,
        pytest.raises(ReportsError, match="was not taken") as refused,
    ):
        client.import_assets([CHART])
    assert "secret-password" not in str(refused.value)


def test_a_refused_import_names_the_file() -> None:
    error = {"message": "Error", "extra": {"charts/city.one.yaml": {"viz_type": ["Missing."]}}}
    told = {
        "/api/v1/assets/import/": _json(500, {"message": "Fatal error"}),
        "/api/v1/dashboard/import/": _json(422, {"errors": [error]}),
    }
    with (
        _server(told) as client,
        pytest.raises(ReportsError, match=r"charts/city\.one\.yaml: .*viz_type.*Missing"),
    ):
        client.import_assets([CHART])


def test_a_page_instead_of_data_is_told() -> None:
    told = {"/api/v1/chart/1": PAGE, "/api/v1/assets/export/": PAGE}
    with _server(told) as client:
        with pytest.raises(ReportsError, match="GET /api/v1/chart/1: answered with a page"):
            client.ask("GET", "/api/v1/chart/1")
        with pytest.raises(ReportsError, match="answered with a page"):
            client.exported()


def test_a_server_that_is_half_set_up_is_told_with_its_own_words() -> None:
    fault = _json(500, {"errors": [{"message": "no such table: slices"}]})
    with (
        _server({"/api/v1/chart/1": fault}) as client,
        pytest.raises(ReportsError, match="GET /api/v1/chart/1: 500 no such table: slices"),
    ):
        client.ask("GET", "/api/v1/chart/1")


REFUSED = {"/api/v1/security/login": _json(401, {"message": "Not authorized"})}


def test_a_wrong_password_is_told_by_the_user_and_never_shown() -> None:
    with (
        _listening(REFUSED) as address,
        pytest.raises(LoginError, match=f"{address} does not let user admin in") as refused,
    ):
        Client(address, "admin", "secret-password")
    assert "secret-password" not in str(refused.value)


@pytest.mark.parametrize("by_variable", [True, False], ids=["variable", "file"])
def test_where_a_wrong_password_came_from_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    by_variable: bool,
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    place = tmp_path / "superset" / "passwords.json"
    place.parent.mkdir()
    place.write_text(json.dumps({"admin": "secret-of-file"}), encoding="utf-8")
    variable = "CITYLAKE_SUPERSET_PASSWORD_ADMIN"
    monkeypatch.delenv(variable, raising=False)
    if by_variable:
        monkeypatch.setenv(variable, "secret-of-variable")
    with _listening(REFUSED) as address, pytest.raises(SystemExit) as ended:
        main(["reports", "plan", "--city", "danang", "--address", address])
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "user admin" in told
    assert told.endswith(f"came from {variable if by_variable else place}\n")
    assert "secret" not in told


@pytest.mark.parametrize(
    "address", ["foo", "localhost:8088", "ftp://foo", "http://", "http://a:b", ""]
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ReportsError, match=r"is no address .* begins with http:// or https://"):
        Client(address, "admin", "secret-password")

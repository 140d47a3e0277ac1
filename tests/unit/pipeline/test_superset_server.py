"""`citylake superset up`: says what it does, may be called again, and is of one city."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.superset import home as homes
from pipeline.superset import reports, server
from pipeline.superset.errors import SupersetError
from pipeline.superset.server import down, print_health, up
from reports.superset.errors import ReportsError

HARBOUR = Path(__file__).resolve().parents[2] / "cities" / "harbour"
# Shows a page to log in, as long as a file is there.
SERVER = """\
#!{python}
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if Path({well!r}).exists() else 500)
        self.end_headers()

(bind,) = [each for each in sys.argv if each.startswith("--bind=")]
HTTPServer(("127.0.0.1", int(bind.rpartition(":")[2])), Page).serve_forever()
"""
Applied = list[tuple[str, str]]


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Applied]:
    """What was brought into a server that stands in for Superset's."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "well").touch()
    for name, text in (
        ("python", "#!/bin/sh\n"),
        ("gunicorn", SERVER.format(python=sys.executable, well=str(tmp_path / "well"))),
    ):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o700)
    monkeypatch.setenv(homes.PYTHON_VARIABLE, str(programs / "python"))
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    for city in ("danang", "harbour"):
        (tmp_path / city / "serving").mkdir(parents=True)
        (tmp_path / city / "serving" / "marts.duckdb").touch()
    calls: Applied = []

    def apply(city: str, address: str, *, in_short: bool) -> int:
        assert in_short
        calls.append((city, address))
        return 0

    monkeypatch.setattr(reports, "apply_assets", apply)
    yield calls
    down()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_second_call_brings_the_reports_up_to_date_and_says_where_they_are(
    applied: Applied, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    assert up("danang", port=port) == 0
    first = capsys.readouterr()
    assert first.err.splitlines() == [
        "making Superset's own records ready, which takes up to a minute",
        "starting Superset",
        "bringing the reports in",
    ]
    by_path = os.path.relpath(HARBOUR.parents[2] / "cities" / "danang")
    # Another port is no second server.
    assert up(by_path, port=_free_port()) == 0
    again = capsys.readouterr()
    assert again.out == first.out
    assert f"Superset: {address}\nusers: admin, " in again.out
    assert again.err.splitlines() == [
        f"Superset runs already at {address}",
        "bringing the reports in",
    ]
    assert applied == [("danang", address), (by_path, address)]


def test_what_runs_is_of_one_city_and_stays(
    applied: Applied, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = _free_port()
    assert up("danang", port=port) == 0
    with pytest.raises(SupersetError, match="runs for danang in .* already; `down` ends it"):
        up(str(HARBOUR), port=port)

    def fail(*_arguments: object, **_options: object) -> int:
        raise ReportsError("not taken")

    monkeypatch.setattr(reports, "apply_assets", fail)
    with pytest.raises(ReportsError, match="not taken"):
        up("danang", port=port)
    assert print_health(f"http://127.0.0.1:{port}") == 0
    (tmp_path / "well").unlink()
    with pytest.raises(SupersetError, match="runs and does not answer"):
        up("danang", port=port)
    assert len(applied) == 1


def test_what_was_started_for_reports_that_fail_is_ended(
    applied: Applied, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> int:
        raise ReportsError("not taken")

    monkeypatch.setattr(reports, "apply_assets", fail)
    port = _free_port()
    with pytest.raises(ReportsError, match="not taken"):
        up("danang", port=port)
    assert print_health(f"http://127.0.0.1:{port}") == 1


# Ways in which making the records ready ends midway.
MIDWAY = {
    "refused": "exit 1",
    "killed": "kill -9 $$",
    "out of time": "exec sleep 60",
}


@pytest.mark.parametrize("way", MIDWAY)
def test_records_that_were_made_half_are_made_again(
    applied: Applied,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    way: str,
) -> None:
    home, port = homes.usual_home(), _free_port()
    python = tmp_path / "bin" / "python"
    sound = python.read_text(encoding="utf-8")
    begun = tmp_path / "begun"
    python.write_text(f"#!/bin/sh\necho x >> {begun}\n{MIDWAY[way]}\n", encoding="utf-8")
    monkeypatch.setattr(server, "BOOTSTRAP_SECONDS", 1 if way == "out of time" else 600)
    # What an older Superset was made ready for says nothing of this one.
    home.folder.mkdir()
    home.ready.write_text("of before\n", encoding="utf-8")

    for times in (1, 2):
        with pytest.raises(SupersetError, match="made ready"):
            up("danang", port=port)
        assert begun.read_text(encoding="utf-8") == "x\n" * times
        assert not home.ready.exists()
        assert not home.state.exists()
    assert applied == []
    assert print_health(f"http://127.0.0.1:{port}") == 1

    python.write_text(f"{sound}echo x >> {begun}\n", encoding="utf-8")
    capsys.readouterr()
    assert up("danang", port=port) == 0
    assert capsys.readouterr().err.startswith("making Superset's own records ready")
    assert home.ready.exists()
    down()
    assert up("danang", port=port) == 0
    assert begun.read_text(encoding="utf-8") == "x\n" * 3


def test_nothing_says_ready_while_the_records_are_being_made(
    applied: Applied, tmp_path: Path
) -> None:
    home = homes.usual_home()
    home.folder.mkdir()
    home.ready.write_text("of before\n", encoding="utf-8")
    python = tmp_path / "bin" / "python"
    seen = tmp_path / "seen"
    python.write_text(f"#!/bin/sh\nls {home.folder} > {seen}\n", encoding="utf-8")
    assert up("danang", port=_free_port()) == 0
    names = seen.read_text(encoding="utf-8").split()
    assert "passwords.json" in names
    assert "ready" not in names
    assert home.ready.exists()


def test_the_health_of_what_is_no_address_is_no_answer() -> None:
    with pytest.raises(ReportsError, match="begins with http:// or https://"):
        print_health("localhost:8088")


def test_a_taken_port_is_told_before_anything_is_made_or_run(
    applied: Applied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "danang" / "serving" / "marts.duckdb").unlink()

    def run_demo(*given: object, **named: object) -> None:
        raise AssertionError("the demo city is run")

    monkeypatch.setattr("pipeline.demo.run_demo", run_demo)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SupersetError, match=f"port {port} is taken; --port names another"):
            up("danang", port=port)
    assert applied == []
    assert not (tmp_path / "superset").exists()

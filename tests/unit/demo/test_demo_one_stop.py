"""The one-stop shop's real server, asked with a client that is not ours."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, LiteralString, cast
from urllib.parse import unquote

import psycopg
import pytest

from demo.__main__ import main

TOKEN = "a token's / text"  # noqa: S105 - guards nothing
FIRST, DAYS = date(2025, 6, 24), 12
VARIABLE = "CITYLAKE_DANANG_ONE_STOP_SHOP"
OPTIONS = ("--systems", "dossiers", "--scale", "0.02", "--start", "2025-06-24", "--days", "12")
ZONE = timezone(timedelta(hours=7))


def _start(*options: str) -> tuple["subprocess.Popen[str]", str]:
    """A running server, and its address."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "demo", "serve", *OPTIONS, *options],
        cwd="/",
        env={**os.environ, "DEMO_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["token_variables"] == []
    return process, ready["variables"][VARIABLE]


def _folder(address: str) -> Path:
    return Path(unquote(address.partition("host=")[2].partition("&")[0]))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    process, address = _start()
    yield address
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not _folder(address).exists()
    assert process.stdout is not None
    assert process.stdout.read() == ""
    process.stdout.close()


def _ask(address: str, day: date | str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(address.replace("{day}", str(day))) as connection:
        return connection.execute(cast(LiteralString, sql)).fetchall()


def test_it_answers_its_readers_alone_where_it_is_told_to_listen() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process, address = _start("--listen", "127.0.0.1", "--port", str(port))
    try:
        assert f"host=127.0.0.1&port={port}" in address
        assert _ask(address, FIRST, "SELECT count(*) > 0 FROM dossier") == [(True,)]
        place = f"host=127.0.0.1 port={port} dbname=postgres"
        for account in ("user=postgres", "user=citylake password=wrong", "user=citylake"):
            with pytest.raises(psycopg.OperationalError, match="pg_hba|password"):
                psycopg.connect(f"{place} {account}")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout is not None
        process.stdout.close()


def _rows(address: str, day: date) -> list[dict[str, Any]]:
    found = _ask(
        address,
        day,
        "SELECT to_jsonb(d) FROM dossier d WHERE received_at > '-infinity'"
        " AND (updated_at IS NULL OR isfinite(updated_at)) ORDER BY dossier_id",
    )
    return [row for (row,) in found]


def test_a_day_shows_what_was_known_at_its_end(address: str) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        begin = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        rows = _rows(address, day)
        assert rows
        updated = [datetime.fromisoformat(row["updated_at"]) for row in rows if row["updated_at"]]
        assert max(updated) < begin + timedelta(days=1)
        assert max(updated) >= begin
        now = {row["dossier_id"]: row for row in rows}
        assert seen.keys() <= now.keys()
        for name in seen.keys() & now.keys():
            if seen[name] != now[name] and now[name]["updated_at"]:
                assert datetime.fromisoformat(now[name]["updated_at"]) >= begin
        seen = now
    assert {row["status"] for row in seen.values()} >= {"received", "in_progress", "completed"}


def test_procedures_say_what_the_dossiers_mean(address: str) -> None:
    found = _ask(
        address,
        FIRST,
        "SELECT code, name, sector, deadline_working_days, fee FROM procedure ORDER BY code",
    )
    assert len(found) == 20
    assert all(name and sector and deadline >= 0 for _, name, sector, deadline, _ in found)
    assert ("HT-01", "Đăng ký khai sinh", "Hộ tịch", 1, 0) in found
    used = _ask(address, FIRST, "SELECT DISTINCT procedure_code FROM dossier")
    assert {code for (code,) in used if code} - {"ZZ-99", "ht-01", "1"} <= {
        code for code, *_ in found
    }


def test_applicants_stand_in_the_source_and_belong_to_nobody(address: str) -> None:
    found = _ask(
        address,
        FIRST,
        "SELECT applicant_name, applicant_identity FROM dossier WHERE NOT is_deleted",
    )
    assert all(name and identity.startswith("000") for name, identity in found)


@pytest.mark.parametrize("password", ["another", ""], ids=["wrong", "none"])
def test_the_token_is_the_password(address: str, password: str) -> None:
    begin, _, rest = address.replace("{day}", str(FIRST)).partition("@")
    bad = f"{begin.rpartition(':')[0]}:{password}@{rest}"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(bad)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM dossier", "read-only|permission denied"),
        ("SELECT * FROM dossier_version", "permission denied"),
        ("SET default_transaction_read_only = off; DELETE FROM dossier", "denied|read-only"),
        ("CREATE TABLE mine (a int)", "read-only|permission denied"),
    ],
)
def test_readers_may_only_read(address: str, sql: str, says: str) -> None:
    with pytest.raises(psycopg.Error, match=says):
        _ask(address, FIRST, sql)


@pytest.mark.parametrize("day", ["2025-06-23", "2025-07-06", "2025-02-31", "yesterday or so"])
def test_other_days_are_refused(address: str, day: str) -> None:
    with pytest.raises(psycopg.Error, match=r"no data as of|invalid|out of range"):
        _ask(address, day.replace(" ", "%5C%20"), "SELECT count(*) FROM dossier")


def test_the_server_listens_on_its_socket_alone(address: str) -> None:
    assert _ask(address, FIRST, "SHOW listen_addresses") == [("",)]
    assert _folder(address).stat().st_mode & 0o077 == 0


def test_a_killed_demo_takes_its_server_along() -> None:
    process, address = _start()
    assert _rows(address, FIRST)
    process.kill()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    until = time.monotonic() + 20
    while _folder(address).exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not _folder(address).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address.replace("{day}", str(FIRST)))


def test_a_breakage_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_TOKEN", TOKEN)
    assert main(["serve", *OPTIONS, "--break", "dossiers:html:2025-06-25"]) == 2
    assert "no such breakage" in capsys.readouterr().err

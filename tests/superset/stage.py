"""A serving file with rows written by hand, and a real Superset that shows it."""

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import httpx

from pipeline.context import open_context
from publish.serving import replace_serving, write_reports
from reports.superset.client import Client

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = REPOSITORY / ".venv" / "superset" / "bin" / "python"
OLD, NEW = "2025-01-01", "2025-07-01"
CITY, HAI_CHAU, THANH_KHE, LIEN_CHIEU = "48", "492", "491", "490"
HAI_CHAU_WARD, THANH_KHE_WARD, SON_TRA_WARD = "20242", "20209", "20263"
DISTRICTS = (HAI_CHAU, THANH_KHE, LIEN_CHIEU)
WARDS = (HAI_CHAU_WARD, THANH_KHE_WARD, SON_TRA_WARD)
# code, service group, agency, unit, target, open
INDICATORS = (
    ("FB1", 1, "trung_tam_1022", "%", 80, True),
    ("FB5", 1, "trung_tam_1022", "requests", None, False),
    ("AD1", 2, "trung_tam_hanh_chinh_cong", "%", 95, True),
)
# An indicator of health: rows of it stand in the marts of the stage, as if they had got there.
WITHHELD, WITHHELD_VALUE = ("HE1", 10, "so_y_te", "1/1000", None, False), 87654
Row = dict[str, Any]
# Number of each chart by the key it was made with.
Charts = dict[str, int]


def write_rows(home: Path) -> Path:
    """Fill a new serving file of Da Nang; returns it."""
    context = open_context("danang")
    publications = tuple(context.registry.publications.values())
    file = replace_serving(context.paths, publications, context.city.marts, named=context.named)
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "UPDATE publication_status SET verdict = 'publish', version = 'v1', stale = false, "
            "data_as_of = DATE '2025-07-05', delivered_as_of = DATE '2025-07-05'"
        )
        for month, share, tier, since in (
            ("2025-05-01", 1, DISTRICTS, OLD),
            ("2025-06-01", 1, DISTRICTS, OLD),
            ("2025-07-01", 0.16, WARDS, NEW),
        ):
            for number, (*named, unit, target, _) in enumerate((*INDICATORS, WITHHELD)):
                is_withheld = named[0] == WITHHELD[0]
                shared = (*named, month, unit, target, share)
                value = WITHHELD_VALUE if is_withheld else 70 + number
                _insert(connection, "mart_city_indicator", CITY, since, value, shared)
                _insert(connection, "mart_sector_indicator", CITY, since, value, shared)
                for place, area in enumerate(tier):
                    value = WITHHELD_VALUE if is_withheld else 60 + 3 * number + place
                    _insert(connection, "mart_district_indicator", area, since, value, shared)
        write_reports(connection, context.city.marts)
    return file


def change(file: Path, sql: str) -> None:
    """Change a table of a serving file, and what its reports say of it."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(sql)
        write_reports(connection, open_context("danang").city.marts)


def _insert(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    area: str,
    since: str,
    value: float,
    shared: tuple[Any, ...],
) -> None:
    code, group, agency, month, unit, target, share = shared
    row: Row = {
        "indicator_code": code,
        "area_code": area,
        "area_valid_from": since,
        "service_group": group,
        "agency_code": agency,
        "period_kind": "month",
        "period_start": month,
        "value": value,
        "n": 30,
        "unit": unit,
        "target": target,
        "obs_status": "P",
        "coverage_share": share,
        "data_as_of": "2025-07-05",
    }
    if "district" in mart:
        row["city_value"] = 70
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {mart} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608 - own names


@dataclass
class Stage:
    """A Superset that runs, and what it shows."""

    home: Path
    port: int
    serving: Path
    _clients: dict[str, Client] = field(default_factory=dict)
    _browsers: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def passwords(self) -> dict[str, str]:
        place = self.home / "superset" / "passwords.json"
        found: dict[str, str] = json.loads(place.read_text(encoding="utf-8"))
        return found

    def put_in_place(self, file: Path) -> None:
        """Show a copy of another serving file, replaced at once."""
        copy = self.serving.with_suffix(".copy")
        shutil.copy(file, copy)
        copy.replace(self.serving)

    def client(self, user: str) -> Client:
        """A session of a user, opened once."""
        if user not in self._clients:
            self._clients[user] = Client(self.address, user, self.passwords[user])
        return self._clients[user]

    def browser(self, user: str) -> httpx.Client:
        """A session of a user as a browser has it, opened once by the form of the login page."""
        if user not in self._browsers:
            self._browsers[user] = self._by_the_page(user)
        return self._browsers[user]

    def _by_the_page(self, user: str) -> httpx.Client:
        web = httpx.Client(base_url=self.address, timeout=60, trust_env=False)
        found = re.search(
            r'csrf_token[^>]*value="([^"]+)"|"csrf_token": ?"([^"]+)"',
            unescape(web.get("/login/").text),
        )
        assert found is not None
        form = {"username": user, "password": self.passwords[user]}
        web.post("/login/", data={**form, "csrf_token": found[1] or found[2]})
        assert web.get("/api/v1/me/").json()["result"]["username"] == user
        token = web.get("/api/v1/security/csrf_token/").json()["result"]
        web.headers.update({"X-CSRFToken": token, "Referer": f"{self.address}/"})
        return web

    def citylake(self, *arguments: str, code: int = 0, home: Path | None = None) -> str:
        """What a command prints; it must end with a code."""
        done = subprocess.run(  # noqa: S603 - own command
            [sys.executable, "-m", "pipeline.cli", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "CITYLAKE_HOME": str(home or self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def dataset(self, view: str) -> int:
        """The number of a view's dataset."""
        found = {each["table_name"]: each["id"] for each in self.client("admin").all("dataset")}
        return int(found[view])

    def rows(self, user: str, view: str, *columns: str) -> list[Row]:
        """What the API answers a user who asks for columns of a view."""
        found: list[Row] = self.asked(user, view, {"columns": list(columns)})["result"][0]["data"]
        return found

    def asked(self, user: str, view: str, question: Row, **told: str) -> Any:
        """What the API answers a question about a view."""
        sent = {
            "datasource": {"id": self.dataset(view), "type": "table"},
            "queries": [{"metrics": None, "row_limit": 5000, **question}],
            "result_format": "json",
            "result_type": "full",
            **told,
        }
        return self.client(user).ask("POST", "/api/v1/chart/data", json=sent)

    def charts(self) -> Charts:
        """Number of each chart by the key it was made with."""
        found = self.client("admin").all("chart")
        return {str(each["certification_details"] or each["id"]): each["id"] for each in found}

    def exported(self, user: str, chart: int) -> list[Row]:
        """The rows of a chart's export as CSV, as a user gets it."""
        path = f"/api/v1/chart/{chart}/data/"
        content = self.client(user).raw("GET", path, params={"format": "csv"})
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def stage_in(home: Path) -> Iterator[Stage]:
    """Superset over a small Da Nang, started by the command that people type."""
    os.environ["CITYLAKE_HOME"] = str(home)
    running = Stage(home, free_port(), write_rows(home))
    try:
        running.citylake("superset", "up", "--city", "danang", "--port", str(running.port))
        yield running
    finally:
        running.citylake("superset", "down")

"""A town of two wards as files, its two sources, and its lake, all in this process.

One source is a CSV register (each delivery a full snapshot), the other an Open311 server.
"""

import csv
import io
import json
import os
import subprocess
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.context import Context, open_context
from pipeline.ingest import Ingested, ingest
from pipeline.settings import city_paths
from tests.e2e.processes import call
from tests.unit.extract.server import Answer, Asked, Server, serve
from warehouse.city import City
from warehouse.content_hash import city_hash
from warehouse.duck import session
from warehouse.views import quarantine_sql, relation_sql

FIRST, SECOND, THIRD = date(2025, 7, 2), date(2025, 7, 3), date(2025, 7, 4)
REGISTER, HOTLINE = "feedback.register", "feedback.hotline"
URL_VARIABLE, TOKEN_VARIABLE = "TOWN_URL", "TOWN_TOKEN"  # noqa: S105 - names of variables
TOKEN = "tok-7f3a9c51e0"  # noqa: S105 - of a server that lives as long as the test
# What a person wrote; the register has it in a column that no table takes.
PERSONAL = "Trần Thị Mẫu, 0905 111 222"
PAGE_SIZE = 2
HEADER = ("CASE_ID", "KIND", "STATE", "OPENED", "CLOSED", "WARD", "NOTE")

Row = dict[str, str]

CITY = """
city: smalltown
name: {vi: Thị trấn nhỏ, en: Small town}
timezone: Asia/Ho_Chi_Minh
default_date: 2025-07-02
"""
AGENCIES = """
agencies:
  - code: desk
    name: {vi: Bàn tiếp dân, en: Front desk}
    level: city
    service_groups: [1]
    contact_role: {vi: Trực bàn, en: Duty desk}
"""
AREAS = """\
code,valid_from,valid_to,level,name_vi,name_en,parent_code,source
T,2020-01-01,,city,Thị trấn,Town,,Declared for the test
W1,2020-01-01,,ward,Phường Một,Ward One,T,Declared for the test
W2,2020-01-01,,ward,Phường Hai,Ward Two,T,Declared for the test
"""
CORRESPONDENCES = "from_code,from_valid_from,to_code,to_valid_from,weight,basis\n"
POPULATION = "area_code,area_valid_from,vintage,concept,reference_date,persons,source\n"
DATASET = """
class: open
title: {vi: Theo tháng, en: By month}
description: {vi: Theo tháng, en: By month}
owner: desk
licence: CC-BY-4.0
revision_window_days: 45
parts:
  - {mart: mart_service_request_monthly}
key: [requested_month, area_code, area_valid_from, service_code]
columns: [requested_month, area_code, area_valid_from, service_code, requests_opened]
"""
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: feedback.{name}
name: {name}
version: 1.0.0
status: active
description: {{purpose: Phản ánh | Requests}}
customProperties:
  - {{property: contractKind, value: source}}
  - {{property: agency, value: desk}}
  - {{property: serviceGroup, value: 1}}
  - {{property: timezone, value: {timezone}}}
  - {{property: drift, value: {drift}}}
{options}
servers:
  - server: origin
    type: custom
    customProperties:
{server}
schema:
  - name: record
    logicalType: object
    physicalType: raw
    properties:
{raw}
  - name: service_request
    logicalType: object
    physicalType: table
    properties:
{mapping}
"""
REGISTER_OPTIONS = """\
  - {property: deletes, value: absence}
  - {property: maxDeleteShare, value: 0.2}"""
REGISTER_SERVER = """\
      - {property: transport, value: {kind: file, path: register.csv}}
      - {property: format, value: {kind: csv}}"""
HOTLINE_OPTIONS = "  - {property: cursor, value: window}"
HOTLINE_SERVER = f"""\
      - property: transport
        value: {{kind: http, url_env: {URL_VARIABLE}, token_env: {TOKEN_VARIABLE}, attempts: 2,
                backoff_seconds: 0}}
      - {{property: format, value: {{kind: json}}}}
      - {{property: protocol, value: {{kind: open311, page_size: {PAGE_SIZE}}}}}"""


def _contract(name: str, *, timezone: str, drift: str) -> str:
    is_register = name == "register"
    raw = HEADER if is_register else tuple(_request(1))
    formats = "%d/%m/%Y %H:%M" if is_register else "iso8601"
    names = dict(zip(MAPPED, HEADER[:6] if is_register else HOTLINE_COLUMNS, strict=True))
    mapping = []
    for column, expression in names.items():
        kind = "timestamp" if column.endswith("_at") else "string"
        lines = [f"- name: {column}", f"  logicalType: {kind}", f"  transformLogic: {expression}"]
        if kind == "timestamp":
            lines += [f'  customProperties: [{{property: formats, value: ["{formats}"]}}]']
        mapping += lines
    return CONTRACT.format(
        name=name,
        timezone=timezone,
        drift=drift,
        options=REGISTER_OPTIONS if is_register else HOTLINE_OPTIONS,
        server=REGISTER_SERVER if is_register else HOTLINE_SERVER,
        raw="\n".join(f"      - {{name: {each}, logicalType: string}}" for each in raw),
        mapping=textwrap.indent("\n".join(mapping), " " * 6),
    )


MAPPED = ("service_request_id", "service_code", "status", "requested_at", "closed_at", "area_code")
HOTLINE_COLUMNS = (
    "service_request_id",
    "service_code",
    "status",
    "requested_datetime",
    "closed_datetime",
    "ward",
)


def case(number: int, **changes: str) -> Row:
    """One good line of the register."""
    is_open = number % 3 == 0
    row = {
        "CASE_ID": f"R-{number:04d}",
        "KIND": ("đường", "rác")[number % 2],
        "STATE": "open" if is_open else "closed",
        "OPENED": f"{number % 28 + 1:02d}/06/2025 08:15",
        "CLOSED": "" if is_open else "30/06/2025 17:00",
        "WARD": ("W1", "W2")[number % 2],
        "NOTE": PERSONAL,
    }
    return row | changes


def cases(last: int = 20) -> list[Row]:
    """The good register."""
    return [case(number) for number in range(1, last + 1)]


def register(rows: Sequence[Row], header: Sequence[str] = HEADER) -> bytes:
    """A register as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode()


def _request(number: int) -> dict[str, Any]:
    return {
        "service_request_id": f"H-{number}",
        "service_code": "đường",
        "status": "open",
        "requested_datetime": f"2025-06-{number:02d}T09:00:00+07:00",
        "closed_datetime": None,
        "ward": "W1",
        "note": PERSONAL,
    }


def requests(last: int = 13) -> list[dict[str, Any]]:
    """The good answer of the hotline: seven pages of two."""
    return [_request(number) for number in range(1, last + 1)]


# Reading a city costs more than all that a test does with it: each declaration is read once.
_CITIES: dict[tuple[str, ...], City] = {}


@dataclass
class Town:
    """The town's folder and lake, and what its sources deliver next."""

    folder: Path
    home: Path
    server: Server
    requests: list[dict[str, Any]] = field(default_factory=requests)
    broken: dict[int, Answer] = field(default_factory=dict)
    _context: Context | None = None
    _declared: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """The register's file."""
        return self.folder / "register.csv"

    @property
    def root(self) -> Path:
        """The town's folder in the lake."""
        return self.home / "smalltown"

    @property
    def context(self) -> Context:
        """The town as it was declared last, read once."""
        if self._context is None:
            known = _CITIES.get(self._declared)
            if known is None:
                self._context = open_context(str(self.folder))
                _CITIES[self._declared] = self._context.city
            else:
                paths = city_paths(known.name)
                paths.create()
                city = replace(known, folder=self.folder)
                self._context = Context(city, paths, known.default_date, os.environ)
        return self._context

    def declare(
        self, *, timezone: str = "Asia/Ho_Chi_Minh", drift: str = "freeze", dataset: str = DATASET
    ) -> None:
        """Write the town's files."""
        contracts = {
            f"sources/feedback/{name}.yaml": _contract(name, timezone=timezone, drift=drift)
            for name in ("register", "hotline")
        }
        geography = {
            "area": AREAS,
            "area_correspondence": CORRESPONDENCES,
            "population": POPULATION,
        }
        self._context, self._declared = None, (timezone, drift, dataset)
        files = {
            "city.yaml": CITY,
            "agencies.yaml": AGENCIES,
            "datasets/monthly.yaml": dataset,
            **{f"geography/{name}.csv": text for name, text in geography.items()},
            **contracts,
        }
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def answer(self, asked: Asked, _before: int) -> Answer:
        """What the hotline's server says."""
        page = int(asked.parameters["page"])
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(b'[{"code": 401}]', status=401)
        if page in self.broken:
            return self.broken[page]
        return json_answer(self.requests[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])

    def ingest(self, source: str, day: date) -> Ingested:
        """Extract and load one source."""
        return ingest(replace(self.context, as_of=day, environ=dict(os.environ)), source)

    def rows(self, source: str, columns: str = ", ".join(MAPPED)) -> set[tuple[Any, ...]]:
        """The live rows of a source in core."""
        context = self.context
        table = context.city.tables["service_request"]
        select = relation_sql(context.lake.snapshot("core", "service_request"), table)
        with session() as connection:
            found = connection.execute(
                f"SELECT {columns} FROM ({select}) WHERE _source = ?",  # noqa: S608 - own names
                [source],
            ).fetchall()
        assert len(found) == len(set(found))
        return set(found)

    def quarantined(self) -> list[tuple[Any, ...]]:
        """Key and reasons of every record in quarantine."""
        snapshot = self.context.lake.snapshot("quarantine", "service_request")
        if snapshot is None:
            return []
        with session() as connection:
            return connection.execute(
                f"SELECT key_text, reasons, _raw_name, _raw_row FROM ({quarantine_sql(snapshot)})"  # noqa: S608 - own text
            ).fetchall()

    def content(self) -> dict[str, str]:
        """Content hash of every table."""
        context = self.context
        return city_hash(context.paths, context.city)

    def outcomes(self) -> list[dict[str, Any]]:
        """The journal of attempts, oldest first."""
        paths = sorted((self.root / "journal" / "outcomes").glob("*.json"))
        return [json.loads(path.read_text("utf-8")) for path in paths]

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the real command line on the town."""
        return call(*arguments, "--city", str(self.folder), variables={})


def json_answer(records: object) -> Answer:
    """A page of records."""
    body = json.dumps(records, ensure_ascii=False).encode()
    return Answer(body, headers={"Content-Type": "application/json"})


@contextmanager
def small_town(folder: Path) -> Iterator[Town]:
    """The town with good sources, and its server."""
    home = folder / "home"
    home.mkdir()
    town: Town
    with serve(lambda asked, before: town.answer(asked, before)) as server:
        town = Town(folder / "smalltown", home, server)
        town.declare()
        town.file.write_bytes(register(cases()))
        yield town

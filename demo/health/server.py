"""The health system's HTTP server: FHIR bulk export (Bulk Data Access 2.0) on loopback.

Addresses start with `/as-of/<day>/fhir`: the day is part of the address. What the server holds are
the exports that were asked for and not deleted.
"""

import itertools
import json
import re
import threading
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo import days
from demo.health.exports import Exports, Query
from demo.health.transport import Breakage, Broken, troubles
from demo.http_server import DemoHandler, DemoServer
from demo.systems import Settings
from demo.trouble import Trouble

FHIR_JSON = "application/fhir+json; charset=utf-8"
NDJSON = "application/fhir+ndjson"
ROOT = re.compile(r"/as-of/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/fhir/(?P<rest>.+)")
FILE = re.compile(
    r"files/(?P<job>[0-9]+)/(?P<kind>Encounter|Bundle|OperationOutcome)\.(?P<number>[0-9]+)\.ndjson"
)
WAIT_SECONDS = 1
ISSUE = "exception"


@dataclass
class Job:
    """One export that was asked for; `polls` is how often its state was asked."""

    query: Query
    request: str
    polls: int = 0


class HealthServer(DemoServer):
    """A health system that answers on a port of the loopback interface.

    Args:
        settings: How it is started.
        exports: What it holds.
        breakages: Exports that fail for good.
    """

    failures = dict.fromkeys(Trouble, 1)  # every other attempt

    def __init__(self, settings: Settings, exports: Exports, breakages: tuple[Broken, ...]) -> None:
        super().__init__(settings, Handler)
        self.exports = exports
        self.jobs: dict[int, Job] = {}
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()
        self._broken = {(each.as_of, each.kind) for each in breakages}

    def trouble(self, as_of: date, what: str) -> Trouble | None:
        """The recoverable fault of this attempt, if there is one."""
        return self.met((as_of, what), troubles(as_of)[what])

    def breaks(self, as_of: date, kind: Breakage) -> bool:
        """Whether the exports as of a day fail in that way."""
        return (as_of, kind) in self._broken


class Handler(DemoHandler):
    """Answers one connection."""

    server: HealthServer
    server_version = "DemoHealth/1"
    usual_kind = FHIR_JSON

    def do_DELETE(self) -> None:
        """Answers a DELETE request."""
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        match = ROOT.fullmatch(parts.path)
        as_of = _day(match["day"]) if match else None
        if match is None or as_of is None or not self.server.exports.knows(as_of):
            self.fail(HTTPStatus.NOT_FOUND, "not-found")
        elif not self.is_authorised():
            self.fail(HTTPStatus.UNAUTHORIZED, "login")
        elif match["rest"] == "$export" and self.command == "GET":
            self._kick_off(as_of, parse_qs(parts.query))
        elif match["rest"].startswith("jobs/"):
            self._job(as_of, match["rest"].removeprefix("jobs/"))
        elif (file := FILE.fullmatch(match["rest"])) and self.command == "GET":
            self._file(int(file["job"]), file["kind"], int(file["number"]))
        else:
            self.fail(HTTPStatus.NOT_FOUND, "not-found")

    def _kick_off(self, as_of: date, parameters: dict[str, list[str]]) -> None:
        types = parameters.get("_type", ["Encounter"])[-1].split(",")
        since = _instant(parameters["_since"][-1]) if "_since" in parameters else None
        is_async = "respond-async" in self.headers.get("Prefer", "")
        if not is_async or types != ["Encounter"] or ("_since" in parameters and since is None):
            self.fail(HTTPStatus.BAD_REQUEST, "not-supported")
        elif self.server.trouble(as_of, "kick-off") is not None:
            self.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "transient")
        else:
            with self.server.lock:
                number = next(self.server.numbers)
                self.server.jobs[number] = Job(Query(as_of, since), self.server.address + self.path)
            place = f"{self._base(as_of)}/jobs/{number}"
            self.send(HTTPStatus.ACCEPTED, b"", headers={"Content-Location": place})

    def _job(self, as_of: date, text: str) -> None:
        number = int(text) if text.isdecimal() else 0
        job = self.server.jobs.get(number)
        if job is None:
            self.fail(HTTPStatus.NOT_FOUND, "not-found")
        elif self.command == "DELETE":
            self.server.jobs.pop(number, None)
            self.send(HTTPStatus.ACCEPTED, b"")
        elif self.server.breaks(as_of, Breakage.ALWAYS_EXPIRED):
            self.fail(HTTPStatus.GONE, "expired")
        elif self.server.breaks(as_of, Breakage.FAILED_EXPORT):
            self.fail(HTTPStatus.INTERNAL_SERVER_ERROR, ISSUE)
        else:
            self._tell(number, job)

    def _tell(self, number: int, job: Job) -> None:
        """The state of a job: first that it is under way, then its manifest."""
        job.polls += 1
        if job.polls == 1:
            headers = {"Retry-After": str(WAIT_SECONDS), "X-Progress": "in progress"}
            self.send(HTTPStatus.ACCEPTED, b"", headers=headers)
        elif self.server.trouble(job.query.as_of, "status") is not None:
            self.fail(HTTPStatus.TOO_MANY_REQUESTS, "throttled", {"Retry-After": str(WAIT_SECONDS)})
        else:
            self.send(HTTPStatus.OK, _document(self._manifest(number, job)), "application/json")

    def _manifest(self, number: int, job: Job) -> dict[str, Any]:
        place = f"{self._base(job.query.as_of)}/files/{number}"
        counts = self.server.exports.counts(job.query)
        output = [
            {"type": "Encounter", "url": f"{place}/Encounter.{index}.ndjson", "count": count}
            for index, count in enumerate(counts)
        ]
        missing = len(counts) + 1
        if self.server.breaks(job.query.as_of, Breakage.MISSING_FILE):
            output.append({"type": "Encounter", "url": f"{place}/Encounter.{missing}.ndjson"})
        manifest: dict[str, Any] = {
            "transactionTime": days.local_time(days.ends_at(job.query.as_of)),
            "request": job.request,
            "requiresAccessToken": True,
            "output": output,
            "deleted": [],
            "error": [],
        }
        deletions = self.server.exports.deletions(job.query)
        if deletions:
            bundles = {"type": "Bundle", "url": f"{place}/Bundle.0.ndjson"}
            manifest["deleted"] = [{**bundles, "count": deletions.count(b"\n")}]
        if self.server.breaks(job.query.as_of, Breakage.OUTCOME_ERROR):
            outcomes = {"type": "OperationOutcome", "url": f"{place}/OperationOutcome.0.ndjson"}
            manifest["error"] = [{**outcomes, "count": 1}]
        return manifest

    def _file(self, number: int, kind: str, index: int) -> None:
        job = self.server.jobs.get(number)
        content = self._content(job, kind, index) if job else None
        if job is None or content is None:
            self.fail(HTTPStatus.NOT_FOUND, "not-found")
            return
        is_first = kind == "Encounter" and index == 0
        trouble = self.server.trouble(job.query.as_of, "file") if is_first else None
        if trouble is Trouble.EXPIRED:
            self.server.jobs.pop(number, None)
            self.fail(HTTPStatus.GONE, "expired")
            return
        self.send(HTTPStatus.OK, content, NDJSON, cut=trouble is not None)

    def _content(self, job: Job, kind: str, index: int) -> bytes | None:
        """The bytes of a file; None where there is no such file."""
        query, exports = job.query, self.server.exports
        if kind == "Bundle":
            return exports.deletions(query) or None
        if kind == "OperationOutcome":
            return _document(_outcome(ISSUE)) + b"\n"
        counts = exports.counts(query)
        if index >= len(counts):
            return None
        content = exports.file(query, index)
        is_last = index == len(counts) - 1
        if is_last and self.server.breaks(query.as_of, Breakage.SHORT_FILE):
            content = content[: content.rfind(b"\n", 0, -1) + 1]
        return content

    def _base(self, as_of: date) -> str:
        return f"{self.server.address}/as-of/{as_of.isoformat()}/fhir"

    def failure(self, status: HTTPStatus, description: str) -> bytes:
        """An outcome whose one issue has the description as its code."""
        return _document(_outcome(description))


def _document(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> int | None:
    """Seconds of a FHIR instant; None where it is none."""
    try:
        # a bare plus sign in a query means a blank
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return None if instant.tzinfo is None else int(instant.timestamp())

"""Superset's REST API, as far as reports need it.

An answer counts only when it is what was asked for. Without a valid session Superset answers an
import with its page to log in and the code 200: that is told as a failure.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx
import yaml

from reports.superset.assets import KINDS, VERSION, Asset, Content
from reports.superset.errors import LoginError, ReportsError

TIMEOUT_SECONDS = 120
PAGE_SIZE = 100
ROOT = "citylake"


class Client:
    """A session of one user."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self.address = checked_address(address)
        self.user = user
        self._http = httpx.Client(
            base_url=self.address,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            headers={"Accept": "application/json", "Referer": f"{self.address}/"},
        )
        self._http.headers["Authorization"] = f"Bearer {self._log_in(password)}"
        token = self.ask("GET", "/api/v1/security/csrf_token/")
        self._http.headers["X-CSRFToken"] = token["result"]

    def _log_in(self, password: str) -> str:
        path = "/api/v1/security/login"
        sent = {"username": self.user, "password": password, "provider": "db", "refresh": False}
        answer = self._answer("POST", path, json=sent)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise LoginError(
                f"Superset at {self.address} does not let user {self.user} in with this password"
            )
        return str(_read("POST", path, answer)["access_token"])

    def close(self) -> None:
        """End the session's connections."""
        self._http.close()

    def ask(self, method: str, path: str, **sent: Any) -> Any:
        """What the API answers, as JSON.

        Args:
            method: Of HTTP.
            path: Below the address.
            sent: As `httpx.Client.request` takes it.

        Raises:
            ReportsError: when nobody answers, or the answer is no success; it names method, path
                and what the server says of it.
        """
        return _read(method, path, self._answer(method, path, **sent))

    def raw(self, method: str, path: str, **sent: Any) -> bytes:
        """What the API answers, as bytes that are no page.

        Raises:
            ReportsError: as `ask`.
        """
        answer = self._answer(method, path, **sent)
        if not answer.is_success or "text/html" in answer.headers.get("content-type", ""):
            raise ReportsError(f"{method} {path}: {_no_json(answer)}")
        return answer.content

    def _answer(self, method: str, path: str, **sent: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise ReportsError(
                f"Superset at {self.address} does not answer ({type(error).__name__}): "
                "`citylake superset up` starts one here, --address names another"
            ) from error

    def all(self, resource: str, **query: Any) -> list[dict[str, Any]]:
        """Every object of a resource.

        Args:
            resource: Its path below `/api/v1/`.
            query: Further entries of the query, for example `columns`.
        """
        found: list[dict[str, Any]] = []
        while True:
            page = {**query, "page": len(found) // PAGE_SIZE, "page_size": PAGE_SIZE}
            asked = {"q": json.dumps(page)}
            answer = self.ask("GET", f"/api/v1/{resource}/", params=asked)
            found += answer["result"]
            if len(answer["result"]) < PAGE_SIZE:
                return found

    def exported(self) -> dict[tuple[str, str], Content]:
        """Every object of the server by kind and uuid, without its uuid."""
        content = self.raw("GET", "/api/v1/assets/export/")
        found: dict[tuple[str, str], Content] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            for name in bundle.namelist():
                kind = name.split("/")[1] if name.count("/") > 1 else ""
                if kind in KINDS:
                    loaded = yaml.load(bundle.read(name), Loader=_LOADER)  # noqa: S506 - the safe one
                    found[kind, str(loaded.pop("uuid"))] = loaded
        return found

    def import_assets(self, assets: Sequence[Asset]) -> None:
        """Bring objects into the server, all or none.

        Raises:
            ReportsError: naming each file that is refused and why; or that the session has ended.
        """
        sent = {"bundle": ("bundle.zip", bundle_of(assets, "assets"), "application/zip")}
        # Sparse: what an object needs and the bundle lacks is on the server already.
        path = "/api/v1/assets/import/"
        answer = self._answer("POST", path, files=sent, data={"sparse": "true"})
        if answer.is_success and _is_ok(answer):
            return
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ReportsError(f"the import was refused: {self._refusal(assets)}")
        raise ReportsError(f"the import was not taken: {_no_json(answer)}")

    def _refusal(self, assets: Sequence[Asset]) -> str:
        """What the server has against files: it says so to an import of dashboards alone."""
        sent = {"formData": ("bundle.zip", bundle_of(assets, "Dashboard"), "application/zip")}
        answer = self._answer("POST", "/api/v1/dashboard/import/", files=sent)
        try:
            errors = answer.json()["errors"]
        except (ValueError, KeyError):
            return _no_json(answer)
        faults = [
            f"{name}: {fault}"
            for error in errors
            for name, fault in error.get("extra", {}).items()
            if name != "issue_codes"
        ]
        return "; ".join(faults) or _message(answer.json())


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def checked_address(address: str) -> str:
    """An address of a server, without the slash at its end.

    Raises:
        ReportsError: when it is none.
    """
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ReportsError(
            f"{address!r} is no address of Superset: one begins with http:// or https://"
        )
    return address.rstrip("/")


def bundle_of(assets: Iterable[Asset], kind: str) -> bytes:
    """The files of objects in a ZIP archive, as Superset imports it."""
    metadata = {"version": VERSION, "type": kind}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(f"{ROOT}/metadata.yaml", yaml.safe_dump(metadata))
        for asset in assets:
            bundle.writestr(f"{ROOT}/{asset.path}", asset.text)
    return buffer.getvalue()


def _is_ok(answer: httpx.Response) -> bool:
    try:
        return bool(answer.json() == {"message": "OK"})
    except ValueError:
        return False


def _read(method: str, path: str, answer: httpx.Response) -> Any:
    try:
        found = answer.json()
    except ValueError:
        raise ReportsError(f"{method} {path}: {_no_json(answer)}") from None
    if answer.is_success:
        return found
    raise ReportsError(f"{method} {path}: {answer.status_code} {_message(found)}")


def _no_json(answer: httpx.Response) -> str:
    if answer.is_redirect or "text/html" in answer.headers.get("content-type", ""):
        return "answered with a page and not with data: the session has ended, or never began"
    try:
        return f"{answer.status_code} {_message(answer.json())}"
    except ValueError:
        return f"{answer.status_code} {answer.reason_phrase}"


def _message(found: Mapping[str, Any]) -> str:
    """What a refusal says; never what was sent."""
    if not isinstance(found, Mapping):
        return ""
    errors = found.get("errors")
    if errors:
        return "; ".join(str(each.get("message", "")) for each in errors)
    return str(found.get("message") or found.get("msg") or "")

"""The open datasets of the site: what a person may download, as the releases themselves say it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from publish.checksums import SUMS, listed_sums
from publish.data_package import bilingual
from publish.errors import ReleaseError
from publish.release import latest_version, shown_versions
from publish.report_views import PUBLICATIONS
from publish.site.view import OpenView, Row, text_of
from publish.wording import FREQUENCIES, RELEASE_FILES, UNITS, Text
from warehouse.contract.model import TableContract
from warehouse.duck import session
from warehouse.paths import CityPaths
from warehouse.publication import Publication
from warehouse.sql import literal_list

CURRENT = "current"
SHOWN_VERSIONS = 30
_DAMAGED = (OSError, ValueError, LookupError, TypeError, ReleaseError, duckdb.Error)


@dataclass(frozen=True)
class Download:
    """A file of a release.

    Attributes:
        place: Its path below the city's folder, as part of an address.
        size: In bytes.
        sha256: In hex; None for the list of checksums itself.
    """

    name: str
    content: Text
    place: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class Field:
    """A column of a release, as its data dictionary describes it.

    Attributes:
        allowed: The allowed values, where they are listed.
    """

    name: str
    type: str
    unit: Text | None
    meaning: Text
    is_key: bool
    allowed: Sequence[str]


@dataclass(frozen=True)
class Version:
    """One version of a dataset, and what it changed.

    Attributes:
        place: Of its quality report for people, below the city's folder.
        data_as_of: ISO day.
        added, revised, removed: Rows against the version before; None for the first.
    """

    version: str
    place: str
    data_as_of: str
    rows: int
    added: int | None
    revised: int | None
    removed: int | None


@dataclass(frozen=True)
class Release:
    """The newest version of a dataset.

    Attributes:
        is_approved: Whether a person's word published it.
        passed, checks: Checks that passed, and all.
        versions: Newest first.
    """

    version: str
    rows: int
    licence: str
    is_approved: bool
    passed: int
    checks: int
    downloads: Sequence[Download]
    fields: Sequence[Field]
    versions: Sequence[Version]


@dataclass(frozen=True)
class Dataset:
    """An open dataset.

    Attributes:
        stamp: Code of the stamp.
        verdict, verdict_text: On its newest candidate.
        release: None where nothing was released yet, or it is damaged.
        is_damaged: Whether its releases are not as they were written; `citylake verify` says where.
    """

    name: str
    title: Text
    description: Text
    owner: Text
    frequency: Text
    revision_days: int
    stamp: str
    stamp_text: Text
    verdict: str | None
    verdict_text: Text | None
    data_as_of: Text | None
    release: Release | None
    is_damaged: bool

    @property
    def is_current(self) -> bool:
        """Whether what is shown is the newest that there is."""
        return self.stamp == CURRENT


def datasets(
    view: OpenView,
    paths: CityPaths,
    publications: Mapping[str, Publication],
    contracts: Mapping[str, TableContract],
) -> list[Dataset]:
    """Every open dataset of the serving file, by name.

    Args:
        view: Of the serving file.
        paths: Folders of the city.
        publications: Of the city, by name.
        contracts: Mart contracts by name.
    """
    return [
        _dataset(row, paths, publications[row["publication"]], contracts)
        for row in view.rows(PUBLICATIONS, order="publication")
    ]


def _dataset(
    row: Row,
    paths: CityPaths,
    publication: Publication,
    contracts: Mapping[str, TableContract],
) -> Dataset:
    frequency = publication.update_frequency
    release, is_damaged = None, False
    try:
        release = _release(paths, publication, contracts[publication.marts[0]])
    except _DAMAGED:
        # The rest of the page is as true as before, and must not grow old over this.
        is_damaged = True
    return Dataset(
        name=publication.name,
        title=_both(publication.title),
        description=_both(publication.description),
        owner=_both(publication.owner_name or {"vi": publication.owner}),
        frequency=FREQUENCIES.get(frequency, Text(frequency, frequency)),
        revision_days=publication.revision_window_days,
        stamp=row["stamp"],
        stamp_text=text_of(row, "stamp_text") or Text(row["stamp"], row["stamp"]),
        verdict=row["verdict"],
        verdict_text=text_of(row, "verdict_text"),
        data_as_of=text_of(row, "data_as_of_text"),
        release=release,
        is_damaged=is_damaged,
    )


def _release(paths: CityPaths, publication: Publication, contract: TableContract) -> Release | None:
    version = latest_version(paths, publication.name)
    if version is None:
        return None
    folder = paths.releases / publication.name / version
    report, package = (_read(folder / f"{name}.json") for name in ("quality-report", "datapackage"))
    summary: Mapping[str, int] = report["accuracy"]["summary"]
    return Release(
        version=version,
        rows=report["coverage"]["rows"],
        licence=package["licenses"][0]["name"],
        is_approved=report["accuracy"]["approved_by_person"],
        passed=summary.get("passed", 0),
        checks=sum(summary.values()),
        downloads=_downloads(folder, paths),
        fields=_fields(package, contract),
        versions=_versions(paths, publication.name),
    )


def _downloads(folder: Path, paths: CityPaths) -> list[Download]:
    sums: Mapping[str, str | None] = {**listed_sums(folder), SUMS: None}
    found = [
        Download(
            name=name,
            content=_content(name),
            place=_place(folder / name, paths),
            size=(folder / name).stat().st_size,
            sha256=sha256,
        )
        for name, sha256 in sums.items()
    ]
    order = list(RELEASE_FILES.values())
    return sorted(found, key=lambda each: (order.index(each.content), each.name))


def _content(name: str) -> Text:
    """What a file is: by its whole name, else by how it ends."""
    return RELEASE_FILES.get(name) or RELEASE_FILES.get(Path(name).suffix) or RELEASE_FILES[""]


def _fields(package: Mapping[str, Any], contract: TableContract) -> list[Field]:
    schema = package["resources"][0]["schema"]
    return [
        Field(
            name=each["name"],
            type=each["type"],
            unit=_unit(each.get("unit")),
            meaning=_meaning(each, contract),
            is_key=each["name"] in schema["primaryKey"],
            allowed=each.get("constraints", {}).get("enum", ()),
        )
        for each in schema["fields"]
    ]


def _unit(name: str | None) -> Text | None:
    return None if name is None else UNITS.get(name, Text(name, name))


def _meaning(field: Mapping[str, Any], contract: TableContract) -> Text:
    """What the release says of a column; in one language each where the contract still says so."""
    told = field["description"]
    for column in contract.columns:
        if column.name == field["name"] and bilingual(column.description) == told:
            return _both(column.description)
    return Text(told, told)


def _versions(paths: CityPaths, dataset: str) -> list[Version]:
    shown = [
        (version, folder)
        for version in shown_versions(paths, dataset)[::-1]
        if (folder := paths.releases / dataset / version).is_dir()
    ][:SHOWN_VERSIONS]
    counts = _changed_rows([folder / "changes.parquet" for _, folder in shown])
    found = []
    for version, folder in shown:
        report, provenance = (
            _read(folder / f"{name}.json") for name in ("quality-report", "provenance")
        )
        is_first = provenance["previous"] is None
        ops = {} if is_first else counts.get(str(folder / "changes.parquet"), {})
        added, revised, removed = (
            None if is_first else ops.get(op, 0) for op in ("insert", "update", "delete")
        )
        found.append(
            Version(
                version=version,
                place=_place(folder / "quality-report.md", paths),
                data_as_of=report["timeliness"]["data_as_of"],
                rows=report["coverage"]["rows"],
                added=added,
                revised=revised,
                removed=removed,
            )
        )
    return found


def _changed_rows(files: Sequence[Path]) -> dict[str, dict[str, int]]:
    """How many rows each file of changes inserts, updates and deletes."""
    if not files:
        return {}
    found: dict[str, dict[str, int]] = {}
    with closing(session(threads=1)) as connection:
        changes = f"read_parquet({literal_list(map(str, files))}, filename = true)"
        rows = connection.execute(
            f"SELECT filename, op, count(DISTINCT key) FROM {changes} GROUP BY ALL"  # noqa: S608 - quoted
        ).fetchall()
    for file, op, count in rows:
        found.setdefault(file, {})[op] = count
    return found


def _both(texts: Mapping[str, str]) -> Text:
    """Both languages; the one that is there where the other is missing."""
    vietnamese, english = texts.get("vi"), texts.get("en")
    return Text(vietnamese or english or "", english or vietnamese or "")


def _place(path: Path, paths: CityPaths) -> str:
    return quote(path.relative_to(paths.root).as_posix())


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))

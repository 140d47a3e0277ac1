"""Releases: immutable folders of open datasets, derived from promotion records.

`releases/<dataset>/<data-as-of>-<12 hex of content hash>/`; the same record gives the same
bytes. `latest.json` beside the versions names the newest one. Whatever is missing after a
crash, the next call of `repair` writes.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from publish.checksums import SUMS, write_sums
from publish.data_package import data_package
from publish.errors import ReleaseError
from publish.quality_report import coverage, markdown, quality_report
from publish.release_data import ordered, write_changes, write_csv, write_parquet
from quality.ledger import Ledger
from warehouse.boundary import reached
from warehouse.contract.model import Classification, TableContract
from warehouse.files import canonical_json, file_digest, replace_content, scratch, sync
from warehouse.mart_file import attach, published_columns, rows_sql, scratch_session
from warehouse.paths import CityPaths
from warehouse.promotion_record import Content, evidence, records
from warehouse.publication import Publication

LATEST = "latest.json"


@dataclass(frozen=True)
class Release:
    """One version of a dataset.

    Attributes:
        folder: Where it lies.
        is_new: Whether this call wrote it.
    """

    dataset: str
    version: str
    folder: Path
    is_new: bool


@dataclass(frozen=True)
class _Due:
    """A version that the promotion records call for, and the mart file with its rows."""

    content: Content
    mart_file: Path


def repair(
    paths: CityPaths,
    publications: Sequence[Publication],
    contracts: Mapping[str, TableContract],
) -> dict[str, Release]:
    """Bring releases and `latest.json` of every open dataset in line with the records.

    Args:
        paths: Folders of the city.
        publications: Of the city; internal ones are passed over.
        contracts: Mart contracts by name.

    Returns:
        Dataset -> its newest release; a dataset of which nothing was promoted is left out.

    Raises:
        ReleaseError: when a dataset may not be published as it is declared, or a version is due
            whose rows are gone.
    """
    newest = {}
    for publication in publications:
        if publication.is_open:
            release = release_due(paths, publication, contracts)
            if release is not None:
                newest[publication.name] = release
    return newest


def release_due(
    paths: CityPaths, publication: Publication, contracts: Mapping[str, TableContract]
) -> Release | None:
    """Write the versions of one open dataset that are due and not there; name the newest.

    Returns:
        The newest release, or None where nothing was promoted.

    Raises:
        ReleaseError: as for `repair`.
    """
    contract = contracts[publication.marts[0]]
    _refuse_closed(publication, contract)
    ledger = Ledger(paths)
    release: Release | None = None
    previous: Release | None = None
    versions, shown = _due(paths, publication.name)
    for due in versions:
        folder = paths.releases / publication.name / due.content.version
        is_new = not folder.exists()
        if is_new:
            write_release(paths, publication, contract, due.content, due.mart_file, previous)
        previous = Release(publication.name, due.content.version, folder, is_new)
        if due.content.version == shown[-1]:
            release = previous
        ledger.append(
            "release",
            f"release:{publication.name}:{due.content.version}",
            {
                "content_hash": due.content.content_hash,
                "promotion": due.content.record,
                "sha256sums": file_digest(folder / SUMS),
            },
        )
    if release is not None:
        release = _advance_latest(paths, publication.name, release)
    return release


def write_release(
    paths: CityPaths,
    publication: Publication,
    contract: TableContract,
    content: Content,
    mart_file: Path,
    previous: Release | None,
) -> None:
    """Write one version, whole or not at all; equal inputs give equal bytes.

    Args:
        paths: Folders of the city.
        publication: An open dataset.
        contract: Of its mart.
        content: What was promoted.
        mart_file: The promoted file that holds its rows.
        previous: The release before, or None for the first.

    Raises:
        ReleaseError: when the rows are gone.
    """
    if not mart_file.exists():
        raise ReleaseError(
            f"{publication.name} {content.version} is due, but its mart file is gone"
        )
    temporary = scratch(paths.work, "release")
    temporary.mkdir()
    _write_files(paths, temporary, publication, contract, content, mart_file, previous)
    write_sums(temporary)
    for path in [*temporary.iterdir(), temporary]:
        sync(path)
    target = paths.releases / publication.name / content.version
    target.parent.mkdir(parents=True, exist_ok=True)
    reached("release.before_folder")
    try:
        temporary.rename(target)
    except OSError:
        # Another process was first with the same bytes.
        shutil.rmtree(temporary)
        if not target.is_dir():
            raise
    sync(target.parent)
    reached("release.after_folder")


def latest_version(paths: CityPaths, dataset: str) -> str | None:
    """The version that `latest.json` names, or None where there is none."""
    path = paths.releases / dataset / LATEST
    return str(json.loads(path.read_bytes())["version"]) if path.exists() else None


def shown_versions(paths: CityPaths, dataset: str) -> list[str]:
    """The versions that readers were shown, oldest first; one that came back stands last."""
    shown = _due(paths, dataset)[1]
    return [each for place, each in enumerate(shown) if each not in shown[place + 1 :]]


def _refuse_closed(publication: Publication, contract: TableContract) -> None:
    """Refuse a dataset that would show more than open columns, or tell of people's health.

    Raises:
        ReleaseError: with the reason.
    """
    if contract.health:
        raise ReleaseError(f"{publication.name}: {contract.name} tells of people's health")
    for name in publication.columns:
        try:
            column = contract.column(name)
        except KeyError:
            raise ReleaseError(
                f"{publication.name}: {contract.name} has no column {name}"
            ) from None
        if column.classification is not Classification.OPEN:
            raise ReleaseError(f"{publication.name}: column {name} is {column.classification}")


def _due(paths: CityPaths, dataset: str) -> tuple[list[_Due], list[str]]:
    """The versions that the records call for, oldest first, and the order they are shown in.

    A version is due where the published content changed. Content that comes back on the same
    data-as-of is the version that it was: nothing to write, but it is shown once more.
    """
    due: dict[str, _Due] = {}
    shown: list[str] = []
    before: str | None = None
    for record in records(paths):
        entry = record.entries.get(dataset)
        content = entry.promoted if entry else None
        if content is None or content.record != record.number or record.mart_file is None:
            continue
        if content.published_hash != before:
            before = content.published_hash
            due.setdefault(content.version, _Due(content, paths.marts / record.mart_file))
            shown.append(content.version)
    return list(due.values()), shown


def _write_files(
    paths: CityPaths,
    folder: Path,
    publication: Publication,
    contract: TableContract,
    content: Content,
    mart_file: Path,
    previous: Release | None,
) -> None:
    """Write every file of a release but its checksums."""
    columns = published_columns(publication, contract)
    name = publication.name
    with scratch_session(paths.work, threads=1) as connection:
        attach(connection, mart_file, "promoted")
        rows = rows_sql("promoted", contract.name, content.parts)
        query = ordered(rows, columns, publication.key)
        write_parquet(connection, query, folder / f"{name}.parquet")
        write_csv(connection, query, columns, folder / f"{name}.csv")
        before = previous.folder / f"{name}.parquet" if previous else None
        changes = folder / "changes.parquet"
        new = folder / f"{name}.parquet"
        write_changes(connection, new, before, columns, publication.key, changes)
        covered = coverage(connection, query, columns)
    provenance = evidence(paths, content.provenance)
    checks = evidence(paths, content.checks)
    sources = provenance.get("sources", [])
    quarantined = provenance.get("quarantined_records", {})
    report = quality_report(publication, content, columns, covered, checks, quarantined)
    package = data_package(publication, content.version, columns, sources, folder)
    _write_json(folder / "datapackage.json", package)
    _write_json(folder / "quality-report.json", report)
    (folder / "quality-report.md").write_text(markdown(report), encoding="utf-8")
    _write_json(
        folder / "provenance.json",
        {
            **provenance,
            "dataset": name,
            "version": content.version,
            "previous": previous.version if previous else None,
            "data_as_of": content.data_as_of.isoformat(),
            "content_hash": content.content_hash,
            "published_hash": content.published_hash,
            "inputs": dict(content.inputs),
        },
    )


def _write_json(path: Path, value: object) -> None:
    """JSON that people can read and that is the same each time."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _advance_latest(paths: CityPaths, dataset: str, release: Release) -> Release:
    """Name the newest version, under a lock, from the records as they are under it.

    Returns:
        The release that `latest.json` names now.

    Raises:
        ReleaseError: when that would take readers back to an earlier data-as-of.
    """
    with _locked(paths, dataset):
        # Another process may have promoted since and not yet written its folder.
        ready = [
            each for each in _due(paths, dataset)[1] if (paths.releases / dataset / each).exists()
        ]
        version = ready[-1]
        path = paths.releases / dataset / LATEST
        shown = latest_version(paths, dataset)
        if shown is not None and shown[:10] > version[:10]:
            raise ReleaseError(f"{dataset}: latest.json names {shown}, newer than {version}")
        folder = paths.releases / dataset / version
        content = canonical_json({"version": version, "sha256": file_digest(folder / SUMS)})
        if not path.exists() or path.read_bytes() != content:
            reached("release.before_latest")
            replace_content(path, content, paths.work)
            reached("release.after_latest")
    return release if version == release.version else Release(dataset, version, folder, False)


@contextmanager
def _locked(paths: CityPaths, dataset: str) -> Iterator[None]:
    """One process at a time; the lock goes with the process."""
    paths.work.mkdir(parents=True, exist_ok=True)
    with (paths.work / f"latest.{dataset}.lock").open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield None

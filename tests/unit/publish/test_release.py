import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import frictionless
import pytest

from publish.checksums import verify_release
from publish.errors import ReleaseError
from publish.release import Release, latest_version, repair
from quality.ledger import Ledger
from tests.unit.gate.small_city import (
    CONTRACTS,
    DAY,
    MONTHLY,
    REQUESTS,
    city_paths,
    decision,
    request_rows,
    write_candidate,
)
from warehouse.duck import session
from warehouse.paths import CityPaths
from warehouse.promotion import promote

NAME = REQUESTS.name
JANUARY = date(2025, 1, 1)
FILES = {
    f"{NAME}.csv",
    f"{NAME}.parquet",
    "changes.parquet",
    "datapackage.json",
    "provenance.json",
    "quality-report.json",
    "quality-report.md",
    "SHA256SUMS",
}


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    return city_paths(tmp_path)


def release(
    paths: CityPaths, rows: list[tuple[object, ...]], day: date = DAY, verdict: str = "publish"
) -> Release | None:
    candidate = write_candidate(paths.work / "candidate.duckdb", {MONTHLY.name: rows})
    promote(paths, candidate, CONTRACTS, [decision(REQUESTS, verdict, day)])
    candidate.unlink()
    return repair(paths, [REQUESTS], CONTRACTS).get(NAME)


def read(path: Path) -> list[tuple[object, ...]]:
    with session() as connection:
        return connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def made(paths: CityPaths, counts: list[int], day: date = DAY) -> Release:
    found = release(paths, request_rows(counts, day), day)
    assert found is not None
    return found


def test_a_release_has_every_file_and_verifies(paths: CityPaths) -> None:
    first = made(paths, [3, 1, 2])
    assert first.is_new
    assert first.version.startswith("2025-07-01-")
    assert len(first.version) == 10 + 1 + 12
    assert set(bytes_of(first.folder)) == FILES
    verify_release(first.folder)
    assert latest_version(paths, NAME) == first.version
    subjects = [entry.subject for entry in Ledger(paths).entries()]
    assert subjects == [f"release:{NAME}:{first.version}"]


def test_formats_are_equal_and_columns_opt_in(paths: CityPaths) -> None:
    rows = [
        (JANUARY, "20001", 5, Decimal("12.5"), 'said "no",\r\nleft', "Hoa", DAY),
        (JANUARY, "20000", None, None, None, "Hoa", DAY),
        (JANUARY, "20002", 7, Decimal("0.000001"), "", "Hoa", DAY),
    ]
    found = release(paths, rows)
    assert found is not None
    parquet = read(found.folder / f"{NAME}.parquet")
    assert [row[1] for row in parquet] == ["20000", "20001", "20002"]
    content = (found.folder / f"{NAME}.csv").read_bytes()
    assert content.startswith(b"month,area_code,requests,share,note\r\n2025-01-01,20000,,,\r\n")
    assert b'2025-01-01,20001,5,12.500000,"said ""no"",\r\nleft"\r\n' in content
    assert content.endswith(b'2025-01-01,20002,7,0.000001,""\r\n')
    with (found.folder / f"{NAME}.csv").open(encoding="utf-8", newline="") as handle:
        lines = list(csv.reader(handle))
    expected = [["" if cell is None else str(cell) for cell in row] for row in parquet]
    assert lines[1:] == expected
    assert b"Hoa" not in b"".join(bytes_of(found.folder).values())


def test_the_same_again_is_no_release(paths: CityPaths) -> None:
    first = made(paths, [1, 2])
    before = bytes_of(paths.root)
    again = release(paths, request_rows([1, 2]), DAY + timedelta(days=1))
    assert again == replace(first, is_new=False)
    assert bytes_of(paths.root) == before


def test_a_change_in_closed_columns_is_no_release(paths: CityPaths) -> None:
    first = made(paths, [1])
    row = request_rows([1])[0]
    again = release(paths, [(*row[:5], "Minh", row[6])], DAY + timedelta(days=1))
    assert again is not None
    assert again.version == first.version


@pytest.mark.parametrize("verdict", ["reject", "hold"])
def test_what_the_gate_stops_changes_no_release(paths: CityPaths, verdict: str) -> None:
    made(paths, [1, 2])
    before = bytes_of(paths.releases)
    release(paths, request_rows([9, 9]), DAY + timedelta(days=1), verdict)
    assert bytes_of(paths.releases) == before


def test_two_cities_with_the_same_data_release_the_same_bytes(
    paths: CityPaths, tmp_path: Path
) -> None:
    other = city_paths(tmp_path / "other")
    for each in (paths, other):
        made(each, list(range(300)))
        made(each, list(range(1, 301)), DAY + timedelta(days=1))
    assert bytes_of(paths.releases) == bytes_of(other.releases)


def test_repair_rebuilds_what_is_missing_to_the_byte(paths: CityPaths) -> None:
    first = made(paths, [1, 2])
    second = made(paths, [1, 3], DAY + timedelta(days=1))
    before = bytes_of(paths.releases)
    shutil.rmtree(first.folder)
    shutil.rmtree(second.folder)
    (paths.releases / NAME / "latest.json").unlink()
    repair(paths, [REQUESTS], CONTRACTS)
    assert bytes_of(paths.releases) == before


def test_repair_says_when_rows_are_gone(paths: CityPaths) -> None:
    first = made(paths, [1, 2])
    shutil.rmtree(first.folder)
    for file in paths.marts.glob("*.duckdb"):
        file.unlink()
    with pytest.raises(ReleaseError, match="gone"):
        repair(paths, [REQUESTS], CONTRACTS)


def test_latest_never_goes_back(paths: CityPaths) -> None:
    made(paths, [1, 2])
    latest = paths.releases / NAME / "latest.json"
    latest.write_text(json.dumps({"version": "2025-07-02-aaaaaaaaaaaa", "sha256": "0"}))
    with pytest.raises(ReleaseError, match="newer"):
        repair(paths, [REQUESTS], CONTRACTS)


def test_content_that_comes_back_is_its_old_version(paths: CityPaths) -> None:
    first, second, third = made(paths, [1]), made(paths, [2]), made(paths, [1])
    assert first.version == third.version != second.version
    assert latest_version(paths, NAME) == first.version
    assert Ledger(paths).verify() is None


def test_changes_are_what_a_plain_comparison_finds(paths: CityPaths) -> None:
    first = made(paths, [10, 20, 30, 40])
    assert read(first.folder / "changes.parquet") == []
    second = made(paths, [10, 25, 30], DAY + timedelta(days=1))
    rows = request_rows([10, 25, 30, 44, 50])
    rows[2] = (*rows[2][:4], None, *rows[2][5:])
    third = release(paths, rows, DAY + timedelta(days=2))
    assert third is not None
    for old, new in ((first, second), (second, third)):
        found = read(new.folder / "changes.parquet")
        assert sorted(map(repr, found)) == sorted(map(repr, plain_changes(old, new)))
        assert found


def plain_changes(old: Release, new: Release) -> list[tuple[object, ...]]:
    """The changes between two releases, from their CSV files in plain Python."""
    tables = []
    for each in (old, new):
        with (each.folder / f"{NAME}.csv").open(encoding="utf-8", newline="") as handle:
            tables.append({(row["month"], row["area_code"]): row for row in csv.DictReader(handle)})
    changes: list[tuple[object, ...]] = []
    for key in tables[0].keys() | tables[1].keys():
        before, after = tables[0].get(key), tables[1].get(key)
        op = "insert" if before is None else "delete" if after is None else "update"
        name = json.dumps({"month": key[0], "area_code": key[1]}, separators=(",", ":"))
        for column in ("requests", "share", "note"):
            was = before[column] or None if before else None
            now = after[column] or None if after else None
            if op != "update" or was != now:
                changes.append((name, op, column, was, now))
    return changes


def flip_csv(folder: Path) -> None:
    flip(folder / f"{NAME}.csv")


def flip_parquet(folder: Path) -> None:
    flip(folder / f"{NAME}.parquet")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        pytest.param(flip_csv, "csv was changed", id="csv-byte"),
        pytest.param(flip_parquet, "parquet was changed", id="parquet-byte"),
        pytest.param(lambda folder: (folder / "extra").touch(), "not listed", id="extra"),
        pytest.param(lambda folder: (folder / "provenance.json").unlink(), "missing", id="missing"),
        pytest.param(lambda folder: (folder / "SHA256SUMS").unlink(), "no SHA256SUMS", id="sums"),
        pytest.param(
            lambda folder: (folder / "SHA256SUMS").write_text("x\n"), "no checksum", id="torn-sums"
        ),
    ],
)
def test_a_release_that_was_tampered_with_is_refused(
    paths: CityPaths, tamper: Callable[[Path], object], message: str
) -> None:
    folder = made(paths, [1, 2, 3]).folder
    verify_release(folder)
    tamper(folder)
    with pytest.raises(ReleaseError, match=message):
        verify_release(folder)


def test_descriptions_and_provenance(paths: CityPaths) -> None:
    found = made(paths, [1, 2])
    package = json.loads((found.folder / "datapackage.json").read_bytes())
    assert package["version"] == found.version
    assert package["title"] == "Phản ánh (vi) / Phản ánh (en)"
    assert package["licenses"] == [
        {"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}
    ]
    assert package["contributors"] == [{"title": "Trung tâm / Centre", "roles": ["publisher"]}]
    assert package["sources"] == [{"title": "Open311"}]
    csv_resource, parquet_resource = package["resources"]
    assert csv_resource["bytes"] == (found.folder / f"{NAME}.csv").stat().st_size
    assert "bytes" not in parquet_resource
    fields = {field["name"]: field for field in csv_resource["schema"]["fields"]}
    assert list(fields) == list(REQUESTS.columns)
    assert fields["requests"]["unit"] == "1"
    assert fields["area_code"]["constraints"] == {"required": True, "pattern": "^[0-9]{5}$"}
    assert csv_resource["schema"]["primaryKey"] == ["month", "area_code"]
    provenance = json.loads((found.folder / "provenance.json").read_bytes())
    assert provenance["batches"][0]["raw_digests"] == ["ab" * 32]
    assert provenance["lock_digest"] == "ef" * 32
    assert provenance["data_as_of"] == "2025-07-01"
    report = json.loads((found.folder / "quality-report.json").read_bytes())
    assert report["coverage"]["rows"] == 2
    assert report["coverage"]["periods"] == {"month": {"first": "2025-01-01", "last": "2025-01-01"}}
    assert report["accuracy"]["summary"] == {"passed": 1}
    text = (found.folder / "quality-report.md").read_text(encoding="utf-8")
    assert report["contact"] == {"organisation": "oc", "name": {"vi": "Trung tâm", "en": "Centre"}}
    assert "| Đơn vị phụ trách / Responsible agency | Trung tâm / Centre (`oc`) |" in text
    assert "| Kết luận / Verdict | công bố / published |" in text
    everything = b"".join(bytes_of(found.folder).values())
    assert str(paths.root).encode() not in everything


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"columns": (*REQUESTS.columns, "agent")}, "personal", id="personal"),
        pytest.param({"columns": (*REQUESTS.columns, "gone")}, "no column", id="unknown"),
    ],
)
def test_a_dataset_may_show_open_columns_only(
    paths: CityPaths, change: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(ReleaseError, match=message):
        repair(paths, [replace(REQUESTS, **change)], CONTRACTS)  # type: ignore[arg-type]


def test_a_dataset_on_health_is_refused(paths: CityPaths) -> None:
    contracts = {**CONTRACTS, MONTHLY.name: replace(MONTHLY, health=True)}
    with pytest.raises(ReleaseError, match="health"):
        repair(paths, [REQUESTS], contracts)


@pytest.mark.parametrize("flip_file", [flip_csv, flip_parquet], ids=["csv", "parquet"])
def test_frictionless_accepts_the_package_and_refuses_a_changed_byte(
    paths: CityPaths, flip_file: Callable[[Path], None]
) -> None:
    rows = request_rows([1, 2, 3])
    rows[1] = (*rows[1][:2], None, None, None, *rows[1][5:])
    found = release(paths, rows)
    assert found is not None
    path = found.folder / "datapackage.json"
    report = frictionless.validate(str(path))
    assert report.valid, report.flatten(["type", "message"])
    flip_file(found.folder)
    assert not frictionless.validate(str(path)).valid


def test_duckdb_reads_no_clock_into_parquet(paths: CityPaths) -> None:
    found = made(paths, [1])
    with session() as connection:
        metadata = connection.execute(
            "SELECT * FROM parquet_kv_metadata(?)", [str(found.folder / f"{NAME}.parquet")]
        ).fetchall()
    assert metadata == []

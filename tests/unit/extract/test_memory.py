"""Reading takes bounded memory, whatever the size of a file: measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTE = 1 << 20
FILE_MEGABYTES = 480
PEAK_MEGABYTES = 300
RESOURCE = (
    b'{"resourceType": "Encounter", "a": "1234567890", "b": "Da Nang", '
    b'"c": "2025-07-01T08:00:00+07:00"}'
)
# Resources and the Bundles of what was deleted go different ways through the format.
DELETION = (
    b'{"request": {"method": "DELETE", "url": "Encounter/KCB-250701-00001"}, "note": "'
    + b"x" * 10_000
    + b'"}'
)
LINES = {
    "csv": b"1234567890,Da Nang,2025-07-01T08:00:00+07:00,a field that nobody wants\n",
    "ndjson": b'{"a": "1234567890", "b": "Da Nang", "c": "2025-07-01T08:00:00+07:00"}\n',
    "fhir": RESOURCE + b"\n",
}
HEADERS = {"csv": b"a,b,c,d\n", "ndjson": b"", "fhir": b""}
SCRIPT = """
import re, sys
from datetime import UTC, date, datetime
from pathlib import Path
from extract.raw import RawStore
from extract.read import open_stream
from extract.window import Window
from warehouse.contract.model import RawColumn, SourceContract
from warehouse.paths import CityPaths

folder, kind = Path(sys.argv[1]), sys.argv[2]
source = SourceContract(
    "a.b", Path("x"), "t", "a", 1, "UTC", tuple(map(RawColumn, "abc")), (),
    transport={"kind": "file", "path": sys.argv[3]}, format={"kind": kind}, drift="discard",
)
window = Window(date(2025, 7, 1), None, datetime(2025, 7, 1, tzinfo=UTC))
store = RawStore(CityPaths(folder / "home", "city"))
records = sum(
    batch.records.num_rows
    for batch in open_stream(source, ("a", "b"), store, window, {}, folder)
)
# Not ru_maxrss: that starts at the size of the process that started this one.
status = Path("/proc/self/status").read_text()
print(records, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) // 1024)
"""


def measured(folder: Path, kind: str, name: str) -> tuple[int, int]:
    ended = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", SCRIPT, str(folder), kind, name],
        env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"},
        capture_output=True,
        check=True,
    )
    records, peak = ended.stdout.split()
    return int(records), int(peak)


@pytest.mark.parametrize("kind", LINES)
def test_memory_is_bounded_far_below_the_size_of_a_file(tmp_path: Path, kind: str) -> None:
    # Small files never fill the parser's read-ahead (32 blocks), so the bound is absolute.
    count = FILE_MEGABYTES * MEGABYTE // len(LINES[kind])
    with (tmp_path / "large").open("wb") as file:
        file.write(HEADERS[kind])
        for _ in range(count // 1000):
            file.write(LINES[kind] * 1000)
    records, peak = measured(tmp_path, kind, "large")
    assert records == count // 1000 * 1000
    assert peak <= PEAK_MEGABYTES


def test_memory_is_bounded_where_every_record_is_refused(tmp_path: Path) -> None:
    line = LINES["csv"].replace(b"\n", b"x" * 2_000 + b",\n")
    with (tmp_path / "large").open("wb") as file:
        file.write(HEADERS["csv"])
        for _ in range(FILE_MEGABYTES * MEGABYTE // len(line)):
            file.write(line)
    records, peak = measured(tmp_path, "csv", "large")
    assert records == 0
    assert peak <= PEAK_MEGABYTES


def test_memory_is_bounded_where_bundles_are_taken_apart(tmp_path: Path) -> None:
    deletions = 5
    bundle = (
        b'{"resourceType": "Bundle", "type": "transaction", "entry": ['
        + b", ".join([DELETION] * deletions)
        + b"]}\n"
    )
    block = RESOURCE + b"\n" + bundle
    count = FILE_MEGABYTES * MEGABYTE // len(block)
    with (tmp_path / "large").open("wb") as file:
        for _ in range(count):
            file.write(block)
    records, peak = measured(tmp_path, "fhir", "large")
    assert records == count * (1 + deletions)
    assert peak <= PEAK_MEGABYTES

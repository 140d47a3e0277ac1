"""Memory does not grow with the size of a file: measured in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MEGABYTE = 1 << 20
LINES = {
    "csv": b"1234567890,Da Nang,2025-07-01T08:00:00+07:00,a field that nobody wants\n",
    "ndjson": b'{"a": "1234567890", "b": "Da Nang", "c": "2025-07-01T08:00:00+07:00"}\n',
}
HEADERS = {"csv": b"a,b,c,d\n", "ndjson": b""}
SCRIPT = """
import resource, sys
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
print(records, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
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


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    peaks: dict[int, Any] = {}
    for megabytes in (12, 120):
        count = megabytes * MEGABYTE // len(LINES[kind])
        with (tmp_path / f"{megabytes}").open("wb") as file:
            file.write(HEADERS[kind])
            for _ in range(count // 1000):
                file.write(LINES[kind] * 1000)
        records, peaks[megabytes] = measured(tmp_path, kind, str(megabytes))
        assert records == count // 1000 * 1000
    assert peaks[120] <= 1.2 * peaks[12], json.dumps(peaks)

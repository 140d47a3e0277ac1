import csv
import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import shared_path

BOSTON = "a_citizen_feedback/boston_311_2015.csv.gz"
BEIJING = "d_environment/beijing_prsa_hourly"


def expected_rows(path: Path, columns: list[str]) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        header = next(rows)
        positions = [header.index(name) for name in columns]
        return [[row[position] for position in positions] for row in rows]


def opened(open_source: Any, path: str, columns: list[str]) -> Any:
    return open_source(
        columns,
        transport={"kind": "file", "path": path, "root_env": "SHARED"},
        format={"kind": "csv"},
        drift="discard",
        environ={"SHARED": str(shared_path(""))},
    ).read()


def delivered(stream: Any, columns: list[str]) -> list[list[str]]:
    found = []
    for batch in stream.batches:
        arrays = [batch.records.column(name).to_pylist() for name in columns]
        found += [[value or "" for value in row] for row in zip(*arrays, strict=True)]
    return found


def test_boston(open_source: Any) -> None:
    columns = ["CASE_ENQUIRY_ID", "CLOSED_DT", "CLOSURE_REASON", "CASE_STATUS", "LOCATION_ZIPCODE"]
    stream = opened(open_source, BOSTON, columns)
    rows = delivered(stream, columns)
    assert len(rows) == stream.reader.summary.records == 121_145
    assert sum(row[1] == "" for row in rows) == 19_873
    assert rows == expected_rows(shared_path(BOSTON), columns)
    numbers = [
        number for batch in stream.batches for number in batch.records["_raw_row"].to_pylist()
    ]
    assert numbers == list(range(121_145))


def test_beijing(open_source: Any) -> None:
    columns = ["No", "PM2.5", "station"]
    stream = opened(open_source, f"{BEIJING}/PRSA_Data_*.csv.gz", columns)
    rows = delivered(stream, columns)
    assert len(rows) == 420_768
    assert stream.reader.summary.objects == 12
    assert sum(row[1] == "NA" for row in rows) == 8_739
    files = sorted(shared_path(BEIJING).glob("PRSA_Data_*.csv.gz"))
    first, last = (expected_rows(file, columns) for file in (files[0], files[-1]))
    assert rows[: len(first)] == first
    assert rows[-len(last) :] == last


@pytest.mark.parametrize("kept", ["all", "few"])
def test_wanted_columns_alone_are_delivered(open_source: Any, kept: str) -> None:
    columns = ["No", "year", "station"]
    stream = opened(
        open_source, f"{BEIJING}/*Tiantan*.csv.gz", columns if kept == "all" else ["No"]
    )
    assert stream.batches[0].records.column_names[:-1] == (columns if kept == "all" else ["No"])

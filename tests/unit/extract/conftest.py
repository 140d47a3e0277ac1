from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extract.raw import RawStore
from extract.read import StreamReader, open_stream
from extract.window import Window
from warehouse.contract.model import RawColumn, SourceContract
from warehouse.paths import CityPaths
from warehouse.records import RecordBatch

if TYPE_CHECKING:
    from tests.unit.extract.postgres_server import Postgres

WINDOW = Window(
    date(2025, 7, 1), datetime(2025, 6, 30, 17, tzinfo=UTC), datetime(2025, 7, 1, 17, tzinfo=UTC)
)


@pytest.fixture(scope="session")
def postgres_session() -> "Iterator[Postgres]":
    """One PostgreSQL server for all tests that need one."""
    # Its client and the server are loaded only where such a test runs.
    from tests.unit.extract.postgres_server import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    return CityPaths(tmp_path / "home", "danang")


@pytest.fixture
def store(paths: CityPaths) -> RawStore:
    return RawStore(paths)


class Opened:
    """A stream read to its end, or as far as it went."""

    def __init__(self, reader: StreamReader) -> None:
        self.reader = reader
        self.batches: list[RecordBatch] = []

    def read(self) -> "Opened":
        self.batches.extend(self.reader)
        return self

    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.records.to_pylist()]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows()]

    def rejected(self) -> list[tuple[int, str, str]]:
        return [
            (each.row, each.text, each.reason) for batch in self.batches for each in batch.rejected
        ]


Open = Callable[..., Opened]


@pytest.fixture
def open_source(store: RawStore, tmp_path: Path) -> Open:
    """Opens a stream over given raw columns; the rest of the contract by keyword."""

    def open_(
        columns: list[str | RawColumn],
        *,
        wanted: list[str] | None = None,
        environ: dict[str, str] | None = None,
        window: Window = WINDOW,
        **contract: Any,
    ) -> Opened:
        declared = tuple(RawColumn(each) if isinstance(each, str) else each for each in columns)
        source = SourceContract(
            id="feedback.test",
            path=Path("test.yaml"),
            table="service_request",
            agency="agency",
            service_group=1,
            timezone="Asia/Ho_Chi_Minh",
            raw_columns=declared,
            mapping=(),
            **contract,
        )
        names = tuple(wanted or [each.name for each in declared])
        return Opened(open_stream(source, names, store, window, environ or {}, tmp_path))

    return open_


@pytest.fixture
def open_bytes(open_source: Open, tmp_path: Path) -> Open:
    """Opens a stream over one file of given bytes."""

    def open_(
        content: bytes, form: dict[str, Any], columns: list[str | RawColumn], **rest: Any
    ) -> Opened:
        (tmp_path / "input.dat").write_bytes(content)
        transport = {"kind": "file", "path": "input.dat"}
        return open_source(columns, transport=transport, format=form, **rest)

    return open_

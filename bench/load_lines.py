"""Lines of first loads: CSV files, APIs and a database into core."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.compare import table_differences
from bench.inputs import multiply_shared
from bench.line import CITY, HOME, Line, core_table, environment
from bench.measure import Measured, run
from pipeline.settings import REPOSITORY

TABLES = ("service_request", "sensor_observation")
HARBOUR = "tests/cities/harbour"
HARBOUR_DAY = "2017-02-28"
OPEN311_DAY = "2025-07-05"
PAGE_SIZE = 1_000
# After the last dossier and its completion, so that nothing lies in the future of the run.
DOSSIERS_DAY = "2025-01-31"


class CsvLine(Line):
    """Boston's requests and Beijing's hours, as they were published."""

    name = "csv"
    title = "Boston + Beijing CSV to core"
    ratio = 2.0
    slack_seconds = 0.5

    @property
    def shared(self) -> Path:
        """The folder that holds both publications."""
        return Path(os.environ.get("CITYLAKE_SHARED") or REPOSITORY.parent / "shared").resolve()

    def prepare(self) -> None:
        """The files are there."""

    def limit(self, folder: Path) -> Measured:
        """Two bare tables."""
        return run(
            "bench.limit.csv_to_core", str(self.shared), str(folder), environment=environment()
        )

    def ours(self, folder: Path) -> Measured:
        """Both sources of the test city Harbour."""
        variables = environment(**{HOME: folder, "CITYLAKE_SHARED": self.shared})
        sources = ("feedback.boston_311", "air_water.beijing_prsa")
        return run("bench.ours.load", HARBOUR, HARBOUR_DAY, *sources, environment=variables)

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """Both tables, by the columns that the limit has."""
        return [
            text
            for table in TABLES
            for text in table_differences(
                limit / "core" / table, core_table(ours, "harbour", table)
            )
        ]


class LargeCsvLine(CsvLine):
    """The same several times over, under other ids."""

    name = "csv8"
    title = "the same at 8 times the size"
    ratio = 1.5
    slack_seconds = 0.0
    repeats = 2
    memory_of = "csv"

    @property
    def shared(self) -> Path:
        """The folder of the multiplied files."""
        return self.inputs / f"shared-{self._copies}"

    @property
    def _copies(self) -> int:
        return self.size.of(8, 2)

    def prepare(self) -> None:
        """Multiply the published files once."""
        if not self.shared.exists():
            beside = self.inputs / "shared-unfinished"
            multiply_shared(super().shared, beside, self._copies)
            beside.rename(self.shared)


class Open311Line(Line):
    """All pages of a GeoReport server."""

    name = "open311"
    title = "Open311, 200k records to core"
    ratio = 2.0
    slack_seconds = 0.5
    url = ""

    @property
    def _records(self) -> int:
        return self.size.of(200_000, 20_000)

    def prepare(self) -> None:
        """The server makes its pages itself."""

    @contextmanager
    def standing(self) -> Iterator[None]:
        """One server for all runs of both sides."""
        command = [sys.executable, "-m", "bench.page_server", str(self._records), str(PAGE_SIZE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own module
            try:
                assert server.stdout is not None
                self.url = server.stdout.readline().strip()
                yield
            finally:
                server.terminate()

    def limit(self, folder: Path) -> Measured:
        """One bare table; the last page asked for is the empty one that ends the pages."""
        pages = str(self._records // PAGE_SIZE + 1)
        arguments = (self.url, str(folder), pages)
        return run("bench.limit.open311_to_core", *arguments, environment=environment())

    def ours(self, folder: Path) -> Measured:
        """The reference city's feedback."""
        variables: dict[str, str | Path] = {
            HOME: folder,
            "CITYLAKE_DANANG_OPEN311_URL": self.url,
            "CITYLAKE_DANANG_OPEN311_TOKEN": "benchmark",
        }
        arguments = ("danang", OPEN311_DAY, "feedback.open311")
        return run("bench.ours.load", *arguments, environment=environment(**variables))

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """The table, by the columns that the limit has."""
        table = "service_request"
        return table_differences(limit / "core" / table, core_table(ours, "danang", table))


class FhirLine(Line):
    """All files of a FHIR bulk export, with raw kept and every rule of source and table."""

    name = "fhir"
    title = "FHIR NDJSON, 1 GB to core"
    ratio = 2.0
    max_mib = 1024.0
    url = ""

    @property
    def _encounters(self) -> int:
        # About 780 bytes each.
        return self.size.of(1_300_000, 100_000)

    def prepare(self) -> None:
        """Make the files once; the folder keeps them."""
        with self.standing():
            assert self.url

    @contextmanager
    def standing(self) -> Iterator[None]:
        """One server for all runs of both sides."""
        folder = str(self.inputs / f"fhir-{self._encounters}")
        command = [sys.executable, "-m", "bench.bulk_server", folder, str(self._encounters)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own module
            try:
                assert server.stdout is not None
                self.url = server.stdout.readline().strip()
                yield
            finally:
                server.terminate()

    def limit(self, folder: Path) -> Measured:
        """One bare table, raw kept, without a rule."""
        return run("bench.limit.fhir_to_core", self.url, str(folder), environment=environment())

    def ours(self, folder: Path) -> Measured:
        """The reference city's encounters."""
        variables: dict[str, str | Path] = {
            HOME: folder,
            "CITYLAKE_DANANG_FHIR_URL": self.url,
            "CITYLAKE_DANANG_FHIR_TOKEN": "benchmark",
        }
        arguments = ("danang", OPEN311_DAY, "health.encounters")
        return run("bench.ours.load", *arguments, environment=environment(**variables))

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """The table, by the columns that the limit has."""
        table = "encounter"
        return table_differences(limit / "core" / table, core_table(ours, "danang", table))


class PostgresLine(Line):
    """A table of a PostgreSQL server, with raw kept and every rule of the table."""

    name = "postgres"
    title = "PostgreSQL, 2M x 12 to core"
    ratio = 2.0
    max_mib = 1024.0
    uri = ""

    @property
    def _rows(self) -> int:
        return self.size.of(2_000_000, 100_000)

    def prepare(self) -> None:
        """Make the table once; the folder keeps it."""
        with self.standing():
            assert self.uri

    @contextmanager
    def standing(self) -> Iterator[None]:
        """One server for all runs of both sides; it ends with its input."""
        folder = str(self.inputs / f"postgres-{self._rows}")
        command = [sys.executable, "-m", "bench.database", folder, str(self._rows)]
        with subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                self.uri = server.stdout.readline().strip()
                yield
            finally:
                server.stdin.close()

    def limit(self, folder: Path) -> Measured:
        """One bare table, without raw and without a rule."""
        return run("bench.limit.postgres_to_core", self.uri, str(folder), environment=environment())

    def ours(self, folder: Path) -> Measured:
        """The benchmark city's dossiers."""
        variables: dict[str, str | Path] = {HOME: folder, "CITYLAKE_BENCH_DATABASE": self.uri}
        arguments = (CITY, DOSSIERS_DAY, "public_services.dossiers")
        return run("bench.ours.load", *arguments, environment=environment(**variables))

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """The table, by the columns that the limit has."""
        return table_differences(limit / "core/dossier", core_table(ours, "bench", "dossier"))

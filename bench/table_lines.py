"""Lines over a large table of service requests: changes into it, and marts out of it."""

from pathlib import Path
from statistics import median

from bench.compare import query_differences, table_differences
from bench.inputs import write_changes, write_requests
from bench.line import CITY, HOME, Line, core_table, environment, link_tree
from bench.measure import Measured, run

SOURCE = "feedback.requests"
INPUT = "CITYLAKE_BENCH_INPUT"
FILE = "requests.parquet"
# After the last request and its closing, so that nothing lies in the future of the run.
BASE_DAY = "2025-01-31"
CHANGES_DAY = "2025-02-01"

_INDICATOR = """
    SELECT indicator_code, area_code, area_valid_from, period_start, value, numerator, denominator,
        n
    FROM ours.main.{mart}
"""
OURS = {
    "monthly": """
        SELECT requested_month, area_code, area_valid_from, service_code, requests_opened,
            requests_closed, requests_closed_on_time, requests_closed_late, requests_overdue
        FROM ours.main.mart_service_request_monthly
    """,
    "indicator": " UNION ALL ".join(
        _INDICATOR.format(mart=mart) for mart in ("mart_city_indicator", "mart_district_indicator")
    ),
}


class _RequestsLine(Line):
    """Both sides start from a table of their own that holds the base rows already."""

    @property
    def _rows(self) -> int:
        return self.size.of(10_000_000, 500_000)

    @property
    def _changes(self) -> int:
        return self._rows // 50

    @property
    def _base(self) -> Path:
        return self.inputs / f"base-{self._rows}"

    @property
    def _new(self) -> Path:
        return self.inputs / f"changes-{self._rows}"

    @property
    def _bare(self) -> Path:
        return self.inputs / f"bare-{self._rows}"

    @property
    def _home(self) -> Path:
        return self.inputs / f"home-{self._rows}"

    def prepare(self) -> None:
        """Write the rows and load the base once into each side's table."""
        for folder, write in ((self._base, self._write_base), (self._new, self._write_changes)):
            if not (folder / FILE).exists():
                folder.mkdir(exist_ok=True)
                write()
        if not self._bare.exists():
            run("bench.limit.upsert", "prepare", str(self._base / FILE), str(self._bare),
                environment=environment())  # fmt: skip
        if not self._home.exists():
            beside = self.inputs / "home-unfinished"
            self._load(self._base, BASE_DAY, beside)
            beside.rename(self._home)

    def _write_base(self) -> None:
        write_requests(self._base / FILE, self._rows)

    def _write_changes(self) -> None:
        write_changes(self._new / FILE, self._base / FILE, self._changes)

    def _load(self, source: Path, day: str, home: Path) -> Measured:
        variables = environment(**{HOME: home, INPUT: source})
        return run("bench.ours.load", CITY, day, SOURCE, environment=variables)


class UpsertLine(_RequestsLine):
    """Changed rows into two months of the table."""

    name = "upsert"
    title = "200k changed rows into 10M"
    ratio = 1.5

    def limit(self, folder: Path) -> Measured:
        """Into a copy of the bare table."""
        link_tree(self._bare, folder / "table")
        arguments = ("run", str(self._new / FILE), str(folder / "table"))
        return run("bench.limit.upsert", *arguments, environment=environment())

    def ours(self, folder: Path) -> Measured:
        """Into a copy of the lake."""
        link_tree(self._home, folder / "home")
        return self._load(self._new, CHANGES_DAY, folder / "home")

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """The whole table, by the columns that the limit has."""
        return table_differences(
            limit / "table", core_table(ours / "home", "bench", "service_request")
        )


class MartsLine(_RequestsLine):
    """The marts over the whole table."""

    name = "marts"
    title = "marts over 10M requests"
    ratio = 1.5
    repeats = 2

    def measure_slack(self, folder: Path) -> float:
        """One start of dbt: our build on an empty core, with the project parsed before.

        The median of three, since a whole verdict hangs on it.
        """
        home = folder / "home"
        self._build(home, folder / "first")
        return median(self._build(home, folder / f"again-{turn}").seconds for turn in range(3))

    def limit(self, folder: Path) -> Measured:
        """Plain SQL over the files that ours reads."""
        core = core_table(self._home, "bench", "service_request")
        areas = Path(CITY) / "geography" / "area.csv"
        arguments = (str(core), str(areas), BASE_DAY, str(folder / "limit.duckdb"))
        return run("bench.limit.marts", *arguments, environment=environment())

    def ours(self, folder: Path) -> Measured:
        """The pipeline's build, tests included."""
        return self._build(self._home, folder / "build")

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """Keys, counts, numerators, denominators and values of the marts."""
        candidate = ours / "build" / "candidate.duckdb"
        return query_differences(limit / "limit.duckdb", candidate, OURS)

    def _build(self, home: Path, work: Path) -> Measured:
        variables = environment(**{HOME: home})
        return run("bench.ours.marts", CITY, BASE_DAY, str(work), environment=variables)

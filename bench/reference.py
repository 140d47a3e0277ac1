"""The machine's calibration, and what each bare limit took when it was first measured."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.inputs import REQUESTS_SQL
from warehouse.duck import session

FILE = Path(__file__).with_name("limits.json")
CALIBRATION_ROWS = 2_000_000
CALIBRATION_SCANS = 5
# A bare side this many times slower than first measured tells of a machine at work elsewhere.
SLOWEST = 1.5
_SCAN = """
    SELECT area_code, service_code, count(*), max(closed_at), sum(hash(service_request_id)::HUGEINT)
    FROM read_parquet('{file}') GROUP BY ALL
"""


@dataclass(frozen=True)
class Reference:
    """A bare limit as first measured.

    Attributes:
        limit_seconds: Wall time of the bare side.
        calibration_seconds: What the fixed scan took in the same run.
    """

    limit_seconds: float
    calibration_seconds: float

    def holds(self, limit_seconds: float, calibration_seconds: float) -> bool:
        """Whether a bare side of today, scaled by today's calibration, is fast enough to count."""
        scaled = limit_seconds * self.calibration_seconds / calibration_seconds
        return scaled <= SLOWEST * self.limit_seconds


class Calibration:
    """A fixed DuckDB scan of a fixed file, taken beside the runs that it is to explain."""

    def __init__(self, folder: Path) -> None:
        """Write the file that every scan reads."""
        self._file = folder / "calibration.parquet"
        self._seconds: list[float] = []
        select = REQUESTS_SQL.format(
            districts=8,
            seconds_in_all=86_400,
            rows=CALIBRATION_ROWS,
            first=0,
            last=CALIBRATION_ROWS,
        )
        with session() as connection:
            connection.execute(f"COPY ({select}) TO '{self._file}' (FORMAT parquet)")

    def scan(self) -> None:
        """Take the time of some scans."""
        with session() as connection:
            for _ in range(CALIBRATION_SCANS):
                start = perf_counter()
                connection.execute(_SCAN.format(file=self._file)).fetchall()
                self._seconds.append(perf_counter() - start)

    @property
    def seconds(self) -> float:
        """The middle of all scans so far."""
        return median(self._seconds)


def read(file: Path = FILE) -> dict[str, Reference]:
    """The references by name of line; none where there is no file."""
    if not file.exists():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    return {name: Reference(**each) for name, each in content.items()}


def write(references: dict[str, Reference], file: Path = FILE) -> None:
    """Keep the references."""
    content = {name: asdict(each) for name, each in sorted(references.items())}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

"""One run from candidate to serving file, as a process that a test may end."""

import os
from collections.abc import Mapping
from pathlib import Path

from publish.release import repair
from publish.serving import replace_serving
from quality.decisions import record_decisions
from tests.unit.gate.small_city import (
    CONTRACTS,
    INDICATOR,
    MONTHLY,
    REQUESTS,
    A,
    B,
    city_paths,
    decision,
    indicator_rows,
    request_rows,
    write_candidate,
)
from warehouse.files import scratch
from warehouse.paths import CityPaths
from warehouse.promotion import promote


def run(paths: CityPaths, value: int, version: int) -> None:
    rows = {
        INDICATOR.name: [*indicator_rows(1, value), *indicator_rows(2, value)],
        MONTHLY.name: request_rows([value, 7]),
    }
    candidate = write_candidate(scratch(paths.work, "candidate"), rows)
    decisions = [
        decision(A, "publish", version=version),
        decision(B, "hold", version=version),
        decision(REQUESTS, "publish", version=version),
    ]
    promote(paths, candidate, CONTRACTS, decisions)
    record_decisions(paths)
    repair(paths, [REQUESTS], CONTRACTS)
    replace_serving(paths, [A, B, REQUESTS], CONTRACTS)


def run_as_process(folder: Path, value: int, version: int, environment: Mapping[str, str]) -> None:
    """Target of a child process."""
    os.environ.update(environment)
    run(city_paths(folder), value, version)

"""The bare limit of orchestration: the steps of a day in one process, one after the other.

Usage: python -m bench.limit.steps CITY DAY
"""

import sys

from pipeline import steps
from pipeline.orchestration.plan import read_plan


def main(city: str, day: str) -> None:
    """Every source, then the marts, the gate and the release."""
    for source in read_plan(city).sources:
        steps.load(city, steps.extract(city, source.id, day)["extraction"])
    built = steps.build(city, day)["build"]
    steps.check(city, built)
    steps.promote(city, built)
    steps.publish(city, day)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

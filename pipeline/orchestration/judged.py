"""A build that was checked, promoted though a person decided something meanwhile."""

import logging
from typing import Any

from pipeline import steps
from warehouse.promotion_record import OvertakenError

# Each one needs another decision in the seconds between a check and the promotion after it.
CHECKS_AGAIN = 5
LOG = logging.getLogger(__name__)


def promote_judged(city: str, build: str | None) -> dict[str, Any]:
    """Promote a build; where a decision was recorded since it was checked, check it again first.

    A check takes its time and whoever decides waits for it, so that a decision falls just behind
    it. Nobody would check again by hand what a scheduler checked.

    Args:
        city: Name or folder of the city.
        build: As `pipeline.steps.promote` takes it.

    Returns:
        As `pipeline.steps.promote`.

    Raises:
        OvertakenError: when decisions overtook it each time.
        CitylakeError: as `check` and `promote` raise.
    """
    for _ in range(CHECKS_AGAIN):
        try:
            return steps.promote(city, build)
        except OvertakenError as error:
            LOG.warning("build %s: %s", build, error)
            steps.check(city, build)
    return steps.promote(city, build)

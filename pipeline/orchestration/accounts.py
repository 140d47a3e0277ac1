"""Whether a loaded batch adds up, and what is told of it to what waits for it."""

import logging
from typing import Any

from warehouse.errors import CitylakeError

LOG = logging.getLogger(__name__)


class AccountError(CitylakeError):
    """A batch in which a record has no outcome, or two."""


def account_for(loaded: dict[str, Any]) -> dict[str, Any]:
    """Check a batch and say what was set aside.

    Args:
        loaded: As `pipeline.steps.load` returns it.

    Returns:
        What an asset's event carries: `source`, `table`, `day`, `sequence` of the stream, Delta
        `version` of the table, `records`, `quarantined`.

    Raises:
        AccountError: when the outcomes do not add up to the records.
    """
    source, counts = loaded["source"], loaded["counts"]
    ended = sum(counts.values())
    if ended != loaded["records"]:
        message = f"{loaded['records']} records were read, {ended} have an outcome"
        raise AccountError(f"source {source}, day {loaded['day']}: {message} [accounts]")
    for line in loaded["notes"]:
        LOG.warning("%s", line)
    LOG.info("source %s, day %s: %s", source, loaded["day"], counts)
    names = ("source", "table", "day", "sequence", "version", "records")
    return {**{name: loaded[name] for name in names}, "quarantined": counts.get("quarantined", 0)}

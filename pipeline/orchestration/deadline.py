"""Which sources have not come by the hour at which marts are built."""

import logging
from datetime import date

from pipeline.context import open_context

LOG = logging.getLogger(__name__)


def missing_sources(city: str, day: str) -> list[str]:
    """The sources without a batch of a day or of a later one; each is a warning in the log.

    Args:
        city: Name or folder of the city.
        day: Processing day, `YYYY-MM-DD`.

    Returns:
        Ids in order; those whose contract is broken are among them.
    """
    context = open_context(city, date.fromisoformat(day), without_broken=True)
    late = [*context.city.broken]
    for source in context.city.sources.values():
        snapshot = context.lake.snapshot("core", source.table)
        as_of = snapshot.as_of(source.id) if snapshot else None
        if as_of is None or as_of < context.as_of:
            late.append(source.id)
    for name in late:
        LOG.warning("source %s, day %s: not there at the deadline", name, day)
    return sorted(late)

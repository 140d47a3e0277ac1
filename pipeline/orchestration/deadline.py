"""Which sources have not come by the hour at which marts are built."""

import os
from datetime import date

from pipeline.context import open_context
from pipeline.orchestration.notice import MISSING, Notice, give


def missing_sources(city: str, day: str, run: str | None = None) -> list[str]:
    """The sources without a batch of a day or of a later one; of each a notice is given.

    Args:
        city: Name or folder of the city.
        day: Processing day, `YYYY-MM-DD`.
        run: Who asks: the scheduler's id of the run.

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
    paths = context.paths
    for name in sorted(late):
        notice = Notice(context.city.name, name, day, MISSING, run)
        give(notice, paths.journal, paths.work, os.environ)
    return sorted(late)

"""Ours: the pipeline's own ingest step on some sources of a city.

Usage: python -m bench.ours.load CITY DAY SOURCE...
"""

import sys
from datetime import date

from pipeline.context import open_context
from pipeline.ingest import ingest


def main(city: str, day: str, *sources: str) -> None:
    """Ingest each source for the day; any failure ends the benchmark."""
    context = open_context(city, date.fromisoformat(day))
    for source in sources:
        ingested = ingest(context, source)
        if ingested.error:
            sys.exit(f"{source}: {ingested.error}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Ours: the pipeline's own build step over whatever the lake holds.

Usage: python -m bench.ours.marts CITY DAY WORK
"""

import sys
from datetime import date
from pathlib import Path

from pipeline.context import open_context
from pipeline.transform import build_candidate, pin


def main(city: str, day: str, work: Path) -> None:
    """Build and test all marts; the candidate stays in the scratch folder given."""
    context = open_context(city, date.fromisoformat(day))
    work.mkdir(parents=True)
    candidate = build_candidate(context, pin(context), work)
    if candidate.run.returncode or candidate.file is None:
        sys.exit(candidate.run.log.read_text(encoding="utf-8")[-2000:])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

"""What an export of the health system holds: of a day, of all or of what changed since."""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from demo import days
from demo.health import record
from demo.health.generator import generate
from demo.health.planted import plant, text_of
from demo.planted import Planted
from demo.window import Window

ORDINARY = -1  # entry of an encounter on which no fault is planted
ROWS_A_FILE = 10_000  # on scale 1
FEWEST_ROWS_A_FILE = 100
LISTINGS_KEPT = 3


@dataclass(frozen=True)
class Query:
    """What is asked for: what the source recorded from an instant on; None is everything."""

    as_of: date
    since: int | None = None

    @property
    def until(self) -> int:
        """The end of the day that is shown."""
        return days.ends_at(self.as_of)


class Exports:
    """The encounters of a window as the source knew them on each of its days."""

    def __init__(self, window: Window, *, faults: bool = True, rate: float = 1.0) -> None:
        self.window = window
        self._rows_a_file = max(FEWEST_ROWS_A_FILE, round(ROWS_A_FILE * window.scale))
        self._frame = generate(window)
        self.planted: list[Planted] = plant(window, self._frame, rate) if faults else []
        self._entries, self._texts = _entries(self.planted)
        carrying = pl.Series([each.row for each in self.planted], dtype=pl.UInt32)
        self._ordinary = self._frame.filter(~self._frame["row"].is_in(carrying.implode()))
        self._listing = lru_cache(maxsize=LISTINGS_KEPT)(self._listed)

    def knows(self, as_of: date) -> bool:
        """Whether the day lies in the window."""
        return self.window.first <= as_of <= self.window.last

    def counts(self, query: Query) -> list[int]:
        """How many encounters each file of the export holds; no file where there is none."""
        rows, size = self._listing(query).height, self._rows_a_file
        return [min(size, rows - start) for start in range(0, rows, size)]

    def file(self, query: Query, number: int) -> bytes:
        """The file of a number (from 0): newline-delimited resources."""
        start = number * self._rows_a_file
        listed = self._listing(query).slice(start, self._rows_a_file).with_row_index("place")
        ordinary = listed.filter(pl.col("entry") == ORDINARY)
        planted = listed.filter(pl.col("entry") != ORDINARY)
        texts = [self._texts[entry] for entry in planted["entry"]]
        lines = record.lines(self._frame[ordinary["row"]], query.until)
        both = pl.concat(
            [
                ordinary.select("place", lines.alias("text")),
                planted.select("place", pl.Series("text", texts, dtype=pl.String)),
            ]
        ).sort("place")["text"]
        joined: bytes = both.str.join("\n").cast(pl.Binary).item() or b""
        return joined + b"\n"

    def deletions(self, query: Query) -> bytes:
        """Bundles that delete what was removed since; empty where nothing was, or all is asked."""
        by_day: dict[date, list[tuple[int, str]]] = {}
        for each in self.planted:
            step = each.step_at(query.until)
            if query.since is None or step is None or step.records or step.recorded < query.since:
                continue
            by_day.setdefault(days.day_of(step.recorded), []).append(
                (step.recorded, each.identifier)
            )
        return b"".join(_bundle(removed) for _, removed in sorted(by_day.items()))

    def _listed(self, query: Query) -> pl.DataFrame:
        """Rows `row entry` of what the export holds, in order."""
        until = query.until
        ordinary = self._ordinary.filter(pl.col("started") < until).select(
            "row",
            pl.lit(ORDINARY, dtype=pl.Int32).alias("entry"),
            record.recorded(until).alias("recorded"),
        )
        planted = self._entries.filter(
            (pl.col("recorded") < until) & (pl.col("replaced") >= until)
        ).drop("replaced")
        known = pl.concat([ordinary, planted])
        if query.since is not None:
            known = known.filter(pl.col("recorded") >= query.since)
        return known.select("row", "entry").sort("row", "entry")


def _bundle(removed: list[tuple[int, str]]) -> bytes:
    """A transaction Bundle that deletes encounters, as of the latest of the deletions."""
    bundle = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": days.local_time(max(instant for instant, _ in removed))},
        "type": "transaction",
        "entry": [
            {"request": {"method": "DELETE", "url": f"Encounter/{identifier}"}}
            for _, identifier in sorted(removed)
        ],
    }
    return json.dumps(bundle, separators=(",", ":")).encode() + b"\n"


def _entries(planted: list[Planted]) -> tuple[pl.DataFrame, list[str]]:
    """One entry for each resource of each step, from its recording until the next step's.

    Returns:
        Rows `row entry recorded replaced`, and the line of each entry.
    """
    rows: list[tuple[int, int, int, int]] = []
    texts: list[str] = []
    for each in planted:
        ends = [step.recorded for step in each.steps[1:]] + [days.NEVER]
        for step, replaced in zip(each.steps, ends, strict=True):
            for shown in step.records:
                rows.append((each.row, len(texts), step.recorded, replaced))
                texts.append(text_of(each, shown))
    schema = {"row": pl.UInt32, "entry": pl.Int32, "recorded": pl.Int64, "replaced": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row"), texts

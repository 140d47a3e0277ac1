"""What the feedback system shows of its requests as of a day."""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from demo import days
from demo.feedback import record
from demo.feedback.generator import generate
from demo.feedback.planted import plant
from demo.planted import Planted
from demo.window import Window

LARGEST_PAGE = 1_000
ORDINARY = -1  # entry of a request on which no fault is planted
LISTINGS_KEPT = 4
BLOCK = 10_000  # records written at once: the cost of starting is shared by ten large pages
BLOCKS_KEPT = 6


@dataclass(frozen=True)
class Query:
    """Which requests are asked for; instants in seconds, None is no bound.

    Attributes:
        updated_after, updated_before: When the source recorded what it shows; at or after,
            and before.
        start, end: When the request was made; both ends belong to it.
        status: The status shown, or None for all.
    """

    updated_after: int | None = None
    updated_before: int | None = None
    start: int | None = None
    end: int | None = None
    status: str | None = None

    def conditions(self) -> list[pl.Expr]:
        """Conditions over the columns of a listing."""
        conditions = []
        if self.updated_after is not None:
            conditions.append(pl.col("recorded") >= self.updated_after)
        if self.updated_before is not None:
            conditions.append(pl.col("recorded") < self.updated_before)
        if self.start is not None:
            conditions.append(pl.col("requested") >= self.start)
        if self.end is not None:
            conditions.append(pl.col("requested") <= self.end)
        if self.status is not None:
            conditions.append(pl.col("status") == self.status)
        return conditions


class Feed:
    """The requests of a window as the source knew them on each of its days."""

    def __init__(self, window: Window, *, faults: bool = True, rate: float = 1.0) -> None:
        self.window = window
        self._frame = generate(window)
        self.planted: list[Planted] = plant(window, self._frame, rate) if faults else []
        self._entries, self._texts = _entries(self.planted)
        carrying = pl.Series([request.row for request in self.planted], dtype=pl.UInt32)
        ordinary = ~self._frame["row"].is_in(carrying.implode())
        self._ordinary = self._frame.filter(ordinary)
        self.listing = lru_cache(maxsize=LISTINGS_KEPT)(self._listing)
        self._known = lru_cache(maxsize=LISTINGS_KEPT)(self._known_at)
        self._block = lru_cache(maxsize=BLOCKS_KEPT)(self._written_block)

    def knows(self, as_of: date) -> bool:
        """Whether the day lies in the window."""
        return self.window.first <= as_of <= self.window.last

    def page(self, as_of: date, query: Query, number: int, size: int, *, extended: bool) -> bytes:
        """One page of the requests asked for, as a JSON array; empty past the last.

        Args:
            as_of: The day at whose end the source is looked at.
            query: Which requests.
            number: Page, from 1.
            size: Records a page, at most `LARGEST_PAGE`.
            extended: Whether the records hold `extended_attributes`.
        """
        first = (number - 1) * size
        end = max(first, min(first + size, self.count(as_of, query)))
        records = pl.Series([], dtype=pl.String)
        for block in range(first // BLOCK, -(-end // BLOCK)):
            written = self._block(as_of, query, block, extended)
            start = max(first - block * BLOCK, 0)
            records.append(written.slice(start, end - block * BLOCK - start))
        return _array(records)

    def count(self, as_of: date, query: Query) -> int:
        """How many records the query has on all its pages."""
        return self.listing(as_of, query).height

    def single(self, as_of: date, identifier: str, *, extended: bool) -> bytes | None:
        """The records of one request as a JSON array, or None where none is known."""
        place = record.place_of(identifier)
        if place is None:
            return None
        asked = (pl.col("day") == place[0]) & (pl.col("place") == place[1])
        rows = self._frame.filter(asked)["row"]
        listed = self._known(as_of).filter(pl.col("row").is_in(rows.implode()))
        if listed.is_empty():
            return None
        return _array(self._records(listed, days.ends_at(as_of), extended=extended))

    def _listing(self, as_of: date, query: Query) -> pl.DataFrame:
        """Rows `row entry recorded requested status` of what a query finds, in order."""
        return self._known(as_of).filter(*query.conditions())

    def _known_at(self, as_of: date) -> pl.DataFrame:
        """Everything the source shows at a day's end, by request."""
        until = days.ends_at(as_of)
        closed = pl.when(record.is_closed(until)).then(pl.lit("closed")).otherwise(pl.lit("open"))
        ordinary = self._ordinary.filter(pl.col("requested") < until).select(
            "row",
            pl.lit(ORDINARY, dtype=pl.Int32).alias("entry"),
            record.recorded(until).alias("recorded"),
            "requested",
            closed.alias("status"),
        )
        planted = self._entries.filter(
            (pl.col("recorded") < until) & (pl.col("replaced") >= until)
        ).drop("replaced")
        return pl.concat([ordinary, planted]).sort("row", "entry")

    def _written_block(self, as_of: date, query: Query, block: int, extended: bool) -> pl.Series:
        listed = self.listing(as_of, query).slice(block * BLOCK, BLOCK)
        return self._records(listed, days.ends_at(as_of), extended=extended)

    def _records(self, listed: pl.DataFrame, until: int, *, extended: bool) -> pl.Series:
        """The records of a part of a listing as texts, in its order."""
        listed = listed.select("row", "entry").with_row_index("place")
        ordinary = listed.filter(pl.col("entry") == ORDINARY)
        planted = listed.filter(pl.col("entry") != ORDINARY)
        written = record.lines(self._frame[ordinary["row"]], until, extended=extended)
        texts = [_text(self._texts[entry], extended=extended) for entry in planted["entry"]]
        return pl.concat(
            [
                ordinary.select("place", written.alias("text")),
                planted.select("place", pl.Series("text", texts, dtype=pl.String)),
            ]
        ).sort("place")["text"]


def _array(records: pl.Series) -> bytes:
    joined: bytes | None = records.str.join(",\n").cast(pl.Binary).item()
    return b"[\n" + (joined or b"") + b"\n]\n"


def _text(text: str, *, extended: bool) -> str:
    if extended:
        return text
    short = json.loads(text)
    del short["extended_attributes"]
    return json.dumps(short, ensure_ascii=False)


def _entries(planted: list[Planted]) -> tuple[pl.DataFrame, list[str]]:
    """One entry for each record of each step, from its recording until the next step's.

    Returns:
        Rows `row entry recorded requested status replaced`, and the record of each entry.
    """
    rows: list[tuple[int, int, int, int, str | None, int]] = []
    texts: list[str] = []
    for request in planted:
        ends = [step.recorded for step in request.steps[1:]] + [days.NEVER]
        for step, replaced in zip(request.steps, ends, strict=True):
            for shown in step.records:
                status = shown.get("status")
                rows.append(
                    (request.row, len(texts), step.recorded, request.began, status, replaced)
                )
                texts.append(json.dumps(shown, ensure_ascii=False))
    schema = {
        "row": pl.UInt32,
        "entry": pl.Int32,
        "recorded": pl.Int64,
        "requested": pl.Int64,
        "status": pl.String,
        "replaced": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row"), texts

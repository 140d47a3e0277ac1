"""The batch of records that extraction hands to the load."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

ROW_COLUMN = "_raw_row"


@dataclass(frozen=True)
class RejectedRecord:
    """A record that its format sets aside.

    Its text could not be split into columns, or it holds a code that its code list lacks.

    Attributes:
        row: Number of the record in its raw object, from 0.
        text: The record as it came, cut at 4,000 characters.
        reason: Reason code, for example `row:field_count` or `row:json`.
        further: More reason codes, where several hold.
    """

    row: int
    text: str
    reason: str
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordBatch:
    """Consecutive records of one raw object.

    Attributes:
        records: The declared raw columns, plus `_raw_row` (int64): the number of the record
            in its raw object, from 0. Text formats give every raw column as a string, an
            absent or JSON-null value as null.
        raw_digest: SHA-256 hex digest of the raw object's bytes as they came.
        raw_name: What the object was called at its source (file, archive member, page).
        rejected: Records of this stretch that could not be split into columns.
        ignored: Raw units that the format left out, by reason (for example blank lines).
    """

    records: pa.Table
    raw_digest: str
    raw_name: str
    rejected: Sequence[RejectedRecord] = ()
    ignored: dict[str, int] = field(default_factory=dict)

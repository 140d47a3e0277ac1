"""How much one statement of a load types."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from warehouse.staging import STATEMENT_BYTES, STATEMENT_ROWS, _Shared

ROWS = 25_000


def _slices(width: int, number: int) -> Iterator[pa.RecordBatch]:
    column = pa.array(["x" * width] * ROWS, pa.string())
    return iter([pa.record_batch([column], names=["text"])] * number)


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        pytest.param(10, STATEMENT_ROWS, id="narrow"),
        pytest.param(600, 3 * ROWS, id="wide"),
        pytest.param(2_000, ROWS, id="one_slice_is_too_wide_already"),
    ],
)
def test_a_statement_is_bounded_by_rows_and_by_bytes(width: int, rows: int) -> None:
    # Each thread sorts what its statement holds in the session's memory: wide rows ran out of it.
    shared = _Shared(_slices(width, 20))
    reader = shared.reader()
    assert reader is not None
    typed = reader.read_all()
    assert typed.num_rows == rows
    assert typed.nbytes < STATEMENT_BYTES + ROWS * (width + 4)
    following = shared.reader()
    assert following is not None
    assert following.read_all().num_rows == rows


def test_the_last_statement_takes_what_is_left() -> None:
    shared = _Shared(_slices(10, 3))
    reader = shared.reader()
    assert reader is not None
    assert reader.read_all().num_rows == 3 * ROWS
    assert shared.reader() is None

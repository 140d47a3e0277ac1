"""Numbers written with other decimal and thousands signs, as plain text."""

import re

import pyarrow as pa
import pyarrow.compute as compute

# Stands for one of the two signs while they change places; no text format can hold it.
PLACEHOLDER = "\x00"


def plain_numbers(values: pa.ChunkedArray, decimal: str, thousands: str) -> pa.ChunkedArray:
    """Rewrite number texts to a decimal point and no thousands sign.

    A text that is no number in the declared notation never turns into one: decimal sign and
    point change places, so that `1.5` under a decimal comma becomes `1,5` and is refused by
    the typing.

    Args:
        values: Text of one column.
        decimal: The decimal sign.
        thousands: The thousands sign, or an empty string.

    Returns:
        The column's text, same length.
    """
    if thousands:
        sign = re.escape(thousands)
        grouped = rf"^\s*[+-]?\d{{1,3}}({sign}\d{{3}})+({re.escape(decimal)}\d*)?\s*$"
        whole = compute.replace_substring(values, thousands, "")
        values = compute.if_else(compute.match_substring_regex(values, grouped), whole, values)
    if decimal == ".":
        return values
    for old, new in ((".", PLACEHOLDER), (decimal, "."), (PLACEHOLDER, decimal)):
        values = compute.replace_substring(values, old, new)
    return values

"""The points of a small trend picture, in a square of side one."""

from collections.abc import Sequence
from typing import Any

from publish.site.trend import bounds
from reports.brief.reading import Row

PERIODS = 13
_MONTHS = 12


def trend(rows: Sequence[Row], language: str) -> dict[str, Any]:
    """How an indicator moved over its newest periods.

    Args:
        rows: Figures of one indicator, of one or more extents.
        language: Of the description.

    Returns:
        `lines` (one an extent: points of complete periods), `dots` (points of periods that run),
        `target` (height of the newest target, or None) and `text`, which says the same in words.
        A point is `[x, y]` from 0 to 1, y upwards.
    """
    shown = sorted(
        (each for each in rows if each["value"] is not None and _counts(each)), key=_order
    )
    newest = sorted({each["period_start"] for each in shown})[-PERIODS:]
    shown = [each for each in shown if each["period_start"] in newest]
    if not shown:
        return {"lines": [], "dots": [], "target": None, "text": ""}
    values = [float(each["value"]) for each in shown]
    target = shown[-1]["target"]
    low, high = bounds([*values, *([float(target)] if target is not None else [])])
    months = [_month(each) for each in shown]
    first, length = min(months), max(max(months) - min(months), 1)
    lines: dict[object, list[list[float]]] = {}
    dots = []
    for row, month, value in zip(shown, months, values, strict=True):
        point = [round((month - first) / length, 4), round((value - low) / (high - low), 4)]
        if row["recency"] == "running":
            dots.append(point)
        else:
            lines.setdefault((row["area_code"], row["area_valid_from"]), []).append(point)
    return {
        "lines": list(lines.values()),
        "dots": dots,
        "target": round((float(target) - low) / (high - low), 4) if target is not None else None,
        "text": "; ".join(
            f"{each[f'period_{language}']}: {each[f'value_text_{language}']}" for each in shown
        ),
    }


def _counts(row: Row) -> bool:
    """Whether a figure may stand in a line: what counts a part of a past period would mislead."""
    is_whole = row["coverage_share"] == 1 or row["kind"] == "stock"
    return bool(is_whole or row["recency"] == "running")


def _order(row: Row) -> tuple[object, ...]:
    return row["period_start"], row["area_valid_from"], row["area_code"]


def _month(row: Row) -> int:
    start = row["period_start"]
    return int(start.year * _MONTHS + start.month)

"""Days of an SDMX time period, as SQL over its text.

Gregorian periods (`2025`, `2025-03`, `2025-03-08`) and reporting periods of a year that begins on
1 January (`2025-A1`, `2025-S2`, `2025-T3`, `2025-Q1`, `2025-M03`, `2025-W05`, `2025-D067`); weeks
are those of ISO 8601. Source: SDMX 2.1 technical notes, section 6, time formats.
"""

from collections.abc import Callable, Mapping

from warehouse.contract.zones import FIRST_YEAR, LAST_YEAR

_GREGORIAN_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Reporting period: letter to pattern of its number and the months that it takes.
_MONTHS = {
    "A": ("1", 12),
    "S": ("[12]", 6),
    "T": ("[1-3]", 4),
    "Q": ("[1-4]", 3),
    "M": ("(0[1-9]|1[0-2])", 1),
}


def period_start(text: str) -> str:
    """SQL of the first day (DATE) of a period; null where the text names none."""
    return _days(text, lambda start, last: start)


def period_end(text: str) -> str:
    """SQL of the last day (DATE) of a period; null where the text names none."""
    return _days(text, lambda start, last: last)


def period_month(text: str) -> str:
    """SQL of the month of the first day, `YYYY-MM`; null where the text names no period."""
    return f"strftime({period_start(text)}, '%Y-%m')"


PERIOD_DERIVATIONS: Mapping[str, Callable[[str], str]] = {
    "periodStart": period_start,
    "periodEnd": period_end,
    "periodMonth": period_month,
}


def _days(text: str, choose: Callable[[str, str], str]) -> str:
    """SQL that tells the forms apart; `choose` picks from the SQL of first and last day."""
    year = f"CAST(left({text}, 4) AS INTEGER)"
    number = f"CAST(substr({text}, 7) AS INTEGER)"
    day = f"CAST(try_strptime({text}, '%Y-%m-%d') AS DATE)"
    month = f"CAST(try_strptime({text} || '-01', '%Y-%m-%d') AS DATE)"
    first = f"make_date({year}, 1, 1)"
    fourth = f"make_date({year}, 1, 4)"
    week = f"({fourth} - (isodow({fourth}) - 1)::INTEGER + 7 * ({number} - 1))"
    nth = f"({first} + ({number} - 1))"
    forms = [
        ("[0-9]{4}", first, f"make_date({year}, 12, 31)"),
        ("[0-9]{4}-[0-9]{2}", month, f"last_day({month})"),
        (_GREGORIAN_DAY, day, day),
    ]
    for letter, (numbers, months) in _MONTHS.items():
        start = f"make_date({year}, 1 + {months} * ({number} - 1), 1)"
        last = f"last_day(make_date({year}, {months} * {number}, 1))"
        forms.append((f"[0-9]{{4}}-{letter}{numbers}", start, last))
    cases = [
        f"WHEN regexp_full_match({text}, '{pattern}') THEN {choose(start, last)}"
        for pattern, start, last in forms
    ]
    # Week 53 and day 366 are there in some years only.
    cases += [
        f"WHEN regexp_full_match({text}, '[0-9]{{4}}-W[0-9]{{2}}') THEN "
        f"CASE WHEN isoyear({week}) = {year} AND {number} > 0 "
        f"THEN {choose(week, f'({week} + 6)')} END",
        f"WHEN regexp_full_match({text}, '[0-9]{{4}}-D[0-9]{{3}}') THEN "
        f"CASE WHEN year({nth}) = {year} THEN {choose(nth, nth)} END",
    ]
    known = f"left({text}, 4) BETWEEN '{FIRST_YEAR}' AND '{LAST_YEAR}'"
    return f"TRY(CASE WHEN NOT ({known}) THEN NULL {' '.join(cases)} END)"

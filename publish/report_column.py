# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""What a report view is made of: columns with titles, texts in both languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from publish import wording
from publish.wording import LANGUAGES, Text
from warehouse.sql import quoted


@dataclass(frozen=True)
class ReportColumn:
    """One column of a report view.

    Attributes:
        sql: Expression; None where the column is the mart's own.
    """

    name: str
    title: Text
    sql: str | None = None


@dataclass(frozen=True)
class ReportView:
    """One view of the serving file.

    Attributes:
        title: What one row is.
        columns: In the order of the view.
        sql: Its SELECT.
    """

    name: str
    title: Text
    columns: Sequence[ReportColumn]
    sql: str


def heading(description: str) -> str:
    """The title of a column from its description: what stands before its first semicolon or comma.

    What is within brackets is no end of it.
    """
    depth = 0
    for place, letter in enumerate(description):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter in ";,":
            return description[:place]
    return description


def in_both(
    name: str, title: Text, expression: Mapping[str, str]
) -> tuple[ReportColumn, ReportColumn]:
    """A column in each language."""
    vietnamese, english = (
        ReportColumn(f"{name}_{language}", title, expression[language]) for language in LANGUAGES
    )
    return vietnamese, english


def names_of(name: str, title: Text, prefix: str) -> tuple[ReportColumn, ReportColumn]:
    """A column in each language that a table has as `<prefix>_vi` and `<prefix>_en`."""
    return in_both(name, title, {each: f"{prefix}_{each}" for each in LANGUAGES})


def words_of(
    name: str, title: Text, code: str, words: Mapping[str, Text] | Mapping[int, Text]
) -> tuple[ReportColumn, ReportColumn]:
    """The words of a code, in each language."""
    return in_both(name, title, {each: wording.word_sql(code, words, each) for each in LANGUAGES})


def declared_view(
    name: str, title: Text, columns: Sequence[ReportColumn], relation: str
) -> ReportView:
    """A view of declared columns alone."""
    selected = ",\n".join(f"{each.sql} AS {quoted(each.name)}" for each in columns)
    return ReportView(name, title, columns, f"SELECT {selected} FROM {relation}")

# ruff: noqa: S608 - names come quoted, conditions from publish.access
"""The report views as a role may read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from publish.wording import LANGUAGES
from warehouse.geography_model import AreaKey
from warehouse.sql import date_literal, literal, quoted

Row = Mapping[str, Any]
ANY = "true"


@dataclass(frozen=True)
class Reading:
    """A serving file, seen with the rights of a role.

    Attributes:
        connection: A read-only session on it.
        rights: As `publish.access.rights` gives them.
        language: Texts of other languages are not read: each is computed when it is.
    """

    connection: duckdb.DuckDBPyConnection
    rights: Mapping[str, str | None]
    language: str

    def rows(self, view: str, condition: str = ANY, order: str = "ALL") -> list[Row]:
        """The rows of a view that the role may see; none where it may not see the view."""
        if view not in self.rights:
            return []
        return self._ask(view, f"({self.rights[view] or ANY}) AND ({condition})", order)

    def names(self, table: str, condition: str = ANY, order: str = "ALL") -> list[Row]:
        """The rows of a table of names, which holds no figure and so is bounded by no right."""
        return self._ask(table, condition, order)

    def delivered(self) -> date | None:
        """The newest day of which anything was delivered or asked for; it is no figure either."""
        found = self.connection.execute(
            "SELECT max(day) FROM (SELECT max(delivered_as_of) AS day FROM publication_status "
            "UNION ALL SELECT max(attempt_day) FROM audit_source)"
        ).fetchone()
        return found[0] if found else None

    def _ask(self, relation: str, condition: str, order: str) -> list[Row]:
        others = " OR ".join(
            f"suffix(name, '_{each}')" for each in LANGUAGES if each != self.language
        )
        result = self.connection.execute(
            f"SELECT COLUMNS(lambda name: NOT ({others})) FROM {quoted(relation)} "
            f"WHERE {condition} ORDER BY {order}"
        )
        columns = [column[0] for column in result.description or ()]
        return [dict(zip(columns, values, strict=True)) for values in result.fetchall()]


def of_areas(keys: Sequence[AreaKey]) -> str:
    """The condition that a row is of one of the areas."""
    return " OR ".join(
        f"(area_code = {literal(code)} AND area_valid_from = {date_literal(day)})"
        for code, day in keys
    )

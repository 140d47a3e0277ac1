"""Reading the serving file with the rights of everyone, and with no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from publish.access import rights
from publish.wording import LANGUAGES, Text
from warehouse.access import Role, RoleKind
from warehouse.sql import quoted

Row = Mapping[str, Any]

_EVERYONE = Role("site", RoleKind.OPEN, {})


@dataclass(frozen=True)
class OpenView:
    """The report views of a serving file as everyone may see them."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, view: str, condition: str = "true", order: str = "ALL") -> list[dict[str, Any]]:
        """Rows of a view.

        Args:
            view: Its name.
            condition: SQL over its columns, beside that of the rights.
            order: SQL over its columns.

        Raises:
            KeyError: when not everyone may read the view.
        """
        allowed = rights(_EVERYONE)[view] or "true"
        return self._read(
            f"SELECT * FROM {quoted(view)} WHERE ({allowed}) AND ({condition}) ORDER BY {order}"  # noqa: S608 - quoted name, own text
        )

    def withheld(self) -> list[dict[str, Any]]:
        """Code, names and service group of the indicators that may not be shown yet."""
        return self._read(
            "SELECT indicator_code, name_vi, name_en, service_group FROM withheld_indicator "
            "ORDER BY indicator_code"
        )

    def _read(self, sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.connection.sql(sql).to_arrow_table().to_pylist()
        return found


def text_of(row: Row, name: str) -> Text | None:
    """The text of a column that stands in both languages; None where it has no value."""
    texts = [row[f"{name}_{language}"] for language in LANGUAGES]
    return Text(*texts) if all(text is not None for text in texts) else None

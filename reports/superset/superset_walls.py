"""Walls of our own in Superset: a reader asks for columns and metrics by their names, in no SQL.

One text is let through: the number of rows, which Superset adds to every drill to detail.

Superset lets everybody who may ask a chart's data write SQL of their own as a metric, a column or
a condition, and looks in it for sub-queries alone: a UNION reads another table, past the conditions
on rows. Read by `superset_config.py`, in Superset's own environment.
"""

import re
from collections.abc import Iterator
from typing import Any

import sqlglot
from flask import has_request_context
from sqlglot import exp
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from superset.security import SupersetSecurityManager

_MAKER = "citylake"
_VIEW = re.compile("report_[a-z_]+")
_CONDITIONS = ("where", "having")
# What Superset itself adds when a reader asks for the rows behind a figure: how many there are.
_ROWS = "COUNT(*)"


class SecurityManager(SupersetSecurityManager):  # type: ignore[misc]  # not in our environment
    """Superset's own, which also looks at how a reader asks for what may be read."""

    def raise_for_access(self, *arguments: Any, **named: Any) -> None:
        """As Superset's; of our database, SQL of one's own is for administrators.

        Raises:
            SupersetSecurityException: when the user may not have what is asked for.
        """
        super().raise_for_access(*arguments, **named)
        if self.is_admin():
            return
        query = named.get("query")
        database = named.get("database") or getattr(query, "database", None)
        if (query is not None or named.get("sql")) and is_ours(database):
            raise refusal("SQL Lab reads past the conditions on rows")
        asked = named.get("query_context") or named.get("viz")
        if asked is not None:
            _refuse_free_sql(asked)


def _refuse_free_sql(asked: Any) -> None:
    """Refuse a question about a dataset of ours that holds SQL, or asks for SQL."""
    source = asked.datasource
    if not is_ours(getattr(source, "database", None)):
        return
    names = {each.column_name for each in source.columns}
    queries = [each.to_dict() for each in getattr(asked, "queries", ())]
    for text in _sql_in([*queries, asked.form_data]):
        if text not in names:
            raise refusal("ask for columns and metrics by their names")
    if str(getattr(asked, "result_type", "")).endswith("query"):
        raise refusal("the text of a question holds the conditions on rows")


def _sql_in(asked: Any) -> Iterator[str]:
    """Every text of a question that would become SQL as it stands."""
    if isinstance(asked, dict):
        for name, value in asked.items():
            is_sql = (name == "sqlExpression" and value != _ROWS) or name in _CONDITIONS
            if is_sql and isinstance(value, str) and value.strip():
                yield value
            yield from _sql_in(value)
    elif isinstance(asked, list | tuple):
        for each in asked:
            yield from _sql_in(each)


def reads_one_view(sql: str, *, security_manager: Any, database: Any, **_: Any) -> str:
    """A statement as it is, where it reads one report view of ours and nothing else.

    The second wall: whatever way a text took into a statement, it is looked at as a whole before
    it is run.

    Raises:
        SupersetSecurityException: when it reads anything else.
    """
    is_reader = has_request_context() and not security_manager.is_admin()
    if is_reader and is_ours(database) and not is_one_view(sql):
        raise refusal("a statement reads one report view and nothing else")
    return sql


def is_one_view(sql: str) -> bool:
    """Whether a text is one statement that reads one report view and nothing else."""
    tree, *others = sqlglot.parse(sql, read="duckdb")
    if others or not isinstance(tree, exp.Select):
        return False
    if tree.find(exp.SetOperation, exp.With, exp.Join):
        return False
    tables = list(tree.find_all(exp.Table))
    names = {each.name for each in tables if isinstance(each.this, exp.Identifier)}
    plain = all(isinstance(each.this, exp.Identifier) and not each.catalog for each in tables)
    return plain and len(names) == 1 and all(_VIEW.fullmatch(name) for name in names)


def is_ours(database: Any) -> bool:
    """Whether a database of Superset is a serving file that `citylake reports` brought in."""
    if database is None:
        return False
    made = database.get_extra().get("metadata_params", {})
    return _MAKER in made


def refusal(message: str) -> SupersetSecurityException:
    """What a reader is told."""
    kind = SupersetErrorType.DATASOURCE_SECURITY_ACCESS_ERROR
    return SupersetSecurityException(SupersetError(message, kind, ErrorLevel.WARNING))


def own_name(query: Any) -> Any:
    """Of the people in lists of owners, the one who asks; administrators see all."""
    from superset import security_manager
    from superset.utils.core import get_user_id

    if security_manager.is_admin():
        return query
    return query.filter(security_manager.user_model.id == get_user_id())

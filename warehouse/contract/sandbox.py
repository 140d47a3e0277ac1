"""Expressions out of contracts: what they may say, and what they yield.

An expression is a scalar over the columns of one record. It is parsed by DuckDB itself, so that
what is checked is what will run, and walked against lists of what is allowed: a function that
nobody has thought of is refused. The text that goes into generated SQL is DuckDB's own rendering
of the parsed tree, never the author's: a comment or a stray bracket cannot change what is around.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse.duck import sandbox_session
from warehouse.sql import quoted

TEXT = "VARCHAR"

# Deterministic, row-wise, without access to clock, session, files or random numbers.
FUNCTIONS = frozenset(
    """
    + - * / // % || ~~ !~~ ~~* !~~* ^ **
    abs ceil ceiling floor round trunc sign greatest least
    lower upper trim ltrim rtrim left right substr substring length strlen reverse repeat
    lpad rpad replace translate concat concat_ws strip_accents nfc_normalize
    starts_with prefix suffix ends_with contains strpos instr position split_part
    like_escape not_like_escape ilike_escape not_ilike_escape
    regexp_matches regexp_full_match regexp_extract regexp_replace
    nullif coalesce ifnull if
    strptime try_strptime make_date make_timestamp
    date_part datepart year month day hour minute second quarter week isodow dayofweek
    date_diff datediff date_add date_trunc datetrunc last_day epoch epoch_ms epoch_us
    to_days to_hours to_minutes to_seconds
    """.split()  # noqa: SIM905 - a quoted list would hide the groups
)
TYPES = frozenset(
    """
    VARCHAR TEXT STRING BOOLEAN BOOL TINYINT SMALLINT INTEGER INT BIGINT HUGEINT DOUBLE FLOAT REAL
    DECIMAL NUMERIC DATE TIMESTAMP INTERVAL
    """.split()  # noqa: SIM905 - a quoted list would hide the groups
)
_CLASSES = frozenset(
    """
    BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR TYPE
    """.split()  # noqa: SIM905 - a quoted list would hide the groups
)
# TRY belongs to the compiler: an author's own would hide a typing error.
_FORBIDDEN_TYPES = frozenset({"OPERATOR_TRY", "ARRAY_EXTRACT", "STRUCT_EXTRACT", "ARRAY_SLICE"})
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {
    "WINDOW": "a window function",
    "SUBQUERY": "a subquery",
    "STAR": "a star",
    "LAMBDA": "a lambda",
    "PARAMETER": "a parameter",
    "POSITIONAL_REFERENCE": "a positional reference",
    "COLLATE": "a collation",
    "DEFAULT": "a default",
}


class ExpressionError(Exception):
    """An expression that is refused; the message says why."""


@dataclass(frozen=True)
class Expression:
    """An expression that may run.

    Attributes:
        sql: Its text, rendered by DuckDB from the parsed tree.
        columns: The declared columns that it references, in their declared spelling.
        sql_type: The DuckDB type that it yields.
        is_column: Whether it is nothing but one column.
    """

    sql: str
    columns: tuple[str, ...]
    sql_type: str
    is_column: bool


class Sandbox:
    """Checks expressions in one locked session; use it as a context manager."""

    def __init__(self) -> None:
        self._session = sandbox_session()

    def __enter__(self) -> "Sandbox":
        self._connection = self._session.__enter__()
        rows = self._connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()
        self._keywords = frozenset(row[0] for row in rows)
        self._rendered: dict[str, str] = {}
        return self

    def __exit__(self, *details: Any) -> None:
        self._session.__exit__(*details)

    def check(self, text: str, columns: Mapping[str, str]) -> Expression:
        """Check one expression.

        Args:
            text: The expression.
            columns: Columns that it may reference, with their DuckDB types.

        Returns:
            The expression as it may run, bound against an empty table of those columns.

        Raises:
            ExpressionError: when it does not parse, holds what is not allowed, references an
                undeclared column, or does not bind.
        """
        known = {name.lower(): name for name in columns}
        name = text.strip()
        is_plain = len(known) == len(columns) and _NAME.fullmatch(name) is not None
        if is_plain and name.lower() in known and name.lower() not in self._keywords:
            # What most mappings are: DuckDB would parse and render it as it stands.
            column = known[name.lower()]
            return Expression(name, (column,), self._type(columns[column]), is_column=True)
        tree = self._parse(text)
        found: dict[str, None] = {}
        for node in _nodes(tree):
            _refuse_node(node)
            if node["class"] == "COLUMN_REF":
                found[_column(node, known)] = None
        sql = self._render(text)
        sql_type = self._bind(sql, columns)
        return Expression(sql, tuple(found), sql_type, tree["class"] == "COLUMN_REF")

    def _parse(self, text: str) -> dict[str, Any]:
        """The tree of the one expression that the text must be."""
        parsed = json.loads(self._value("SELECT json_serialize_sql(?)", f"SELECT (\n{text}\n)"))
        if parsed.get("error"):
            raise ExpressionError(f"does not parse: {_first_line(parsed.get('error_message', ''))}")
        statements = parsed["statements"]
        node = statements[0]["node"] if len(statements) == 1 else {}
        plain = (
            node.get("type") == "SELECT_NODE"
            and len(node["select_list"]) == 1
            and node["from_table"]["type"] == "EMPTY"
            and not node["modifiers"]
            and not node["cte_map"]["map"]
            and not node["group_expressions"]
            and all(node[part] is None for part in ("where_clause", "having", "qualify", "sample"))
        )
        if not plain:
            raise ExpressionError("is not one expression")
        tree: dict[str, Any] = node["select_list"][0]
        return tree

    def _render(self, text: str) -> str:
        sql = "SELECT json_deserialize_sql(json_serialize_sql(?))"
        rendered: str = self._value(sql, f"SELECT (\n{text}\n)")
        return rendered.removeprefix("SELECT ")

    def _bind(self, sql: str, columns: Mapping[str, str]) -> str:
        """The type that the expression yields over an empty table."""
        fields = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(c)}" for c, kind in columns.items())
        query = f"SELECT {sql} AS value FROM (SELECT {fields}) AS record"  # noqa: S608 - rendered from a checked tree
        try:
            return self.describe(query)["value"]
        except duckdb.Error as error:
            raise ExpressionError(f"does not bind: {_first_line(str(error))}") from error

    def _type(self, kind: str) -> str:
        """A type in DuckDB's own spelling."""
        if kind not in self._rendered:
            self._rendered[kind] = self._bind("value", {"value": kind})
        return self._rendered[kind]

    def describe(self, query: str) -> dict[str, str]:
        """The columns of a query and their DuckDB types; the query is bound, not run.

        Raises:
            duckdb.Error: when it does not bind.
        """
        rows = self._connection.execute(f"DESCRIBE {query}").fetchall()
        return {str(row[0]): str(row[1]) for row in rows}

    def _value(self, sql: str, text: str) -> str:
        try:
            row = self._connection.execute(sql, [text]).fetchall()[0]
        except duckdb.Error as error:
            raise ExpressionError(f"does not parse: {_first_line(str(error))}") from error
        return str(row[0])


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else "unknown error"


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every expression node of a tree, the root first."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _refuse_node(node: Mapping[str, Any]) -> None:
    kind = node["class"]
    if kind not in _CLASSES or node.get("type") in _FORBIDDEN_TYPES:
        what = _WORDS.get(kind, str(node.get("type", kind)).lower())
        raise ExpressionError(f"holds {what}: not allowed in a contract")
    if kind == "FUNCTION":
        _refuse_function(node)
    if kind == "TYPE" and node["type_name"].upper() not in TYPES:
        raise ExpressionError(f"casts to {node['type_name']}: not allowed in a contract")


def _refuse_function(node: Mapping[str, Any]) -> None:
    name = node["function_name"].lower()
    plain = (
        not node.get("schema")
        and not node.get("catalog")
        and len(node.get("qualified_name", {}).get("path", [name])) == 1
        and not node.get("filter")
        and not node.get("distinct")
        and not node.get("order_bys", {}).get("orders")
    )
    if name not in FUNCTIONS or not plain:
        raise ExpressionError(f"calls {name}(): not among the functions that a contract may use")


def _column(node: Mapping[str, Any], known: Mapping[str, str]) -> str:
    """The declared column that a reference names."""
    name = ".".join(node["column_names"])
    if len(node["column_names"]) > 1:
        raise ExpressionError(f'references {name}: quote a dotted name as "{name}"')
    if name.lower() not in known:
        raise ExpressionError(f"references column {name!r}, which is not declared")
    return known[name.lower()]


def columns_of(names: Iterable[str]) -> dict[str, str]:
    """Text columns of these names, as `Sandbox.check` takes them."""
    return dict.fromkeys(names, TEXT)

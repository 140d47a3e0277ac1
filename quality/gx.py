"""Great Expectations: validates rows of a candidate mart file and of core. A server of its own.

The only module that imports Great Expectations (and pandas, through which it sees the rows). It
runs in the environment of `quality.gx_environment`; all that it imports must be there. What it
answers holds names of checks, counts, hashes of keys and aggregates of open columns: no value
of a row leaves the process. See `quality.gx_checks` for the asking side.
"""

import json
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import great_expectations
import pandas
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from quality.frames import ROWS, STRUCTURE
from warehouse.fork_server import serve
from warehouse.mart_file import attach, columns_of, scratch_session
from warehouse.sql import quoted

_SURROGATE = "_citylake_surrogate"
_ALL_ROWS = "all rows"
_SHOWN_VALUES = 20
_ORDERED = ("expect_table_columns_to_match_ordered_list",)
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*)(?=:|$)", re.MULTILINE)
_FORMAT = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
}

Answer = dict[str, Any]


def validate(request: Mapping[str, Any]) -> None:
    """Validate the marts or core tables of a request; the answers go to the file that it names.

    Args:
        request: As `quality.gx_checks` writes it.

    Raises:
        duckdb.Error: when the candidate cannot be opened.
        OSError: when the answers cannot be written.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    answers: list[Answer] = []
    context = great_expectations.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("candidate")
    with scratch_session(Path(request["folder"])) as connection:
        if request["candidate"]:
            attach(connection, Path(request["candidate"]), "candidate")
        for mart in request["marts"]:
            frames = _frames(connection, mart)
            for name, frame in frames.items():
                checks = [each for each in mart["checks"] if each["frame"] == name]
                if not checks:
                    continue
                asset = source.add_dataframe_asset(f"{mart['mart']}/{name}")
                batch = asset.add_batch_definition_whole_dataframe(_ALL_ROWS).get_batch(
                    {"dataframe": frame}
                )
                answers += _validated(batch, mart["mart"], checks, request["sample"])
    Path(request["answers"]).write_text(json.dumps(answers), encoding="utf-8")


def _frames(
    connection: duckdb.DuckDBPyConnection, mart: Mapping[str, Any]
) -> dict[str, pandas.DataFrame]:
    """Rows indexed by their surrogate (where they can be read), and structure by column."""
    found = columns_of(connection, "candidate", mart["mart"]) if mart["columns"] else {}
    declared = {
        name: connection.execute(f"SELECT typeof(CAST(NULL AS {sql_type}))").fetchall()[0][0]
        for name, sql_type in mart["columns"].items()
    }
    names = [*declared, *(name for name in found if name not in declared)]
    structure = pandas.DataFrame(
        {
            "declared": [declared.get(name, "") for name in names],
            "found": [found.get(name, "") for name in names],
        },
        index=pandas.Index(names),
    )
    frames = {STRUCTURE: structure}
    try:
        rows = connection.sql(
            f"SELECT *, {mart['surrogate']} AS {quoted(_SURROGATE)} FROM ({mart['rows']})"  # noqa: S608 - our own text
        ).to_arrow_table()
    except duckdb.Error:
        # A key that is not there: the checks on rows stay without an answer and reject.
        return frames
    frame = rows.to_pandas(types_mapper=pandas.ArrowDtype)
    # Without a name: of a named index Great Expectations tells the values of the row beside it.
    frames[ROWS] = frame.set_index(_SURROGATE).rename_axis(index=None)
    return frames


def _validated(
    batch: Any, name: str, checks: Sequence[Mapping[str, Any]], sample: int
) -> list[Answer]:
    """The answers to the checks on one frame, all validated in one go."""
    by_name = {each["check"]: each for each in checks}
    # Given all at once: one that is added later takes the place of another of its type and column.
    suite = great_expectations.ExpectationSuite(
        name=name,
        expectations=[
            ExpectationConfiguration(
                type=each["kind"], kwargs=dict(each["arguments"]), meta={"check": each["check"]}
            )
            for each in checks
        ],
    )
    validated = batch.validate(suite, result_format=_FORMAT)
    return [
        _answer(result, by_name[result.expectation_config.meta["check"]], sample)
        for result in validated.results
    ]


def _answer(result: Any, check: Mapping[str, Any], sample: int) -> Answer:
    found: Mapping[str, Any] = result.result
    failing = found.get("unexpected_count")
    # Entries of the index, which is ours; anything else would hold values of the row.
    indexes = found.get("unexpected_index_list") or ()
    keys = sorted({key for key in indexes if isinstance(key, str)})
    observed = failing
    if failing is None and check["is_open"]:
        observed = _plain(found.get("observed_value"), is_sorted=check["kind"] not in _ORDERED)
    return {
        "check": check["check"],
        "success": result.success,
        "raised": _raised(result.exception_info),
        "failing": failing,
        "keys": keys[:sample],
        "observed": observed,
    }


def _raised(information: Any) -> str:
    """The kind of the exception that a check raised; empty for none. Its message is not told."""
    text = json.dumps(information, default=str)
    if '"raised_exception": true' not in text:
        return ""
    kinds = _EXCEPTION.findall(text.replace("\\n", "\n"))
    return kinds[-1] if kinds else "Exception"


def _plain(value: Any, *, is_sorted: bool = True) -> Any:
    """An aggregate as plain JSON, distinct values in an order that no run changes."""
    if isinstance(value, list | tuple | set):
        values = sorted(value, key=str) if is_sorted else list(value)
        return [_plain(each) for each in values[:_SHOWN_VALUES]]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)


if __name__ == "__main__":
    serve(validate)

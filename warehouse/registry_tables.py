"""The registry as the relations `ref.*` that the marts read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contract.model import SourceContract
from warehouse.registry_model import Indicator, Registry

_TEXT = pa.string()
_SCHEMAS: Mapping[str, pa.Schema] = {
    "indicator": pa.schema(
        {
            "code": _TEXT,
            "service_group": pa.int32(),
            "agency_code": _TEXT,
            "event": _TEXT,
            "kind": _TEXT,
            "measure": _TEXT,
            "unreliable_cv_percent": pa.int32(),
            "condition": _TEXT,
            "scale": pa.int32(),
            "rounding": pa.int32(),
            "unit": _TEXT,
            "revision_window_days": pa.int32(),
            "divisor": pa.int32(),
            "percentile": pa.int32(),
            "censored": _TEXT,
            "histogram": _TEXT,
        }
    ),
    "indicator_pass": pa.schema(
        dict.fromkeys(
            (
                "code",
                "event",
                "measure",
                "aggregation",
                "condition",
                "anchor",
                "numerator",
                "denominator",
                "enters",
                "leaves",
                "variance",
                "sample_size",
            ),
            _TEXT,
        )
    ),
    "indicator_target": pa.schema(
        {
            "code": _TEXT,
            "valid_from": pa.date32(),
            "valid_to": pa.date32(),
            "target": pa.decimal128(18, 4),
        }
    ),
    "publication": pa.schema(
        {"publication": _TEXT, "mart": _TEXT, "revision_window_days": pa.int32()}
    ),
    "source": pa.schema({"source_id": _TEXT, "service_group": pa.int32(), "timezone": _TEXT}),
}


def registry_tables(
    registry: Registry, sources: Mapping[str, SourceContract]
) -> dict[str, pa.Table]:
    """The Arrow tables of the registry, by name.

    Returns:
        `indicator`, `indicator_pass` (what is counted of each, one row a pass),
        `indicator_target`, `publication` and `source`.
    """
    rows: dict[str, Sequence[Mapping[str, Any]]] = {
        "indicator": _indicators(registry),
        "indicator_pass": _passes(registry),
        "indicator_target": [
            {
                "code": code,
                "valid_from": target.valid_from,
                "valid_to": target.valid_to,
                "target": target.value,
            }
            for code, indicator in registry.indicators.items()
            for target in indicator.targets
        ],
        "publication": [
            {
                "publication": publication.name,
                "mart": mart,
                "revision_window_days": publication.revision_window_days,
            }
            for publication in registry.publications.values()
            for mart in publication.marts
        ],
        "source": [
            {
                "source_id": source.id,
                "service_group": source.service_group,
                "timezone": source.timezone,
            }
            for _, source in sorted(sources.items())
        ],
    }
    return {
        name: pa.Table.from_pylist([dict(row) for row in rows[name]], schema=schema)
        for name, schema in _SCHEMAS.items()
    }


def write_parquet(
    registry: Registry, sources: Mapping[str, SourceContract], folder: Path
) -> dict[str, Path]:
    """Write each table to `<folder>/<table>.parquet`; the paths by relation (`ref.indicator`...).

    Raises:
        OSError: when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: dict[str, Path] = {}
    for name, table in registry_tables(registry, sources).items():
        paths[f"ref.{name}"] = folder / f"{name}.parquet"
        pq.write_table(table, paths[f"ref.{name}"])
    return paths


def _indicators(registry: Registry) -> list[dict[str, Any]]:
    """One row an indicator: its definition with what the city decides.

    `histogram` is the code of the first indicator that counts the same amounts of the same events:
    the quantiles of one distribution share what was counted.
    """
    own = {"agency_code", "condition", "revision_window_days", "histogram"}
    histograms: dict[tuple[Any, ...], str] = {}
    return [
        {
            name: getattr(indicator.definition, name)
            for name in _SCHEMAS["indicator"].names
            if name not in own
        }
        | {
            "agency_code": indicator.agency,
            "condition": indicator.condition,
            "revision_window_days": indicator.revision_window_days,
            "histogram": _histogram(indicator, histograms),
        }
        for indicator in registry.indicators.values()
    ]


def _histogram(indicator: Indicator, known: dict[tuple[Any, ...], str]) -> str | None:
    definition = indicator.definition
    if definition.measure != "quantile":
        return None
    counted = (
        definition.event,
        definition.anchor,
        definition.numerator,
        definition.censored,
        indicator.condition,
    )
    return known.setdefault(counted, definition.code)


def _passes(registry: Registry) -> list[dict[str, Any]]:
    own = ("event", "measure", "aggregation", "variance", "sample_size")
    return [
        {
            "code": code,
            "condition": indicator.condition,
            **{name: getattr(indicator.definition, name) for name in own},
            **asdict(each),
        }
        for code, indicator in registry.indicators.items()
        for each in indicator.definition.passes
    ]

"""datapackage.json: a release described by the Data Package standard, version 2."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warehouse.contract.model import Column
from warehouse.files import file_digest
from warehouse.publication import Publication

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
# Where the licences of public data can be read, by the names that the standard takes.
_LICENCES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "ODC-BY-1.0": "https://opendatacommons.org/licenses/by/1-0/",
    "ODC-PDDL-1.0": "https://opendatacommons.org/licenses/pddl/1-0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
}
_TYPES = {
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMPTZ": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "BOOLEAN": "boolean",
    "DOUBLE": "number",
    "FLOAT": "number",
    "DECIMAL": "number",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
}


def bilingual(texts: Mapping[str, str], separator: str = " / ") -> str:
    """Vietnamese first, English beside it; one of them where the other is missing or equal."""
    both = dict.fromkeys(texts[language] for language in ("vi", "en") if texts.get(language))
    return separator.join(both)


def data_package(
    publication: Publication,
    version: str,
    columns: Sequence[Column],
    sources: Sequence[Mapping[str, str]],
    folder: Path,
) -> dict[str, Any]:
    """The descriptor of a release.

    Args:
        publication: What is released.
        version: Of the release.
        columns: Published columns, in the order of the files.
        sources: Where the data comes from: `title`, and `path` where there is one.
        folder: The release with its data files.

    Returns:
        Plain JSON. The Parquet resource has no `bytes`: validators count them otherwise.
    """
    package: dict[str, Any] = {
        "$schema": _PROFILE,
        "name": publication.name,
        "title": bilingual(publication.title),
        "description": bilingual(publication.description, "\n\n"),
        "version": version,
        "licenses": [_licence(str(publication.licence))],
        "resources": _resources(publication, columns, folder),
    }
    if publication.owner:
        title = bilingual(publication.owner_name) or publication.owner
        package["contributors"] = [{"title": title, "roles": ["publisher"]}]
    if sources:
        package["sources"] = [dict(source) for source in sources]
    return package


def _licence(name: str) -> dict[str, str]:
    path = _LICENCES.get(name)
    return {"name": name, "path": path} if path else {"name": name}


def _resources(
    publication: Publication, columns: Sequence[Column], folder: Path
) -> list[dict[str, Any]]:
    schema = {
        "fields": [_field(column) for column in columns],
        "primaryKey": list(publication.key),
        "missingValues": [""],
    }
    csv = folder / f"{publication.name}.csv"
    parquet = folder / f"{publication.name}.parquet"
    return [
        {
            "name": f"{publication.name}-csv",
            "type": "table",
            "path": csv.name,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "dialect": {"delimiter": ",", "quoteChar": '"', "lineTerminator": "\r\n"},
            "bytes": csv.stat().st_size,
            "hash": f"sha256:{file_digest(csv)}",
            "schema": schema,
        },
        {
            "name": f"{publication.name}-parquet",
            "path": parquet.name,
            # Not `table` of `parquet`: validators then go through pandas, where a missing whole
            # number is no whole number, and do not compare the hash. The file has its own schema.
            "format": "vnd.apache.parquet",
            "mediatype": "application/vnd.apache.parquet",
            "hash": f"sha256:{file_digest(parquet)}",
        },
    ]


def _field(column: Column) -> dict[str, Any]:
    kind = _TYPES[column.sql_type.upper().partition("(")[0].strip()]
    field: dict[str, Any] = {
        "name": column.name,
        "type": kind,
        "description": bilingual(column.description),
    }
    if column.unit:
        field["unit"] = column.unit
    constraints = _constraints(column, kind)
    if constraints:
        field["constraints"] = constraints
    return field


def _constraints(column: Column, kind: str) -> dict[str, Any]:
    wanted = {
        "required": column.required or None,
        "enum": list(column.enum) or None,
        "minimum": _limit(column.minimum, kind),
        "maximum": _limit(column.maximum, kind),
        "pattern": column.pattern if kind == "string" else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _limit(value: float | None, kind: str) -> float | int | None:
    """A limit in the field's own type."""
    return int(value) if value is not None and kind == "integer" else value

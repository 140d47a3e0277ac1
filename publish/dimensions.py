"""Names of the codes in the marts: small tables beside them in the serving file."""

from collections.abc import Mapping

import pyarrow as pa

from publish.serving import is_served
from warehouse.city import Agency
from warehouse.contract.model import TableContract
from warehouse.geography import Geography
from warehouse.registry_model import Indicator, Registry

_TEXT = pa.string()
_INDICATOR = pa.schema(
    {
        "indicator_code": _TEXT,
        "name_vi": _TEXT,
        "name_en": _TEXT,
        "formula_vi": _TEXT,
        "formula_en": _TEXT,
        "service_group": pa.int32(),
        "agency_code": _TEXT,
        "unit": _TEXT,
        "publication": _TEXT,
        "kind": _TEXT,
        "rounding": pa.int32(),
        "better": _TEXT,
        "amber_within": pa.decimal128(18, 4),
        "is_headline": pa.bool_(),
        "is_open": pa.bool_(),
    }
)
_WITHHELD = pa.schema(
    [_INDICATOR.field(name) for name in _INDICATOR.names[:7] if "formula" not in name]
)
_AGENCY = pa.schema({"agency_code": _TEXT, "name_vi": _TEXT, "name_en": _TEXT, "level": _TEXT})
_AREA = {"code": "area_code", "valid_from": "area_valid_from", "valid_to": "area_valid_to"}


def dimensions(
    registry: Registry,
    geography: Geography,
    agencies: Mapping[str, Agency],
    contracts: Mapping[str, TableContract],
) -> dict[str, pa.Table]:
    """The names behind the codes, from where they are declared.

    Returns:
        `dim_area` (key `area_code`, `area_valid_from`; with the place in the schematic, where it
        has one), `dim_indicator` (key `indicator_code`;
        indicators that are not served are left out) and `dim_agency` (key `agency_code`), each in
        the order of its key, with names in Vietnamese and English.
    """
    area = geography.tables()["area"]
    area = area.join(geography.tile_table(), ["code", "valid_from"])
    area = area.rename_columns([_AREA.get(name, name) for name in area.column_names])
    served: list[dict[str, object]] = []
    withheld: list[dict[str, object]] = []
    for code, each in sorted(registry.indicators.items()):
        is_shown = is_served(registry.publications[each.publication], contracts)
        (served if is_shown else withheld).append(_indicator(code, each))
    offices = [
        {"agency_code": code, **_by_language("name", each.name), "level": each.level}
        for code, each in sorted(agencies.items())
    ]
    return {
        "dim_area": area.sort_by(
            [(name, "ascending") for name in ("area_code", "area_valid_from")]
        ),
        "dim_indicator": pa.Table.from_pylist(served, schema=_INDICATOR),
        "withheld_indicator": pa.Table.from_pylist(withheld, schema=_WITHHELD),
        "dim_agency": pa.Table.from_pylist(offices, schema=_AGENCY),
    }


def _indicator(code: str, indicator: Indicator) -> dict[str, object]:
    definition = indicator.definition
    return {
        "indicator_code": code,
        **_by_language("name", definition.name),
        **_by_language("formula", definition.formula),
        "service_group": definition.service_group,
        "agency_code": indicator.agency,
        "unit": definition.unit,
        "publication": indicator.publication,
        "kind": definition.kind,
        "rounding": definition.rounding,
        "better": definition.better,
        "amber_within": indicator.amber_within,
        "is_headline": indicator.is_headline,
        "is_open": indicator.is_open,
    }


def _by_language(name: str, texts: Mapping[str, str]) -> dict[str, str | None]:
    return {f"{name}_{language}": texts.get(language) for language in ("vi", "en")}

"""Every validator of contracts refuses, and says where: file, line, rule."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.contract.samples import (
    REPOSITORY,
    SOURCE,
    broken,
    copied_table,
    line_of,
    write_city,
)
from warehouse.city import load_city
from warehouse.contract.check import check_city
from warehouse.contract.merge import merge, merge_problems
from warehouse.contract.model import Classification
from warehouse.contract.problem import ContractError, Problem
from warehouse.contract.read import read_table
from warehouse.contract.read_source import read_source

OPEN311 = REPOSITORY / "cities" / "danang" / "sources" / "feedback" / "open311.yaml"

SCHEDULED = (
    "slaProperties:\n  - {{property: freshness, value: 24, unit: h, {}}}\nservers:\n  - server: api"
)
SOURCE_FAULTS = {
    "unknown_key": ("version: 1.0.0", "version: 1.0.0\nowner: me", "owner: me", "odcs.unknown_key"),
    "unknown_key_of_a_property": (
        "        transformLogic: id",
        "        transformLogic: id\n        unit: m",
        "unit: m",
        "odcs.unknown_key",
    ),
    "unknown_custom_property": (
        "{property: drift, value: freeze}",
        "{property: drfit, value: freeze}",
        "drfit",
        "citylake.unknown_key",
    ),
    "unknown_custom_property_of_a_column": (
        '{property: formats, value: ["%d/%m/%Y"]}',
        '{property: format, value: ["%d/%m/%Y"]}',
        "property: format,",
        "citylake.unknown_key",
    ),
    "unknown_option_of_a_transport": (
        "          token_env: STATIONS_TOKEN",
        "          tokn_env: STATIONS_TOKEN",
        "tokn_env",
        "citylake.unknown_key",
    ),
    "wrong_type": ("value: 4}", "value: four}", "value: four", "citylake.wrong_type"),
    "wrong_type_for_the_standard": (
        "  purpose: Trạm | Stations",
        "  purpose: [Trạm, Stations]",
        "purpose: [",
        "odcs.wrong_type",
    ),
    "duplicate_key": (
        "version: 1.0.0",
        "version: 1.0.0\nversion: 1.0.1",
        "1.0.1",
        "yaml.duplicate_key",
    ),
    "duplicate_custom_property": (
        "  - {property: agency, value: office}",
        "  - {property: agency, value: office}\n  - {property: agency, value: other}",
        "value: other",
        "citylake.duplicate_property",
    ),
    "no_yaml": (
        "  - {property: agency",
        "  - {property: [agency",
        "property: [agency",
        "yaml.syntax",
    ),
    "other_version_of_the_standard": ("v3.1.0", "v3.2.0", "v3.2.0", "citylake.const"),
    "one_language": ("Trạm | Stations", "Stations", "purpose: Stations", "citylake.pattern"),
    "address_in_place_of_a_variable": (
        "url_env: STATIONS_URL",
        "url_env: https://example.org/api",
        "url_env",
        "citylake.pattern",
    ),
    "secret_in_place_of_a_variable": (
        "token_env: STATIONS_TOKEN",
        "token_env: sk-4f9a8b7c6d5e",
        "token_env",
        "citylake.pattern",
    ),
    "address_as_value": (
        "url_env: STATIONS_URL",
        "url: https://example.org",
        "url:",
        "citylake.unknown_key",
    ),
    "bad_zone": (
        "value: Asia/Ho_Chi_Minh",
        "value: Asia/Danang",
        "Asia/Danang",
        "citylake.timezone",
    ),
    "missing_rule_expression": (
        "            implementation: operating_from >= DATE '1975-04-30'\n",
        "",
        "- name: not_ancient",
        "odcs.missing_key",
    ),
    "wrong_id": ("id: air.stations", "id: air.station", "id: air.station", "citylake.name"),
    "raw_column_twice": (
        "      - {name: lat, logicalType: number}",
        "      - {name: ID, logicalType: string}",
        "name: ID",
        "citylake.duplicate_column",
    ),
    "bad_pattern": (
        "        transformLogic: id",
        "        transformLogic: id\n        logicalTypeOptions: {pattern: '['}",
        "pattern: '['",
        "citylake.pattern",
    ),
    "tombstone_without_deletes": (
        "  - {property: drift, value: freeze}",
        "  - {property: drift, value: freeze}\n  - {property: tombstone, value: id = 'x'}",
        "tombstone",
        "citylake.tombstone",
    ),
    "unpivot_of_an_undeclared_column": (
        "  - {property: drift, value: freeze}",
        "  - {property: drift, value: freeze}\n"
        "  - property: unpivot\n"
        "    value: {columns: {PM10: PM10}, nameColumn: name, valueColumn: value}",
        "PM10",
        "citylake.raw_column",
    ),
    "schedule_that_is_no_cron_expression": (
        "servers:\n  - server: api",
        SCHEDULED.format("scheduler: cron, schedule: 0 25 * * *"),
        "schedule:",
        "citylake.schedule",
    ),
    "schedule_of_another_scheduler": (
        "servers:\n  - server: api",
        SCHEDULED.format("scheduler: airflow, schedule: 0 1 * * *"),
        "scheduler:",
        "citylake.const",
    ),
    "schedule_without_a_scheduler": (
        "servers:\n  - server: api",
        SCHEDULED.format("schedule: 0 1 * * *"),
        "property: freshness",
        "citylake.missing_key",
    ),
    "retries_that_wait_longer_than_the_longest": (
        "  - {property: drift, value: freeze}",
        "  - {property: drift, value: freeze}\n"
        "  - {property: retries, value: {delaySeconds: 60, maxDelaySeconds: 30}}",
        "retries",
        "citylake.retries",
    ),
    "pool_of_no_slots": (
        "  - {property: drift, value: freeze}",
        "  - {property: drift, value: freeze}\n  - {property: pool, value: {name: air, slots: 0}}",
        "name: air",
        "citylake.minimum",
    ),
    "no_requests_a_second": (
        "          token_env: STATIONS_TOKEN",
        "          token_env: STATIONS_TOKEN\n          requests_per_second: 0",
        "requests_per_second",
        "citylake.exclusiveMinimum",
    ),
    "fewer_than_no_requests_a_second": (
        "          token_env: STATIONS_TOKEN",
        "          token_env: STATIONS_TOKEN\n          requests_per_second: -0.5",
        "requests_per_second",
        "citylake.exclusiveMinimum",
    ),
    "pool_with_a_name_that_is_none": (
        "  - {property: drift, value: freeze}",
        "  - {property: drift, value: freeze}\n  - {property: pool, value: {name: Air quality}}",
        "Air quality",
        "citylake.pattern",
    ),
}
MERGE_FAULTS = {
    "column_that_the_table_lacks": (
        "      - name: name\n",
        "      - name: nickname\n",
        "transformLogic: label",
        "citylake.unknown_column",
    ),
    "unmapped_required_column": (
        "      - name: operating_from\n        logicalType: date",
        "      - name: operating_to\n        logicalType: date",
        "transformLogic: id",
        "citylake.unmapped_column",
    ),
    "loosened_range": ("minimum: 15.9", "minimum: -91", "transformLogic: lat", "citylake.loosened"),
    "loosened_required": (
        "        transformLogic: since",
        "        transformLogic: since\n        required: false",
        "transformLogic: since",
        "citylake.loosened",
    ),
    "rule_of_the_table_again": (
        "          - name: not_ancient",
        "          - name: operating_to_not_before_from",
        "implementation: operating_from",
        "citylake.duplicate_rule",
    ),
    "other_logical_type": (
        "        logicalType: string\n        transformLogic: label",
        "        logicalType: number\n        transformLogic: label",
        "transformLogic: label",
        "citylake.logical_type",
    ),
    "formats_of_a_text": (
        "        transformLogic: label",
        "        transformLogic: label\n"
        "        customProperties:\n          - {property: formats, value: [iso8601]}",
        "transformLogic: label",
        "citylake.option",
    ),
    "unknown_agency": (
        "value: office",
        "value: nobody",
        "value: nobody",
        "citylake.unknown_agency",
    ),
    "unknown_table": (
        "  - name: station\n",
        "  - name: statio\n",
        "- name: statio",
        "citylake.unknown_table",
    ),
}
EXPRESSION_FAULTS = {
    "aggregate": "max(label)",
    "volatile": "label || random()",
    "clock": "label || now()",
    "file": "(SELECT content FROM read_text('/etc/hostname'))",
}
TABLE_FAULTS = {
    "unknown_property": (
        "property: health",
        "property: healthy",
        "healthy",
        "citylake.unknown_key",
    ),
    "wrong_logical_type": (
        "logicalType: number\n        physicalType: DECIMAL(9,6)",
        "logicalType: string\n        physicalType: DECIMAL(9,6)",
        "physicalType: DECIMAL",
        "odcs",
    ),
    "unknown_sql_type": (
        "physicalType: DECIMAL(9,6)",
        "physicalType: FLOAT",
        "FLOAT",
        "citylake.pattern",
    ),
    "other_name": (
        "  - name: station\n",
        "  - name: stations\n",
        "- name: stations",
        "citylake.name",
    ),
    "column_twice": (
        "- name: area_code",
        "- name: name",
        "Mã đơn vị hành chính",
        "citylake.duplicate_column",
    ),
    "mart_among_tables": ("value: table}", "value: mart}", "value: mart", "citylake.kind"),
    "no_key": ("        primaryKey: true\n", "", "    properties:", "citylake.key"),
    "append_without_late_days": (
        "value: mutable",
        "value: append",
        "value: append",
        "citylake.late_days",
    ),
    "version_column_of_another_type": (
        "      - {property: health, value: false}",
        "      - {property: versionColumn, value: name}",
        "versionColumn",
        "citylake.column",
    ),
    "derived_from_no_time": (
        "        classification: open\n        required: true\n      - name: operating_to",
        "        classification: open\n        customProperties:\n"
        "          - {property: derived, value: localDate(name)}\n      - name: operating_to",
        "property: derived",
        "citylake.derived",
    ),
}


def problems_of(folder: Path) -> list[Problem]:
    with pytest.raises(ContractError) as caught:
        load_city(folder)
    return list(caught.value.problems)


def test_the_samples_are_good(tmp_path: Path) -> None:
    write_city(tmp_path)
    assert check_city(tmp_path) == []
    assert read_table(copied_table(tmp_path)).name == "station"


@pytest.mark.parametrize(
    ("old", "new", "marker", "rule"),
    (SOURCE_FAULTS | MERGE_FAULTS).values(),
    ids=(SOURCE_FAULTS | MERGE_FAULTS).keys(),
)
def test_a_faulty_source_is_refused(
    tmp_path: Path, old: str, new: str, marker: str, rule: str
) -> None:
    text = broken(SOURCE, old, new)
    path = write_city(tmp_path, text)
    found = [(each.path, each.line, each.rule) for each in problems_of(tmp_path)]
    assert (path, line_of(text, marker), rule) in found


def test_a_loosened_classification_is_refused() -> None:
    table = read_table(REPOSITORY / "warehouse" / "tables" / "service_request.yaml")
    source = read_source(OPEN311, "feedback.open311")
    looser, same, tighter = (
        [
            replace(each, classification=level)
            for each in source.mapping
            if each.column == "closed_at"
        ]
        for level in (Classification.OPEN, Classification.INTERNAL, Classification.PERSONAL)
    )
    rest = [each for each in source.mapping if each.column != "closed_at"]
    (problem,) = merge_problems(replace(source, mapping=(*rest, *looser)), table)
    assert (problem.path, problem.line, problem.rule) == (
        OPEN311,
        line_of(OPEN311.read_text("utf-8"), "extended_attributes.closed_datetime\"'"),
        "citylake.loosened",
    )
    for good in (same, tighter):
        merged = merge(replace(source, mapping=(*rest, *good)), table)
        assert merged.column("closed_at").classification is good[0].classification


@pytest.mark.parametrize("expression", EXPRESSION_FAULTS.values(), ids=EXPRESSION_FAULTS.keys())
def test_a_forbidden_expression_is_refused(tmp_path: Path, expression: str) -> None:
    text = broken(SOURCE, "transformLogic: label", f'transformLogic: "{expression}"')
    path = write_city(tmp_path, text)
    (problem,) = check_city(tmp_path)
    assert (problem.path, problem.line, problem.rule) == (
        path,
        line_of(text, expression),
        "citylake.expression",
    )


@pytest.mark.parametrize("expression", EXPRESSION_FAULTS.values(), ids=EXPRESSION_FAULTS.keys())
def test_a_forbidden_rule_is_refused(tmp_path: Path, expression: str) -> None:
    rule = expression.replace("label", "name") + " = 'x'"
    text = broken(SOURCE, "operating_from >= DATE '1975-04-30'", f'"{rule}"')
    path = write_city(tmp_path, text)
    (problem,) = check_city(tmp_path)
    assert (problem.path, problem.line, problem.rule) == (
        path,
        line_of(text, rule),
        "citylake.expression",
    )


@pytest.mark.parametrize(
    ("old", "new", "marker", "rule"),
    [
        (
            "operating_from >= DATE '1975-04-30'",
            "operating_from",
            "implementation",
            "citylake.expression",
        ),
        (
            "transformLogic: lat",
            "transformLogic: CAST(lat AS DOUBLE)",
            "CAST(lat",
            "citylake.typing",
        ),
        (
            'value: ["%d/%m/%Y"]',
            'value: ["%d/%m/%Y %z"]',
            "transformLogic: since",
            "citylake.typing",
        ),
        (
            'value: ["%d/%m/%Y"]',
            'value: ["%d/%m/%Y %Z"]',
            "transformLogic: since",
            "citylake.typing",
        ),
        (
            '{property: formats, value: ["%d/%m/%Y"]}',
            "{property: sentinels, value: [x]}",
            "transformLogic: since",
            "citylake.typing",
        ),
        ('value: ["%d/%m/%Y"]', 'value: ["%d/%m/%Q"]', "apiVersion", "citylake.binding"),
    ],
    ids=[
        "rule_not_boolean",
        "other_type",
        "date_with_offset",
        "named_zone",
        "no_format",
        "bad_format",
    ],
)
def test_what_does_not_bind_is_refused(
    tmp_path: Path, old: str, new: str, marker: str, rule: str
) -> None:
    text = broken(SOURCE, old, new)
    path = write_city(tmp_path, text)
    (problem,) = check_city(tmp_path)
    assert (problem.path, problem.line, problem.rule) == (path, line_of(text, marker), rule)


@pytest.mark.parametrize(
    ("old", "new", "marker", "rule"), TABLE_FAULTS.values(), ids=TABLE_FAULTS.keys()
)
def test_a_faulty_table_is_refused(
    tmp_path: Path, old: str, new: str, marker: str, rule: str
) -> None:
    path = copied_table(tmp_path)
    text = broken(path.read_text("utf-8"), old, new)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        read_table(path)
    found = {(each.path, each.line) for each in caught.value.problems if each.rule.startswith(rule)}
    assert any(path == each and abs(line - line_of(text, marker)) <= 1 for each, line in found)


@pytest.mark.parametrize("secret", ["sk-4f9a8b7c6d5e", "https://user:pass@example.org"])
def test_a_message_never_quotes_a_secret(tmp_path: Path, secret: str) -> None:
    write_city(tmp_path, broken(SOURCE, "token_env: STATIONS_TOKEN", f"token_env: {secret}"))
    assert secret not in "\n".join(str(each) for each in problems_of(tmp_path))


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("city.yaml", "timezone: Asia/Ho_Chi_Minh", "timezone: Asia/Hue", "citylake.timezone"),
        ("city.yaml", "2025-07-05", "2025-02-30", "citylake.format"),
        ("city.yaml", "city: small", "city: small\ncolour: red", "citylake.unknown_key"),
        ("city.yaml", "city: small", "city: small\ncity: large", "yaml.duplicate_key"),
        ("agencies.yaml", "level: city", "level: county", "citylake.enum"),
        ("agencies.yaml", "service_groups: [4]", "service_groups: [12]", "citylake.maximum"),
    ],
    ids=["zone", "day", "unknown_key", "duplicate_key", "level", "service_group"],
)
def test_faulty_city_settings_are_refused(
    tmp_path: Path, file: str, old: str, new: str, rule: str
) -> None:
    write_city(tmp_path)
    path = tmp_path / file
    path.write_text(broken(path.read_text("utf-8"), old, new), encoding="utf-8")
    assert (path, rule) in [(each.path, each.rule) for each in problems_of(tmp_path)]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    write_city(tmp_path)
    (tmp_path / "agencies.yaml").unlink()
    assert [(each.path.name, each.rule) for each in problems_of(tmp_path)] == [
        ("agencies.yaml", "file.read")
    ]


def test_all_files_are_reported_at_once(tmp_path: Path) -> None:
    write_city(tmp_path, broken(SOURCE, "minimum: 15.9", "minimum: -91"))
    (tmp_path / "city.yaml").write_text("city: [", encoding="utf-8")
    assert {each.path.name for each in problems_of(tmp_path)} == {"city.yaml", "stations.yaml"}

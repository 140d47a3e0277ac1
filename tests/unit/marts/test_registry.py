"""The registry refuses what it cannot stand behind, by file and line."""

from pathlib import Path

import pytest

from tests.unit.marts.conftest import INDICATORS, city, write_config
from warehouse.contract.document import read_document
from warehouse.contract.model import Severity
from warehouse.contract.problem import ContractError
from warehouse.publication import Expectation
from warehouse.registry import DEFINITIONS, load_registry
from warehouse.registry_read import publication
from warehouse.registry_tables import registry_tables

DATASET = """\
class: open
title: {vi: a, en: a}
description: {vi: a, en: a}
owner: desk
licence: CC-BY-4.0
revision_window_days: 3
parts:
  - {mart: mart_service_request_monthly}
key: [requested_month, area_code, area_valid_from, service_code]
columns:
  - requested_month
  - area_code
  - area_valid_from
  - service_code
  - requests_opened
"""
AGENCIES = "indicators:\n  - {code: FB1, agency: desk}\n"


def refused(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ContractError) as caught:
        load_registry(city(folder), folder / "defined")
    return [(problem.path.name, problem.line, problem.rule) for problem in caught.value.problems]


def assert_definition_refused(folder: Path, file: str, old: str, new: str, rule: str) -> None:
    """The definitions, one text in a file of them changed, break the rule in that file alone."""
    write_config(folder)
    text = (DEFINITIONS / file).read_text(encoding="utf-8")
    assert old in text
    (folder / "defined" / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    found = refused(folder)
    assert rule in {broken for _, _, broken in found}
    assert {name for name, _, _ in found} == {file}
    assert all(1 <= line <= len(text.splitlines()) for _, line, _ in found)


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        pytest.param("owner: desk", "owner: nobody", 4, "citylake.unknown_agency", id="owner"),
        pytest.param("class: open", "class: secret", 1, "citylake.enum", id="class"),
        pytest.param("licence: CC-BY-4.0\n", "", 1, "citylake.missing_key", id="no-licence"),
        pytest.param("requests_opened", "satisfaction", 15, "citylake.unknown_column", id="column"),
        pytest.param(
            "mart_service_request_monthly", "mart_none", 8, "citylake.unknown_mart", id="mart"
        ),
        pytest.param(", service_code]", "]", 9, "citylake.key", id="short-key"),
        pytest.param(
            "area_valid_from, s", "area_name_vi, s", 9, "citylake.unknown_column", id="key-hidden"
        ),
        pytest.param(
            "monthly}", "monthly, where: {agency: x}}", 8, "citylake.unknown_column", id="where"
        ),
        pytest.param("parts:", "part:", 7, "citylake.unknown_key", id="unknown-key"),
        pytest.param("days: 3", "days: -3", 6, "citylake.minimum", id="negative-window"),
        pytest.param("days: 3", "days: three", 6, "citylake.wrong_type", id="no-number"),
    ],
)
def test_a_publication_is_refused(tmp_path: Path, old: str, new: str, line: int, rule: str) -> None:
    write_config(tmp_path)
    text = DATASET.replace(old, new, 1)
    assert text != DATASET
    (tmp_path / "datasets" / "monthly.yaml").write_text(text, encoding="utf-8")
    assert ("monthly.yaml", line, rule) in refused(tmp_path)


def test_an_internal_publication_releases_nothing(tmp_path: Path) -> None:
    write_config(tmp_path)
    path = tmp_path / "datasets" / "service-request-monthly.yaml"
    path.write_text(DATASET.replace("class: open", "class: internal"), encoding="utf-8")
    assert refused(tmp_path) == [(path.name, line, "citylake.not_allowed") for line in (5, 9, 10)]


QUALITY = """\
quality:
  - name: enough_rows
    description: {vi: a, en: a}
    type: custom
    engine: greatExpectations
    severity: hold
    implementation:
      type: expect_column_values_to_be_between
      kwargs: {column: requests_opened, min_value: 0}
"""
BETWEEN = "{column: requests_opened, min_value: 0}"


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        pytest.param("_to_be_between", "_to_be_nice", 23, "citylake.enum", id="unknown-type"),
        pytest.param("min_value", "minimum", 24, "citylake.unknown_key", id="unknown-argument"),
        pytest.param(
            BETWEEN, "{min_value: 0, max_value: 9}", 24, "citylake.missing_key", id="no-column"
        ),
        pytest.param(BETWEEN, "{column: n}", 24, "citylake.minProperties", id="no-limit"),
        pytest.param("value: 0", "value: x", 24, "citylake.wrong_type", id="limit-is-text"),
        pytest.param(
            "column: requests_opened",
            "column: x",
            24,
            "citylake.unknown_column",
            id="no-such-column",
        ),
        pytest.param(
            "column: requests_opened", "column: area_code", 24, "citylake.wrong_type", id="text"
        ),
        pytest.param(
            "expect_column_values_to_be_between\n      kwargs: " + BETWEEN,
            "expect_column_values_to_match_regex\n      kwargs: {column: area_code, regex: '('}",
            24,
            "citylake.pattern",
            id="no-regular-expression",
        ),
        pytest.param("greatExpectations", "soda", 20, "citylake.const", id="engine"),
        pytest.param("hold", "fatal", 21, "citylake.enum", id="severity"),
        pytest.param("enough_rows", "expect_rows", 17, "citylake.pattern", id="generated-name"),
        pytest.param(
            "enough_rows",
            "enough_rows\n    mart: mart_none",
            18,
            "citylake.unknown_mart",
            id="mart",
        ),
        pytest.param(QUALITY, QUALITY + QUALITY[9:], 25, "citylake.duplicate_rule", id="twice"),
    ],
)
def test_an_expectation_is_refused(
    tmp_path: Path, old: str, new: str, line: int, rule: str
) -> None:
    write_config(tmp_path)
    text = QUALITY.replace(old, new, 1)
    assert text != QUALITY
    (tmp_path / "datasets" / "monthly.yaml").write_text(DATASET + text, encoding="utf-8")
    assert refused(tmp_path) == [("monthly.yaml", line, rule)]


def test_an_expectation_of_several_marts_names_its_mart(tmp_path: Path) -> None:
    write_config(tmp_path)
    path = tmp_path / "datasets" / "monthly.yaml"
    text = DATASET.replace("class: open", "class: internal").replace("licence: CC-BY-4.0\n", "")
    text = text[: text.index("key:")] + "  - {mart: mart_city_indicator, where: {n: 0}}\n"
    path.write_text(text + QUALITY, encoding="utf-8")
    assert ("monthly.yaml", 10, "citylake.missing_key") in refused(tmp_path)


def test_a_declared_expectation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "monthly.yaml"
    path.write_text(DATASET + QUALITY, encoding="utf-8")
    assert publication(read_document(path), {}).expectations == (
        Expectation(
            "enough_rows",
            "mart_service_request_monthly",
            "expect_column_values_to_be_between",
            {"column": "requests_opened", "min_value": 0},
            Severity.HOLD,
        ),
    )


@pytest.mark.parametrize(
    ("more", "line", "rule"),
    [
        pytest.param("amber_within: 5", 2, "citylake.missing_key", id="near-no-target"),
        pytest.param("display: public", 4, "citylake.enum", id="display"),
        pytest.param("headline: very", 4, "citylake.wrong_type", id="headline"),
    ],
)
def test_how_an_indicator_is_shown_is_checked(
    tmp_path: Path, more: str, line: int, rule: str
) -> None:
    write_config(tmp_path)
    path = tmp_path / "indicators" / "feedback.yaml"
    path.write_text(f"indicators:\n  - code: FB1\n    agency: desk\n    {more}\n")
    assert refused(tmp_path) == [(path.name, line, rule)]


def test_figures_on_health_are_not_open(tmp_path: Path) -> None:
    write_config(tmp_path)
    path = tmp_path / "indicators" / "health.yaml"
    path.write_text("indicators:\n  - {code: HE1, agency: desk, display: open}\n")
    assert refused(tmp_path) == [(path.name, 2, "citylake.health")]


def test_a_target_needs_a_good_way(tmp_path: Path) -> None:
    write_config(tmp_path)
    path = tmp_path / "indicators" / "health.yaml"
    path.write_text(
        "indicators:\n  - code: HE1\n    agency: desk\n"
        "    targets: [{value: 5, valid_from: 2025-01-01}]\n"
    )
    assert refused(tmp_path) == [(path.name, 4, "citylake.target")]


def test_a_row_belongs_to_one_publication(tmp_path: Path) -> None:
    write_config(tmp_path)
    for name in ("first", "second"):
        (tmp_path / "datasets" / f"{name}.yaml").write_text(DATASET, encoding="utf-8")
    assert ("first.yaml", 7, "citylake.overlap") in refused(tmp_path)


def test_an_internal_column_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from tests.unit.marts import conftest
    from warehouse.contract.model import Classification

    mart = conftest.MARTS["mart_service_request_monthly"]
    columns = tuple(
        replace(c, classification=Classification.INTERNAL) if c.name == "requests_opened" else c
        for c in mart.columns
    )
    monkeypatch.setitem(conftest.MARTS, mart.name, replace(mart, columns=columns))
    write_config(tmp_path)
    (tmp_path / "datasets" / "monthly.yaml").write_text(DATASET, encoding="utf-8")
    assert refused(tmp_path) == [("monthly.yaml", 15, "citylake.not_open")]


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        pytest.param(AGENCIES.replace("desk", "nobody"), 2, "citylake.unknown_agency", id="agency"),
        pytest.param(AGENCIES.replace("FB1", "FB99"), 2, "citylake.unknown_indicator", id="code"),
        pytest.param(
            AGENCIES + "  - {code: FB1, agency: desk}\n",
            3,
            "citylake.duplicate_indicator",
            id="twice",
        ),
        pytest.param(
            "indicators:\n  - code: FB1\n    agency: desk\n    only: {phone: x}\n",
            4,
            "citylake.unknown_column",
            id="only-column",
        ),
        pytest.param(
            "indicators:\n  - code: FB1\n    agency: desk\n    only: {service_code: 1}\n",
            4,
            "citylake.wrong_type",
            id="only-type",
        ),
        pytest.param(
            "indicators:\n  - code: FB1\n    agency: desk\n    targets:\n"
            "      - {value: 1, valid_from: 2025-01-01}\n"
            "      - {value: 2, valid_from: 2025-01-01}\n",
            4,
            "citylake.target",
            id="two-targets-a-day",
        ),
        pytest.param(
            "indicators:\n  - code: FB1\n    agency: desk\n    targets:\n"
            "      - {value: 1, valid_from: 2025-02-30}\n",
            4,
            "citylake.target",
            id="no-date",
        ),
    ],
)
def test_a_registration_is_refused(tmp_path: Path, text: str, line: int, rule: str) -> None:
    write_config(tmp_path)
    (tmp_path / "indicators" / "feedback.yaml").write_text(text, encoding="utf-8")
    assert ("feedback.yaml", line, rule) in refused(tmp_path)


def test_an_indicator_belongs_to_one_publication(tmp_path: Path) -> None:
    write_config(tmp_path)
    (tmp_path / "datasets" / "indicators-air.yaml").unlink()
    assert set(refused(tmp_path)) == {
        ("air_water.yaml", 2, "citylake.no_publication"),
        ("air_water.yaml", 3, "citylake.no_publication"),
    }


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param(
            "numerator: is_reopened",
            "numerator: random() > 0.5",
            "citylake.expression",
            id="random",
        ),
        pytest.param(
            "numerator: is_reopened",
            "numerator: count(*) > 1",
            "citylake.expression",
            id="aggregate",
        ),
        pytest.param(
            "numerator: is_reopened", "numerator: is_happy", "citylake.expression", id="column"
        ),
        pytest.param(
            "numerator: is_reopened", "numerator: '1'", "citylake.expression_type", id="type"
        ),
        pytest.param(
            "numerator: is_reopened",
            "numerator: due_date < period_end",
            "citylake.expression",
            id="period-end-in-a-flow",
        ),
        pytest.param(
            "enters: due_date", "enters: is_closed", "citylake.expression_type", id="enters"
        ),
        pytest.param("anchor: closed", "anchor: observed", "citylake.anchor", id="anchor"),
        pytest.param(
            "anchor: closed", "anchor: period_end", "citylake.enum", id="flow-at-period-end"
        ),
        pytest.param(
            "measure: maximum", "measure: rate", "citylake.measure", id="rate-of-no-health-event"
        ),
        pytest.param("match: close", "match: same", "citylake.enum", id="match"),
        pytest.param(
            "    leaves: closed_date\n", "", "citylake.missing_key", id="stock-without-end"
        ),
        pytest.param("rounding: 1", "rounding: 9", "citylake.maximum", id="rounding"),
    ],
)
def test_a_definition_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert_definition_refused(tmp_path, "feedback.yaml", old, new, rule)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param("    percentile: 50\n", "", "citylake.missing_key", id="no-percentile"),
        pytest.param("percentile: 50", "percentile: 0", "citylake.minimum", id="percentile-0"),
        pytest.param("percentile: 50", "percentile: 100", "citylake.maximum", id="percentile-100"),
        pytest.param("percentile: 50", "percentile: 0.5", "citylake.wrong_type", id="a-share"),
        pytest.param("divisor: 60", "divisor: 0", "citylake.minimum", id="divisor"),
        pytest.param(
            "measure: quantile", "measure: maximum", "citylake.not_allowed", id="other-measure"
        ),
        pytest.param("kind: flow", "kind: stock", "citylake.const", id="stock"),
        pytest.param(
            "numerator: response_seconds",
            "numerator: is_reached",
            "citylake.expression_type",
            id="condition",
        ),
        pytest.param(
            "numerator: response_seconds",
            "numerator: response_seconds / 60.0",
            "citylake.expression_type",
            id="fraction",
        ),
        pytest.param(
            "censored: followed_seconds",
            "censored: is_reached",
            "citylake.expression_type",
            id="censored",
        ),
        pytest.param("anchor: received", "anchor: opened", "citylake.anchor", id="anchor"),
        pytest.param(
            "    measure: quantile\n",
            "    measure: quantile\n    aggregation: sum\n",
            "citylake.not_allowed",
            id="aggregation",
        ),
        pytest.param(
            "    censored:", "    denominator: units\n    censored:", "citylake.not_allowed",
            id="denominator",
        ),
    ],
)  # fmt: skip
def test_a_quantile_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert_definition_refused(tmp_path, "emergency.yaml", old, new, rule)


def test_quantiles_of_one_distribution_share_its_histogram(tmp_path: Path) -> None:
    write_config(tmp_path)
    registry = load_registry(city(tmp_path), tmp_path / "defined")
    rows = registry_tables(registry, {})["indicator"].to_pylist()
    found = {row["code"]: row["histogram"] for row in rows if row["histogram"]}
    assert found == {"EM1": "EM1", "EM1p": "EM1", "EM80": "EM80", "EM81": "EM80"}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param(
            '    stock_denominator: "true"\n', "", "citylake.missing_key", id="no-stock-denominator"
        ),
        pytest.param("    leaves: closed_date\n", "", "citylake.missing_key", id="no-end-of-stock"),
        pytest.param("kind: flow_and_stock", "kind: flow", "citylake.not_allowed", id="flow"),
        pytest.param(
            'stock_denominator: "true"',
            "stock_denominator: due_date",
            "citylake.expression_type",
            id="stock-type",
        ),
        pytest.param(
            "denominator: is_completed\n",
            "denominator: due_date < period_end\n",
            "citylake.expression",
            id="period-end-in-the-flow",
        ),
        pytest.param("anchor: closed", "anchor: due", "citylake.anchor", id="anchor"),
        pytest.param(
            "measure: distinct", "measure: distinct\n    denominator: is_online",
            "citylake.not_allowed", id="distinct-over-something",
        ),
        pytest.param(
            "case when is_online then procedure_code end",
            "is_online",
            "citylake.expression_type",
            id="distinct-of-a-condition",
        ),
    ],
)  # fmt: skip
def test_a_definition_of_two_passes_or_of_different_things_is_refused(
    tmp_path: Path, old: str, new: str, rule: str
) -> None:
    assert_definition_refused(tmp_path, "administration.yaml", old, new, rule)


def test_what_is_right_is_read(tmp_path: Path) -> None:
    write_config(tmp_path)
    registry = load_registry(city(tmp_path), tmp_path / "defined")
    assert set(registry.indicators) == {
        "AD1",
        "AD2",
        "AD3",
        "AD4",
        "AQ3",
        "AQ90",
        "EM1",
        "EM1p",
        "EM2",
        "EM80",
        "EM81",
        "FB1",
        "FB1b",
        "FB2",
        "FB2r",
        "FB4",
        "FB5",
        "FB5a",
        "SE1",
        "HE1",
    }
    assert registry.indicators["FB5"].publication == "indicators-feedback"
    assert registry.indicators["FB5"].revision_window_days == 10
    assert registry.indicators["AQ3"].condition == "\"observed_property\" = 'PM2.5'"
    first, second = registry.indicators["FB5"].targets
    assert first.valid_to == second.valid_from
    assert len(INDICATORS) == 6


def test_the_digest_follows_every_file(tmp_path: Path) -> None:
    write_config(tmp_path)
    before = load_registry(city(tmp_path), tmp_path / "defined").digest
    path = tmp_path / "datasets" / "indicators-air.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("days: 5", "days: 6"), "utf-8")
    assert load_registry(city(tmp_path), tmp_path / "defined").digest != before

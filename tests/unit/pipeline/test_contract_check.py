"""`citylake contract check` says what an author must do, beside file, line and rule."""

from pathlib import Path

import pytest

from pipeline.contracts import contract_problems, print_contract_check
from tests.e2e.small_town import DATASET, Town

FILE = Path("datasets") / "monthly.yaml"


def _expectation(name: str, arguments: str) -> str:
    return f"""\
  - name: {name}
    description: {{vi: a, en: a}}
    type: custom
    engine: greatExpectations
    severity: hold
    implementation:
      type: expect_column_values_to_be_between
      kwargs: {arguments}
"""


def _told(town: Town, dataset: str) -> list[tuple[int, str, str]]:
    town.declare(dataset=dataset)
    found = contract_problems(town.folder)
    assert {each.path for each in found} <= {town.folder / FILE}
    return [(each.line, each.rule, each.message) for each in found]


def test_a_core_table_is_no_mart(town: Town) -> None:
    found = _told(town, DATASET.replace("mart_service_request_monthly", "service_request"))
    ((line, rule, message),) = [each for each in found if each[1] == "citylake.unknown_mart"]
    assert DATASET.splitlines()[line - 1].startswith("  - {mart: ")
    assert rule == "citylake.unknown_mart"
    assert message.startswith("service_request is a core table, whose rows are never published")
    assert "mart_service_request_monthly" in message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  - {mart: mart_service_request_monthly}", "  []", "'parts' must hold at least 1 item"),
        ("_days: 45", "_days: -1", "'revision_window_days' must be at least 0, not -1"),
        ("[requested_month, area", "[area_code, area", "must not hold the same entry twice"),
    ],
    ids=["minItems", "minimum", "uniqueItems"],
)
def test_a_schema_says_what_to_do(town: Town, old: str, new: str, told: str) -> None:
    assert old in DATASET
    found = _told(town, DATASET.replace(old, new, 1))
    assert any(told in message for _, _, message in found), found


def test_an_expectation_that_is_generated_already_is_refused(town: Town) -> None:
    own = "{column: requests_opened, min_value: 0, max_value: 9}"
    good = f"{DATASET}quality:\n{_expectation('few', own)}"
    assert _told(town, good) == []
    generated = good + _expectation("positive", "{column: requests_opened, min_value: 0}")
    ((line, rule, message),) = _told(town, generated)
    assert rule == "citylake.repeated_expectation"
    assert generated.splitlines()[line - 1] == "      type: expect_column_values_to_be_between"
    assert message == "'positive' says what the contract says already: leave it out"
    ((_, _, message),) = _told(town, good + _expectation("scarce", own))
    assert message == "'scarce' says what 'few' says already: leave it out"


ROLE = "roles:\n  - code: one\n    kind: {kind}\n    title: {{vi: a, en: a}}\n"


def _checked(town: Town, access: str | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    place = town.folder / "access.yaml"
    place.unlink(missing_ok=True)
    if access is not None:
        place.write_text(access, encoding="utf-8")
    code = print_contract_check(str(town.folder))
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("access", "warning"),
    [
        pytest.param(None, "there is no access.yaml: ", id="no-file"),
        pytest.param("roles: []\n", "access.yaml names no role: ", id="no-role"),
        pytest.param(
            ROLE.format(kind="area_leader"),
            "access.yaml: role one of kind area_leader sees nothing: it has no areas",
            id="no-areas",
        ),
        pytest.param(
            ROLE.format(kind="sector_agency") + "    service_groups: []\n",
            "access.yaml: role one of kind sector_agency sees nothing: it has no service_groups",
            id="no-groups",
        ),
    ],
)
def test_roles_that_see_nothing_are_told_and_refuse_nothing(
    town: Town, capsys: pytest.CaptureFixture[str], access: str | None, warning: str
) -> None:
    code, said = _checked(town, access, capsys)
    assert code == 0
    told = [line for line in said.splitlines() if line.startswith("warning: ")]
    assert [line.startswith(f"warning: {warning}") for line in told] == [True]
    assert said.splitlines()[-1].endswith("are valid")


def test_a_role_that_sees_something_warns_of_nothing(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _checked(town, ROLE.format(kind="city_leader"), capsys)
    assert (code, "warning" in said) == (0, False)


def test_an_item_is_told_by_its_key_and_its_value(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    access = ROLE.format(kind="sector_agency") + "    service_groups: [2, 77]\n"
    code, said = _checked(town, access, capsys)
    assert code == 1
    assert "access.yaml:5: citylake.maximum: " in said
    assert "item 2 of 'service_groups' must be at most 11, not 77\n" in said


def test_a_text_in_the_place_of_a_number_is_not_repeated(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    access = ROLE.format(kind="sector_agency") + "    service_groups: [hunter2]\n"
    code, said = _checked(town, access, capsys)
    assert (code, "hunter2" in said) == (1, False)
    assert "item 1 of 'service_groups' must be of type integer\n" in said

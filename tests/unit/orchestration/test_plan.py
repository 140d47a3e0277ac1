"""What there is to schedule; one wrong contract hides no other."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.context import open_context
from pipeline.orchestration.groups import groups_of
from pipeline.orchestration.plan import read_plan
from pipeline.variables import on_day
from warehouse.contract.problem import ContractError

DANANG = Path(__file__).resolve().parents[3] / "cities" / "danang"


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path / "lake"))
    return Path(shutil.copytree(DANANG, tmp_path / "danang"))


def _break(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_city_is_planned_from_its_contracts(city: Path) -> None:
    plan = read_plan(str(city))
    assert len(plan.sources) == 4
    assert len(plan.publications) == 7
    (feedback,) = [each for each in plan.sources if each.id == "feedback.open311"]
    assert (feedback.group, feedback.pool, feedback.table) == (
        "feedback",
        "open311",
        "service_request",
    )
    assert feedback.orchestration.schedule == "30 0 * * *"
    assert plan.pools == {
        name: 1 for name in ("one_stop_shop", "open311", "encounters", "statistics_office")
    }
    assert [(each.code, each.language) for each in plan.recipients] == [
        ("thanh_pho", "vi"),
        ("hai_chau", "vi"),
    ]
    assert plan.recipients[0].title == {"vi": "Lãnh đạo thành phố", "en": "City leader"}
    assert (plan.broken_sources, plan.broken_publications) == ({}, {})
    assert plan.broken_recipients == {}


def test_a_broken_source_is_named_and_the_others_stay(city: Path) -> None:
    _break(city / "sources/feedback/open311.yaml", "value: discard", "value: dsicard")
    plan = read_plan(str(city))
    assert len(plan.sources) == 3
    (broken,) = plan.broken_sources.values()
    assert broken.message.startswith("sources/feedback/open311.yaml:17: citylake.enum")
    assert (broken.groups, broken.body_code) == (("feedback",), "trung_tam_1022")
    assert broken.body["en"] == "Da Nang Intelligent Operations Centre (hotline 1022)"
    context = open_context(str(city), without_broken=True)
    assert set(context.city.broken) == {"feedback.open311"}
    assert len(context.city.sources) == 3
    # Without being asked to, nothing goes on over a contract that cannot be read.
    with pytest.raises(ContractError, match="open311"):
        open_context(str(city))


def test_a_broken_publication_is_named_and_the_others_stay(city: Path) -> None:
    _break(city / "datasets/indicators-health.yaml", "owner: ", "owner: no_")
    plan = read_plan(str(city))
    assert len(plan.publications) == 6
    broken = plan.broken_publications["indicators-health"]
    assert "citylake.unknown_agency" in broken.message
    assert (broken.groups, broken.body, broken.body_code) == (("health",), plan.title, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("apiVersion:", "apiVersion: {", id="no-yaml"),
        pytest.param("customProperties:", "- customProperties:", id="another-shape"),
        pytest.param("customProperties:\n", "customProperties: 5\nothers:\n", id="no-list"),
        pytest.param("agency, value: trung_tam_1022", "agency, value: [1]", id="no-code"),
    ],
)
def test_a_source_of_which_nothing_can_be_read_keeps_its_group(
    city: Path, old: str, new: str
) -> None:
    _break(city / "sources/feedback/open311.yaml", old, new)
    (broken,) = read_plan(str(city)).broken_sources.values()
    assert (broken.groups, broken.body_code) == (("feedback",), None)
    assert broken.body["en"] == "Da Nang City"


def test_a_publication_has_the_groups_that_its_marts_are_built_from(city: Path) -> None:
    expected = {
        "dossier-district-monthly": ("administration",),
        "indicators-administration": ("administration",),
        "indicators-feedback": ("feedback",),
        "indicators-health": ("health",),
        "indicators-socioeconomic": ("socioeconomic",),
        "service-request-monthly": ("feedback",),
        "socio-economic-indicators": ("socioeconomic",),
    }
    assert {each.name: each.groups for each in read_plan(str(city)).publications} == expected
    # A source that cannot be read is found under its publications' tags no less.
    (city / "sources/health/encounters.yaml").write_text("{", encoding="utf-8")
    assert {each.name: each.groups for each in read_plan(str(city)).publications} == expected


def test_parts_of_a_wrong_file_have_no_group() -> None:
    wrong = [None, 7, "mart", {}, {"mart": 3}, {"mart": "mart_nothing", "where": 5}]
    assert groups_of(wrong) == ()
    parts = [{"mart": "mart_city_indicator", "where": {"service_group": each}} for each in (5, 1)]
    assert groups_of(parts) == ("feedback", "socioeconomic")


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        pytest.param("language: vi", "language: fr", {"thanh_pho", "hai_chau"}, id="language"),
        pytest.param("role: lanh_dao", "role: nobody", {"thanh_pho", "hai_chau"}, id="role"),
        pytest.param("recipients:", "recipients: {", {"access"}, id="no-yaml"),
    ],
)
def test_a_broken_access_file_is_told_at_every_recipient(
    city: Path, old: str, new: str, codes: set[str]
) -> None:
    _break(city / "access.yaml", old, new)
    plan = read_plan(str(city))
    assert plan.recipients == ()
    assert plan.broken_recipients.keys() == codes
    assert all(text.startswith("access.yaml:") for text in plan.broken_recipients.values())


def test_a_city_without_roles_sends_nothing(city: Path) -> None:
    (city / "access.yaml").unlink()
    plan = read_plan(str(city))
    assert (plan.recipients, plan.broken_recipients) == ((), {})


def test_what_all_share_breaks_all(city: Path) -> None:
    _break(city / "agencies.yaml", "agencies:", "agency:")
    with pytest.raises(ContractError, match="agencies"):
        read_plan(str(city))


def test_variables_of_ours_know_the_processing_day() -> None:
    environ = {"CITYLAKE_A": "http://h/as-of/{day}/x", "OTHER": "{day}", "CITYLAKE_B": "plain"}
    assert on_day(environ, date(2025, 7, 2)) == {
        "CITYLAKE_A": "http://h/as-of/2025-07-02/x",
        "OTHER": "{day}",
        "CITYLAKE_B": "plain",
    }

"""What auditors read of deliveries, quarantine and checks, and that nobody else does."""

from datetime import date
from typing import Any

import pytest

from publish.access import rights
from publish.audit_tables import LONGEST, Broken, Delivery, audit_tables
from publish.audit_views import AUDITED
from tests.unit.publish.promoted_city import PromotedCity, first_day, promoted_city
from warehouse.access import Role, RoleKind
from warehouse.content_hash import city_hash
from warehouse.duck import read_only

DELIVERY = Delivery(
    source="feedback.open311",
    title={"vi": "Phản ánh", "en": "Requests"},
    agency_code="trung_tam_1022",
    service_group=1,
    core_table="service_request",
    as_of=date(2025, 7, 4),
    expected_by=date(2025, 7, 5),
    is_late=True,
    attempt_day=date(2025, 7, 5),
    attempt_status="transient",
    counts={"records": 7, "new": 1, "changed": 2, "unchanged": 3, "quarantined": 1, "deleted": 0},
)
SECRET = Delivery(
    source="health.encounters",
    title={"vi": "Lượt khám", "en": "Encounters"},
    agency_code="so_y_te",
    service_group=10,
    core_table="encounter",
    as_of=date(2025, 7, 5),
    expected_by=None,
    is_late=False,
    attempt_day=date(2025, 7, 5),
    attempt_status="ok",
    counts={},
)
CHECKS = {
    "indicators-feedback": [
        {
            "check": "not_empty",
            "engine": "contract",
            "severity": "block",
            "status": "failed",
            "observed": 0,
            "expected": {"minimum": 1},
            "failing": None,
            "failing_keys": ["a1b2"],
            "message": "no row",
        },
        {
            "check": "columns",
            "engine": "gx",
            "severity": "warn",
            "status": "passed",
            "observed": ["x" * 50] * 5,
            "expected": None,
            "failing": 0,
            "failing_keys": [],
            "message": "",
        },
    ]
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> PromotedCity:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(tmp_path_factory.mktemp("audited")))
        city = promoted_city()
    first_day(city)
    return city


def serve(city: PromotedCity) -> None:
    broken = [Broken("feedback.open311", "status:enum", 3)]
    city.serve(named=audit_tables([SECRET, DELIVERY], broken, CHECKS, 4))


def rows(city: PromotedCity, view: str) -> list[dict[str, Any]]:
    with read_only(city.context.paths.serving / "marts.duckdb") as serving:
        found: list[dict[str, Any]] = (
            serving.sql(f"FROM {view} ORDER BY ALL").to_arrow_table().to_pylist()
        )  # noqa: S608 - own name
    return found


def test_deliveries_have_words_and_counts(city: PromotedCity) -> None:
    serve(city)
    feedback, health = rows(city, "report_source")
    told = (
        *("source_title_vi", "attempt_status_text_vi", "attempt_status_text_en"),
        *("is_late_text_vi", "unchanged"),
    )
    assert [feedback[name] for name in told] == [
        "Phản ánh",
        "lỗi tạm thời",
        "failed for now",
        "có",
        3,
    ]
    assert feedback["agency_name_en"].startswith("Da Nang Intelligent Operations Centre")
    assert health["attempt_status_text_en"] == "delivered"
    assert health["records"] is health["quarantined"] is None


def test_checks_are_short_and_name_no_row(city: PromotedCity) -> None:
    serve(city)
    long, short = rows(city, "report_check")
    assert len(long["observed"]) == LONGEST
    assert (short["observed"], short["expected"], short["record"]) == ("0", '{"minimum":1}', 4)
    assert (short["severity_text_vi"], short["status_text_vi"]) == ("loại", "không đạt")
    assert "a1b2" not in str(short)
    (quarantined,) = rows(city, "report_quarantine")
    assert quarantined == {"source": "feedback.open311", "reason": "status:enum", "open_records": 3}


def test_the_views_are_there_without_rows_where_nothing_is_told(city: PromotedCity) -> None:
    city.serve()
    assert {view: rows(city, view) for view in AUDITED} == {view: [] for view in AUDITED}


def test_how_data_came_is_no_content(city: PromotedCity) -> None:
    city.serve()
    before = city_hash(city.context.paths, city.context.city)
    serve(city)
    after = city_hash(city.context.paths, city.context.city)
    assert after == before
    assert {"serving/publication_status", "serving/mart_city_indicator"} <= before.keys()
    assert not [name for name in before if "report_" in name or "audit_" in name]


@pytest.mark.parametrize("kind", RoleKind)
def test_auditors_alone_see_it(kind: RoleKind) -> None:
    seen = rights(Role("r", kind, {})).keys() & set(AUDITED)
    assert seen == (set(AUDITED) if kind is RoleKind.AUDITOR else set())


def test_everyone_sees_the_state_of_open_datasets_alone() -> None:
    assert rights(Role("r", RoleKind.OPEN, {}))["report_publication"] == "dataset_class = 'open'"

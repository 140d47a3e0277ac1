"""What a compiled stream makes of records: values, deletions, every reason."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tests.shared_data import shared_path
from tests.unit.contract.samples import REPOSITORY, column, run, stream
from warehouse.city import load_city
from warehouse.contract.check import check_city
from warehouse.contract.compiler import CompiledStream, compile_stream
from warehouse.contract.model import Mapped, RawColumn, Rule, Severity, Unpivot
from warehouse.contract.problem import ContractError
from warehouse.duck import session

DANANG = REPOSITORY / "cities" / "danang"
HARBOUR = REPOSITORY / "tests" / "cities" / "harbour"
GOOD_REQUEST: dict[str, str | None] = {
    "service_request_id": "DN-250601-00001",
    "status": "closed",
    "service_code": "road",
    "requested_datetime": "2025-06-01T23:30:00+07:00",
    "updated_datetime": "2025-06-03T08:00:00+07:00",
    "expected_datetime": "2025-06-08T23:30:00+07:00",
    "lat": "16.06",
    "long": "108.2",
    "extended_attributes.area_code": "20242",
    "extended_attributes.channel": "app",
    "extended_attributes.closed_datetime": "2025-06-03T08:00:00+07:00",
}
EXTENDED = "extended_attributes."
FAULTS: dict[str, tuple[dict[str, str | None], list[str]]] = {
    "good": ({}, []),
    "missing_id": ({"service_request_id": None}, ["service_request_id:required"]),
    "blank_id": ({"service_request_id": " "}, ["service_request_id:required"]),
    "other_id": ({"service_request_id": "{}"}, ["service_request_id:pattern"]),
    "service_code": ({"service_code": "parking"}, ["service_code:enum"]),
    "service_code_missing": ({"service_code": None}, ["service_code:required"]),
    "status": ({"status": "CLOSED"}, ["status:enum"]),
    "status_missing": ({"status": None}, ["status:required"]),
    "requested": (
        {"requested_datetime": "2025-02-31T08:30:00+07:00"},
        ["requested_at:type"],
    ),
    "requested_missing": ({"requested_datetime": None}, ["requested_at:required"]),
    "requested_in_future": (
        {
            "requested_datetime": "2025-07-06T00:00:00+07:00",
            "expected_datetime": None,
            "status": "open",
            f"{EXTENDED}closed_datetime": None,
        },
        ["requested_at:requested_not_in_future"],
    ),
    "requested_today": (
        {
            "requested_datetime": "2025-07-05T23:59:59+07:00",
            "expected_datetime": None,
            "status": "open",
            f"{EXTENDED}closed_datetime": None,
        },
        [],
    ),
    "updated": ({"updated_datetime": "2025-06-31T08:30:00+07:00"}, ["updated_at:type"]),
    "expected": (
        {"expected_datetime": "2025-06-01T23:29:59+07:00"},
        ["expected_at:expected_not_before_requested"],
    ),
    "closed_before": (
        {f"{EXTENDED}closed_datetime": "2025-06-01T23:29:59+07:00"},
        ["closed_at:closed_not_before_requested"],
    ),
    "closed_in_future": (
        {f"{EXTENDED}closed_datetime": "2025-07-06T00:00:00+07:00"},
        ["closed_at:closed_not_in_future"],
    ),
    "closed_without_time": (
        {f"{EXTENDED}closed_datetime": None},
        ["closed_at:closed_has_closed_at"],
    ),
    "open_with_time": ({"status": "open"}, ["closed_at:open_has_no_closed_at"]),
    "closed_unreadable": (
        {f"{EXTENDED}closed_datetime": "2025-13-01T10:15:00+07:00"},
        ["closed_at:type"],
    ),
    "area_missing": ({f"{EXTENDED}area_code": None}, ["area_code:required"]),
    "area": ({f"{EXTENDED}area_code": "490-01"}, ["area_code:pattern"]),
    "channel": ({f"{EXTENDED}channel": "fax"}, ["channel:enum"]),
    "satisfaction": ({f"{EXTENDED}satisfaction": "5"}, ["satisfaction:enum"]),
    "competence": ({f"{EXTENDED}within_competence": "maybe"}, ["is_within_competence:type"]),
    "reopened": ({f"{EXTENDED}reopened": "-1"}, ["is_reopened:type"]),
    "latitude": ({"lat": "10.776889"}, ["latitude:range"]),
    "longitude": ({"long": "116.405285"}, ["longitude:range"]),
    "expected_words": ({"expected_datetime": "trong tuần"}, ["expected_at:type"]),
    "longitude_words": ({"long": "108°12'Đ"}, ["longitude:type"]),
    "latitude_words": ({"lat": "16°03'B"}, ["latitude:type"]),
    "several": (
        {"service_code": "99", "lat": "0", f"{EXTENDED}channel": "fax"},
        ["service_code:enum", "latitude:range", "channel:enum"],
    ),
}


@pytest.fixture(scope="module")
def open311() -> CompiledStream:
    city = load_city(DANANG)
    return compile_stream(city.sources["feedback.open311"], city.tables["service_request"])


@pytest.mark.parametrize(("change", "reasons"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_has_its_reasons(
    open311: CompiledStream, change: dict[str, str | None], reasons: list[str]
) -> None:
    (row,) = run(open311, [GOOD_REQUEST | change])
    assert sorted(row["_reasons"]) == sorted(reasons)
    assert set(row["_reasons"]) <= set(open311.reasons)


def test_every_reason_of_the_demo_city_is_covered(open311: CompiledStream) -> None:
    shown = {reason for _, reasons in FAULTS.values() for reason in reasons}
    assert set(open311.reasons) == shown


def test_a_record_is_typed(open311: CompiledStream) -> None:
    (row,) = run(open311, [GOOD_REQUEST])
    assert row["requested_at"] == datetime(2025, 6, 1, 16, 30, tzinfo=UTC)
    assert row["requested_date"] == date(2025, 6, 1)
    assert row["requested_month"] == "2025-06"
    assert row["closed_date"] == date(2025, 6, 3)
    assert row["_is_deleted"] is False
    names = [each.name for each in open311.table.columns]
    assert list(row) == [*names, "_is_deleted", "_raw_row", "_reasons", "_raw_record"]
    assert row["_raw_record"] is None


def test_a_bad_record_carries_its_raw_columns_as_they_were_read(open311: CompiledStream) -> None:
    (row,) = run(open311, [GOOD_REQUEST | {"status": " lost "}])
    kept = json.loads(row["_raw_record"])
    assert tuple(kept) == open311.raw_columns
    assert kept["status"] == " lost "
    assert kept["requested_datetime"] == GOOD_REQUEST["requested_datetime"]


def test_a_deletion_needs_its_key_alone(open311: CompiledStream) -> None:
    gone: dict[str, str | None] = {
        "service_request_id": "DN-250601-00001",
        "status": "deleted",
        "updated_datetime": "2025-06-09T08:00:00+07:00",
        "lat": "0",
    }
    rows = run(
        open311,
        [gone, gone | {"service_request_id": None}, gone | {"updated_datetime": "yesterday"}],
    )
    assert [row["_is_deleted"] for row in rows] == [True, True, True]
    assert [row["_reasons"] for row in rows] == [
        [],
        ["service_request_id:required"],
        ["updated_at:type"],
    ]


def test_only_referenced_columns_are_read(open311: CompiledStream) -> None:
    assert not {"description", "address"} & set(open311.raw_columns)
    city = load_city(HARBOUR)
    source = city.sources["air_water.beijing_prsa"]
    compiled = compile_stream(source, city.tables[source.table])
    assert compiled.raw_columns == ("year", "month", "day", "hour", "PM2.5", "PM10", "station")


def test_a_rule_that_cannot_be_computed_is_broken() -> None:
    rule = Rule("small", "value", "CAST(value AS TINYINT) < 100")
    compiled = stream(
        [column("id"), column("value")],
        [Mapped("id", "id"), Mapped("value", "value")],
        ["id", "value"],
        (rule,),
    )
    texts = ["1", "100", "x", None]
    rows = run(compiled, [{"id": "a", "value": text} for text in texts])
    assert [row["_reasons"] for row in rows] == [[], ["value:small"], ["value:small"], []]


@pytest.mark.parametrize("severity", [Severity.HOLD, Severity.WARN])
def test_a_milder_rule_quarantines_nothing(severity: Severity) -> None:
    rule = Rule("never", "id", "false", severity)
    compiled = stream([column("id")], [Mapped("id", "id")], ["id"], (rule,))
    (row,) = run(compiled, [{"id": "a"}])
    assert row["_reasons"] == []
    assert compiled.reasons == ("id:required",)


def test_an_expression_that_loses_a_value_is_a_typing_error() -> None:
    expression = "CASE raw WHEN 'Open' THEN 'open' END"
    records: list[dict[str, str | None]] = [{"raw": text} for text in ("Open", "Shut", "", None)]
    columns = [column("id"), column("value")]
    strict = Mapped("value", expression)
    mapping = [Mapped("id", "'a'"), strict]
    rows = run(stream(columns, mapping, ["raw"]), records)
    assert [row["_reasons"] for row in rows] == [[], ["value:type"], [], []]
    lenient = [Mapped("id", "'a'"), replace(strict, null_when_present=True)]
    rows = run(stream(columns, lenient, ["raw"]), records)
    assert [row["_reasons"] for row in rows] == [[]] * 4
    known = [Mapped("id", "'a'"), replace(strict, sentinels=("Shut",))]
    rows = run(stream(columns, known, ["raw"]), records)
    assert [row["_reasons"] for row in rows] == [[]] * 4


def test_an_expression_of_another_type_is_tried() -> None:
    compiled = stream(
        [column("id"), column("at", "TIMESTAMPTZ")],
        [
            Mapped("id", "'a'"),
            Mapped("at", "make_timestamp(CAST(y AS BIGINT), CAST(m AS BIGINT), 1, 0, 0, 0)"),
        ],
        ["y", "m"],
    )
    rows = run(compiled, [{"y": "2015", "m": "3"}, {"y": "2015", "m": "13"}, {"y": "2015"}])
    assert [row["at"] for row in rows] == [datetime(2015, 2, 28, 17, tzinfo=UTC), None, None]
    assert [row["_reasons"] for row in rows] == [[], ["at:type"], []]


def test_stream_sentinels_hold_for_every_raw_column() -> None:
    compiled = stream(
        [column("id"), column("value", "BIGINT")],
        [Mapped("id", "id"), Mapped("value", "a || b")],
        ["id", "a", "b"],
        sentinels=("NA",),
    )
    rows = run(compiled, [{"id": "x", "a": "1", "b": "2"}, {"id": "NA", "a": "NA", "b": "2"}])
    assert [row["value"] for row in rows] == [12, None]
    assert [row["_reasons"] for row in rows] == [[], ["id:required"]]


def test_an_unpivoted_row_becomes_records_that_stand_alone() -> None:
    compiled = stream(
        [column("id"), column("kind"), column("value", "DECIMAL(6,1)")],
        [Mapped("id", "id"), Mapped("kind", "kind"), Mapped("value", "amount")],
        ["id", "A", "B"],
        unpivot=Unpivot({"A": "alpha", "B": "beta"}, "kind", "amount"),
        sentinels=("NA",),
    )
    rows = run(compiled, [{"id": "x", "A": "1.5", "B": "NA"}, {"id": "y", "A": "?", "B": "2"}])
    found = [(row["_raw_row"], row["kind"], row["_reasons"]) for row in rows]
    assert Counter((number, kind, tuple(reasons)) for number, kind, reasons in found) == Counter(
        {
            (0, "alpha", ()): 1,
            (0, "beta", ()): 1,
            (1, "alpha", ("value:type",)): 1,
            (1, "beta", ()): 1,
        }
    )


MOMENTS = [
    "2025-07-01T03:59:59Z", "1943-04-02T10:00:00.250000+07:00", "1899-01-01T00:00:00Z",
    "2100-01-01T00:00:00Z", None,
]  # fmt: skip


def moments(form: str, logical_type: str, mapped: Mapped) -> CompiledStream:
    return stream(
        [
            column("id"),
            column("made_at", "TIMESTAMPTZ"),
            column("made_date", "DATE", derived="localDate(made_at)"),
        ],
        [Mapped("id", "id"), mapped],
        [],
        raw_columns=(RawColumn("id"), RawColumn("moment", logical_type)),
        format={"kind": form},
    )


def test_an_instant_that_comes_typed_equals_one_read_from_text() -> None:
    typed = moments("parquet", "timestamp", Mapped("made_at", "moment"))
    text = moments("csv", "string", Mapped("made_at", "moment", formats=("iso8601",)))
    records: list[dict[str, str | None]] = [
        {"id": str(number), "moment": moment} for number, moment in enumerate(MOMENTS)
    ]
    instants = pa.array(
        [each and datetime.fromisoformat(each) for each in MOMENTS], pa.timestamp("us", "UTC")
    )
    found, read = run(typed, records, moment=instants), run(text, records)
    for row in (*found, *read):
        del row["_raw_record"]
    assert found == read
    assert [row["_reasons"] for row in found] == [[], [], ["made_at:type"], ["made_at:type"], []]


def test_integers_booleans_and_dates_that_come_typed_are_kept_or_refused() -> None:
    compiled = stream(
        [
            column("id", "BIGINT"),
            column("small", "INTEGER"),
            column("share", "DECIMAL(5,2)"),
            column("fits", "BOOLEAN"),
            column("day", "DATE"),
        ],
        [Mapped("id", "id"), Mapped("small", "count"), Mapped("share", "count"),
         Mapped("fits", "fits"), Mapped("day", "day")],
        [],
        raw_columns=(
            RawColumn("id", "integer"), RawColumn("count", "integer"),
            RawColumn("fits", "boolean"), RawColumn("day", "date"),
        ),
        format={"kind": "arrow"},
    )  # fmt: skip
    days = [date(2025, 7, 1), date(9999, 12, 31), None, date(1899, 12, 31)]
    found = run(
        compiled,
        [{}] * 4,
        id=pa.array([9007199254740993, 2, 3, 4]),
        count=pa.array([7, 3_000_000_000, None, 999], pa.int64()),
        fits=pa.array([True, False, None, True]),
        day=pa.array(days, pa.date32()),
    )
    assert [(row["id"], row["small"], row["share"], row["fits"], row["day"]) for row in found] == [
        (9007199254740993, 7, Decimal("7.00"), True, date(2025, 7, 1)),
        (2, None, None, False, None),
        (3, None, None, None, None),
        (4, 999, Decimal("999.00"), True, None),
    ]
    assert [set(row["_reasons"]) for row in found] == [
        set(), {"small:type", "share:type", "day:type"}, set(), {"day:type"},
    ]  # fmt: skip


def test_an_integer_of_a_text_format_is_text() -> None:
    raw = (RawColumn("id", "integer"),)
    compiled = stream([column("id")], [Mapped("id", "id")], [], raw_columns=raw)
    assert run(compiled, [{"id": "007"}])[0]["id"] == "007"
    with pytest.raises(ContractError, match="yields BIGINT; the column is VARCHAR"):
        stream([column("id")], [Mapped("id", "id")], [], raw_columns=raw, format={"kind": "arrow"})


def test_a_format_of_text_delivers_no_instant() -> None:
    with pytest.raises(ContractError, match="moment is declared timestamp; format csv delivers"):
        moments("csv", "timestamp", Mapped("made_at", "moment"))


def test_local_dates_follow_the_zone_of_their_column() -> None:
    moment = Mapped("made_at", "moment", formats=("iso8601",), timezone="America/New_York")
    compiled = stream(
        [
            column("id"),
            column("made_at", "TIMESTAMPTZ"),
            column("made_date", "DATE", derived="localDate(made_at)"),
            column("made_month", derived="localMonth(made_at)"),
        ],
        [Mapped("id", "id"), moment],
        ["id", "moment"],
    )
    (row,) = run(compiled, [{"id": "x", "moment": "2025-07-01T03:59:59Z"}])
    assert (row["made_date"], row["made_month"]) == (date(2025, 6, 30), "2025-06")


@pytest.mark.parametrize("folder", [DANANG, HARBOUR], ids=["danang", "harbour"])
def test_the_contracts_of_the_repository_are_good(folder: Path) -> None:
    assert check_city(folder) == []


def reasons_of(source_id: str, files: Path, as_of: date) -> tuple[int, Counter[str]]:
    """Number of records, and how often each reason stands, of a real file as text."""
    city = load_city(HARBOUR)
    source = city.sources[source_id]
    compiled = compile_stream(source, city.tables[source.table])
    read = f"read_csv('{files}', all_varchar = true)"
    relation = f"(SELECT row_number() OVER () AS _raw_row, * FROM {read})"  # noqa: S608 - a test's own text
    with session() as connection:
        rows = connection.execute(
            f"SELECT len(_reasons), _reasons FROM ({compiled.split_sql(relation, as_of)})"  # noqa: S608 - a test's own text
        ).fetchall()
    return len(rows), Counter(reason for _, reasons in rows for reason in reasons)


def test_boston_has_197_bad_records() -> None:
    path = shared_path("a_citizen_feedback/boston_311_2015.csv.gz")
    count, reasons = reasons_of("feedback.boston_311", path, date(2017, 2, 28))
    assert count == 121_145
    assert reasons == {"closed_at:closed_not_before_requested": 197}


def test_beijing_has_no_bad_record() -> None:
    path = shared_path("d_environment/beijing_prsa_hourly") / "PRSA_Data_A*.csv.gz"
    count, reasons = reasons_of("air_water.beijing_prsa", path, date(2017, 2, 28))
    assert count == 2 * 35_064
    assert reasons == {}

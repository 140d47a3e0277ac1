"""Each rule of harbour's new sources refuses a record that breaks it, and that rule alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.contract.conftest import CITY
from warehouse.city import load_city
from warehouse.contract.compiler import CompiledStream, compile_stream
from warehouse.duck import session

DAY = date(2026, 6, 12)
UNIT = {
    "Call Number": "163664036",
    "Unit ID": "AM30",
    "RowID": "163664036-AM30",
    "Call Type": "Medical Incident",
    "Unit Type": "PRIVATE",
    "Unit sequence in call dispatch": "2",
    "Received DtTm": "12/31/2016 11:52:01 PM",
    "Entry DtTm": "12/31/2016 11:55:04 PM",
    "Dispatch DtTm": "12/31/2016 11:55:20 PM",
    "Response DtTm": "12/31/2016 11:56:13 PM",
    "On Scene DtTm": "01/01/2017 12:00:47 AM",
    "Transport DtTm": "01/01/2017 12:25:07 AM",
    "Hospital DtTm": "01/01/2017 12:41:13 AM",
    "Available DtTm": "01/01/2017 01:12:11 AM",
    "Original Priority": "3",
    "Final Priority": "3",
    "Supervisor District": "2",
    "Battalion": "B04",
    "Zipcode of Incident": "94123",
    "Address": "0 Block of A ST",
    "Location": "(37.8051625655624, -122.432957440518)",
}
PERMIT = {
    "FILENO": "24-019651",
    "FOLDERTYPE": "SO Other Single Detached Dwelling",
    "INDATE": "2024/10/03 00:00:00+00",
    "ISSUEDATE": "2024/11/04 00:00:00+00",
    "WORKDESC": "New",
    "FOLDERSTATUSDESC": "Final",
    "PROPINFOVALUE_WARD": "1",
}
TIMES = {
    "received_at": "Received DtTm",
    "entry_at": "Entry DtTm",
    "dispatch_at": "Dispatch DtTm",
    "response_at": "Response DtTm",
    "on_scene_at": "On Scene DtTm",
    "transport_at": "Transport DtTm",
    "hospital_at": "Hospital DtTm",
    "available_at": "Available DtTm",
}
# The clocks of San Francisco were set on 2016-11-06 (back) and 2017-03-12 (forward), at 02:00.
REPEATED, SKIPPED = "11/06/2016 01:30:00 AM", "03/12/2017 02:30:00 AM"

Record = Mapping[str, str | None]
Case = tuple[set[str], Record]
ALONE: list[tuple[str, Record]] = [
    ("emergency_trip_id:required", {"RowID": None}),
    ("call_id:required", {"Call Number": None}),
    ("call_id:pattern", {"Call Number": "16366403", "RowID": "16366403-AM30"}),
    ("call_id:row_is_call_and_unit", {"RowID": "163664036-E39"}),
    ("unit_id:required", {"Unit ID": None}),
    ("unit_sequence:type", {"Unit sequence in call dispatch": "2.5"}),
    ("unit_sequence:range", {"Unit sequence in call dispatch": "0"}),
    ("call_category:type", {"Call Type": "Dragon"}),
    ("priority_initial:enum", {"Original Priority": "Z"}),
    ("priority_final:required", {"Final Priority": None}),
    ("received_at:required", {"Received DtTm": None}),
    ("area_code:pattern", {"Supervisor District": "12"}),
    ("battalion_code:pattern", {"Battalion": "4"}),
    ("postal_code:pattern", {"Zipcode of Incident": "9412"}),
    ("latitude:range", {"Location": "(97.80516, -122.43295)"}),
    ("longitude:range", {"Location": "(37.80516, -192.43295)"}),
    ("entry_at:entry_not_before_received", {"Entry DtTm": "12/31/2016 11:52:00 PM"}),
    ("dispatch_at:dispatch_not_before_received", {"Dispatch DtTm": "12/31/2016 11:52:00 PM"}),
    ("response_at:response_not_before_dispatch", {"Response DtTm": "12/31/2016 11:55:19 PM"}),
    (
        "on_scene_at:on_scene_not_before_received",
        {"On Scene DtTm": "12/31/2016 11:52:00 PM", "Response DtTm": None},
    ),
    ("on_scene_at:on_scene_not_before_response", {"On Scene DtTm": "12/31/2016 11:56:12 PM"}),
    ("transport_at:transport_not_before_on_scene", {"Transport DtTm": "01/01/2017 12:00:46 AM"}),
    ("hospital_at:hospital_not_before_on_scene", {"Hospital DtTm": "01/01/2017 12:00:46 AM"}),
    ("available_at:available_not_before_dispatch", {"Available DtTm": "12/31/2016 11:55:19 PM"}),
    *((f"{column}:type", {raw: "2016-12-31T23:52:01"}) for column, raw in TIMES.items()),
]
# What a broken value breaks beside the rule that it is here for.
TOGETHER: list[Case] = [
    (
        {"received_at:received_not_in_future"},
        {raw: "06/13/2026 12:00:01 AM" for raw in TIMES.values()},
    ),
    (
        {"priority_final:enum", "response_target_seconds:type"},
        {"Final Priority": "9"},
    ),
    ({"call_type:required", "call_category:required"}, {"Call Type": None}),
    ({"latitude:type", "longitude:type"}, {"Location": "somewhere"}),
    ({f"{column}:repeated" for column in TIMES}, dict.fromkeys(TIMES.values(), REPEATED)),
    ({f"{column}:gap" for column in TIMES}, dict.fromkeys(TIMES.values(), SKIPPED)),
]
UNITS: list[Case] = [({reason}, change) for reason, change in ALONE] + TOGETHER
PERMITS: list[Case] = [
    ({"dossier_id:pattern"}, {"FILENO": "24-19651"}),
    ({"dossier_id:required"}, {"FILENO": None}),
    ({"procedure_code:type"}, {"FOLDERTYPE": "Other"}),
    ({"procedure_code:required"}, {"FOLDERTYPE": None}),
    ({"status:type"}, {"FOLDERSTATUSDESC": "Open"}),
    ({"status:required"}, {"FOLDERSTATUSDESC": None}),
    ({"received_at:type"}, {"INDATE": "2024/10/03 04:00:00+00"}),
    ({"completed_at:type"}, {"ISSUEDATE": "2024/11/31 00:00:00+00"}),
    ({"area_code:pattern"}, {"PROPINFOVALUE_WARD": "7"}),
    ({"received_at:received_not_in_future", "completed_at:completed_not_in_future"},
     {"INDATE": "2026/06/13 00:00:00+00", "ISSUEDATE": "2026/06/13 00:00:00+00"}),
    ({"completed_at:completed_not_before_received"}, {"ISSUEDATE": "2024/10/02 00:00:00+00"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def streams() -> dict[str, CompiledStream]:
    city = load_city(CITY)
    names = ("emergency.sf_fire_calls", "public_services.burlington_permits")
    return {
        name: compile_stream(city.sources[name], city.tables[city.sources[name].table])
        for name in names
    }


def _split(stream: CompiledStream, records: Sequence[Record]) -> list[dict[str, Any]]:
    """What the compiled contract makes of each record."""
    columns = {
        name: pa.array([record.get(name) for record in records], pa.string())
        for name in stream.raw_columns
    }
    rows = pa.array(range(len(records)), pa.int64())
    with session() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("records", pa.table({"_raw_row": rows, **columns}))
        sql = f"{stream.split_sql('records', DAY)} ORDER BY _raw_row"
        return connection.sql(sql).to_arrow_table().to_pylist()


def _reasons(stream: CompiledStream, base: Record, cases: Sequence[Case]) -> list[set[str]]:
    rows = _split(stream, [base, *({**base, **change} for _, change in cases)])
    good, *found = (set(row["_reasons"]) for row in rows)
    assert good == set()
    return found


@pytest.fixture(scope="module")
def unit_reasons(streams: dict[str, CompiledStream]) -> list[set[str]]:
    return _reasons(streams["emergency.sf_fire_calls"], UNIT, UNITS)


@pytest.fixture(scope="module")
def permit_reasons(streams: dict[str, CompiledStream]) -> list[set[str]]:
    return _reasons(streams["public_services.burlington_permits"], PERMIT, PERMITS)


def _named(cases: Sequence[Case]) -> list[str]:
    return ["+".join(sorted(reasons)[:2]) for reasons, _ in cases]


@pytest.mark.parametrize("number", range(len(UNITS)), ids=_named(UNITS))
def test_a_unit_row_is_set_aside(unit_reasons: list[set[str]], number: int) -> None:
    assert unit_reasons[number] == UNITS[number][0]


@pytest.mark.parametrize("number", range(len(PERMITS)), ids=_named(PERMITS))
def test_a_permit_is_set_aside(permit_reasons: list[set[str]], number: int) -> None:
    assert permit_reasons[number] == PERMITS[number][0]


def test_no_rule_of_the_unit_rows_is_left_untried(streams: dict[str, CompiledStream]) -> None:
    tried = {each for reasons, _ in UNITS for each in reasons}
    # What the mapping itself cannot yield: an unknown type has no category, a target is one of two,
    # and each area text starts with `D`.
    beyond = {"call_category:enum", "response_target_seconds:range", "area_code:type"}
    assert set(streams["emergency.sf_fire_calls"].reasons) - tried == beyond


AROUND = {
    "last of summer": ("11/06/2016 12:59:59 AM", datetime(2016, 11, 6, 7, 59, 59, tzinfo=UTC)),
    "first of winter": ("11/06/2016 02:00:00 AM", datetime(2016, 11, 6, 10, tzinfo=UTC)),
    "before the gap": ("03/12/2017 01:59:59 AM", datetime(2017, 3, 12, 9, 59, 59, tzinfo=UTC)),
    "after the gap": ("03/12/2017 03:00:00 AM", datetime(2017, 3, 12, 10, tzinfo=UTC)),
}


def test_local_times_around_a_change_of_clocks(streams: dict[str, CompiledStream]) -> None:
    records = [{**UNIT, **dict.fromkeys(TIMES.values(), text)} for text, _ in AROUND.values()]
    rows = _split(streams["emergency.sf_fire_calls"], records)
    for row, (text, instant) in zip(rows, AROUND.values(), strict=True):
        assert row["_reasons"] == []
        assert row["on_scene_at"] == row["received_at"] == instant
        assert f"{row['received_date']:%m/%d/%Y}" == text[:10]


def test_outside_every_district_is_unlocated(streams: dict[str, CompiledStream]) -> None:
    record = {**UNIT, "Supervisor District": "None"}
    (row,) = _split(streams["emergency.sf_fire_calls"], [record])
    assert (row["_reasons"], row["area_code"]) == ([], None)

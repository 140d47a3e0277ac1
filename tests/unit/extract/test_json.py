import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract.errors import TerminalError
from extract.formats import json_mixed
from extract.formats.json_fast import FastParser, NotFastError
from extract.formats.json_mixed import MixedColumns
from extract.formats.json_slow import TextColumns, loads
from extract.schema import RawSchema
from warehouse.contract.model import RawColumn

JSON = {"kind": "json"}
NDJSON = {"kind": "ndjson"}
TYPED = [
    RawColumn("id"),
    RawColumn("lat", "number"),
    RawColumn("count", "integer"),
    RawColumn("ok", "boolean"),
    RawColumn("area.ward", required=False),
]
GOOD = {"id": "Đà", "lat": 16.05, "count": 3, "ok": True, "area": {"ward": "20197"}}
GOOD_TEXT = {"id": "Đà", "lat": "16.05", "count": "3", "ok": "true", "area.ward": "20197"}


def frozen(columns: list[RawColumn]) -> RawSchema:
    return RawSchema(tuple(columns), tuple(each.name for each in columns), "freeze")


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "_raw_row"} for row in rows]


def encoded(records: Any) -> bytes:
    return json.dumps(records, ensure_ascii=False).encode()


def lines(records: list[Any]) -> bytes:
    return b"".join(encoded(record) + b"\n" for record in records)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (encoded([GOOD]), JSON),
        (encoded(GOOD), JSON),
        (b" \n" + encoded([GOOD]) + b"\n", JSON),
        (encoded({"meta": {"n": 1}, "data": {"items": [GOOD]}}), {**JSON, "records": "data.items"}),
        (lines([GOOD]), NDJSON),
        (encoded(GOOD), NDJSON),
        (encoded([GOOD]).decode().encode("utf-16"), {**JSON, "encoding": "utf-16"}),
        (b"\xef\xbb\xbf" + encoded([GOOD]), JSON),
    ],
    ids=["array", "object", "blanks", "path", "ndjson", "last line", "utf-16", "mark"],
)
def test_shapes(open_bytes: Any, content: bytes, form: dict[str, Any]) -> None:
    opened = open_bytes(content, form, TYPED).read()
    assert opened.rows() == [{**GOOD_TEXT, "_raw_row": 0}]


@pytest.mark.parametrize(
    ("name", "literal", "expected"),
    [
        ("lat", "16", "16"), ("lat", "16.0", "16"), ("lat", "16.0740", "16.074"),
        ("lat", "12000000000", "12000000000"), ("lat", "1e3", "1000"),
        ("lat", "-0.00001", "-0.00001"),
        ("lat", "1e-7", "0.0000001"), ("lat", "12345678901234567890", "12345678901234567890"),
        ("lat", "1e400", "1e400"), ("lat", '"16,05"', "16,05"), ("lat", "null", None),
        ("count", "7", "7"), ("count", "7.5", "7.5"), ("count", "9223372036854775808",
         "9223372036854775808"), ("count", "true", "true"), ("id", "42", "42"), ("id", '""', ""),
        ("id", "false", "false"), ("id", '["a",1]', '["a","1"]'), ("ok", '"yes"', "yes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", [JSON, NDJSON], ids=["json", "ndjson"])
def test_values_become_text(
    open_bytes: Any, form: dict[str, str], name: str, literal: str, expected: str | None
) -> None:
    others = encoded({key: value for key, value in GOOD.items() if key != name}).decode()
    record = f'{{"{name}": {literal}, {others[1:]}'
    content = f"[{record}]" if form is JSON else record
    row = open_bytes(content.encode(), form, TYPED).read().rows()[0]
    assert row == {**GOOD_TEXT, name: expected, "_raw_row": 0}


NUMBERS = st.one_of(
    st.floats(-(2.0**53), 2.0**53),
    st.floats(-180, 180),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.decimals(-1000, 1000, places=4, allow_nan=False).map(float),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_both_paths_give_numbers_the_same_text(values: list[float]) -> None:
    page = json.dumps([{"lat": value} for value in values])
    schema = frozen([RawColumn("lat", "number")])
    try:
        fast = FastParser(schema).array(page.encode(), ())[0].column("lat").to_pylist()
    except NotFastError:
        return
    columns = TextColumns(schema.wanted, schema.names)
    for record in loads(page):
        columns.add(record)
    slow = columns.table().column("lat").to_pylist()
    assert [text.replace("-0", "0") if text == "-0" else text for text in fast] == slow
    assert [float(text) for text in fast] == [float(value) for value in values]


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), NUMBERS, st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["b", "z"]), st.integers(-5, 5), max_size=2),
)  # fmt: skip
TYPED_NAMES = frozen(
    [
        RawColumn("s"),
        RawColumn("n", "number"),
        RawColumn("i", "integer"),
        RawColumn("t", "boolean"),
        RawColumn("o.b", "integer"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(["s", "n", "i", "t", "o", "x"], ANYTHING)),
        max_size=6,
    )
)
def test_mixed_records_are_read_as_every_record_is_by_itself(records: list[dict[str, Any]]) -> None:
    page = json.dumps(records)
    mixed = MixedColumns(TYPED_NAMES, FastParser(TYPED_NAMES))
    slow = TextColumns(TYPED_NAMES.wanted, TYPED_NAMES.names)
    for record in loads(page):
        slow.add(record)
    try:
        for record in json_mixed.loads(page):
            mixed.add(record)
        found = mixed.table().to_pylist()
    except NotFastError:
        return
    for row in found:
        row.update({name: "0" for name, text in row.items() if text == "-0"})
    assert found == slow.table().to_pylist()
    assert mixed.undeclared == slow.undeclared


SCALARS = st.one_of(st.none(), st.text(max_size=5), st.booleans(), st.integers(-99, 99))


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"a": SCALARS, "b": st.text(max_size=4)}), max_size=6
    )
)
@pytest.mark.parametrize("form", [JSON, NDJSON], ids=["json", "ndjson"])
def test_mixed_types_come_as_text(
    open_bytes: Any, form: dict[str, str], records: list[dict[str, Any]]
) -> None:
    def text(value: Any) -> str | None:
        if isinstance(value, bool):
            return {True: "true", False: "false"}[value]
        return value if value is None else str(value)

    content = (json.dumps(records) if form is JSON else "".join(
        json.dumps(record) + "\n" for record in records)).encode()  # fmt: skip
    columns = [RawColumn("a", required=False), RawColumn("b", required=False)]
    if not content:
        return
    opened = open_bytes(content, form, columns).read()
    assert plain(opened.rows()) == [
        {"a": text(record.get("a")), "b": record.get("b")} for record in records
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"id": "1"},\n{"id": "2",}]', r"line 2 column \d+"),
        (b'[{"id": "1"}', "line 1 column 13"),
        (b'[{"id": "1"}] trailing', "line 1 column 15"),
        (b'[{"id": NaN}]', "NaN is not JSON"),
        (b"<html></html>", "looks like HTML"),
        (b"[" * 100_000, "line 1 column"),
    ],
    ids=["comma", "cut", "trailing", "NaN", "html", "deep"],
)
def test_invalid_json(open_bytes: Any, content: bytes, message: str) -> None:
    with pytest.raises(TerminalError, match=rf"file input\.dat: invalid JSON.*{message}.*\[json\]"):
        open_bytes(content, JSON, ["id"]).read()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b'{"error": "quota exceeded"}', JSON),
        (b'"text"', JSON),
        (b'{"data": 1}', {**JSON, "records": "data.items"}),
        (b'{"data": {}}', {**JSON, "records": "data.items"}),
    ],
    ids=["message", "scalar", "no object", "no array"],
)
def test_no_array_of_records(open_bytes: Any, content: bytes, form: dict[str, str]) -> None:
    with pytest.raises(TerminalError, match=r"no array of records at .*\[records_path\]"):
        open_bytes(content, form, ["id"], drift="discard").read()


def test_elements_that_are_no_objects_are_rejected(open_bytes: Any) -> None:
    opened = open_bytes(b'[{"id": "1"}, null, 3, {"id": "\\ud800"}, {"id": "2"}]', JSON, ["id"])
    opened.read()
    assert [(row["id"], row["_raw_row"]) for row in opened.rows()] == [("1", 0), ("2", 4)]
    assert [(row, reason) for row, _, reason in opened.rejected()] == [
        (1, "row:json"), (2, "row:json"), (3, "row:json"),
    ]  # fmt: skip


def test_an_invalid_line_is_rejected(open_bytes: Any) -> None:
    content = b'{"id": "1"}\n{"id": \n\n{"id": "3"}{"id": "4"}\n{"id": "5"}\n'
    opened = open_bytes(content, NDJSON, ["id"]).read()
    assert [(row["id"], row["_raw_row"]) for row in opened.rows()] == [("1", 0), ("5", 3)]
    assert opened.rejected() == [
        (1, '{"id": ', "row:json"),
        (2, '{"id": "3"}{"id": "4"}', "row:json"),
    ]
    assert opened.reader.summary.ignored == {"blank_line": 1}


def test_a_bad_line_costs_the_others_nothing(
    open_bytes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(text: str) -> Any:
        read.append(text)
        return json.loads(text)

    monkeypatch.setattr(json_mixed, "loads", counted)
    texts = [json.dumps({"a": str(number)}) for number in range(2_000)]
    texts[3], texts[1_200], texts[1_999] = '{"a": "3"', "", '{"a": [1'
    content = "\n".join(texts).encode()
    opened = open_bytes(content, NDJSON, [RawColumn("a")]).read()
    kept = [number for number in range(2_000) if number not in (3, 1_200, 1_999)]
    assert [row["a"] for row in opened.rows()] == [str(number) for number in kept]
    # A blank line is no record: those after it move up.
    numbers = [number - (number > 1_200) for number in kept]
    assert [row["_raw_row"] for row in opened.rows()] == numbers
    assert [each.row for batch in opened.batches for each in batch.rejected] == [3, 1_998]
    assert len(read) < 3 * 64


BAD_LINES = ['{"a": [1', '{"a": [1]}', '{"a": 1}', "[]", "broken", '{"a": "1"} {"a": "2"}']


@pytest.mark.parametrize("block_bytes", [300, 5_000, 1 << 20])
@pytest.mark.parametrize("step", [1, 2, 40, 333, 1_500])
def test_wherever_bad_lines_stand_the_others_are_read(
    open_bytes: Any, monkeypatch: pytest.MonkeyPatch, block_bytes: int, step: int
) -> None:
    monkeypatch.setattr("extract.formats.json.BLOCK_BYTES", block_bytes)
    monkeypatch.setattr("extract.formats.json_fast.BLOCK_BYTES", block_bytes)
    texts = [json.dumps({"a": str(number)}) for number in range(3_000)]
    bad = range(step - 1, 2_000, step)
    for number in bad:
        texts[number] = BAD_LINES[number % len(BAD_LINES)]
    opened = open_bytes("\n".join(texts).encode(), NDJSON, [RawColumn("a")]).read()
    # A value of another type comes as text: the record is read, and typing refuses it.
    shown = {1: '["1"]', 2: "1"}
    kinds = {number: number % len(BAD_LINES) for number in bad}
    read = {number: shown[kind] for number, kind in kinds.items() if kind in shown}
    expected = {number: str(number) for number in range(3_000) if number not in bad} | read
    assert {row["_raw_row"]: row["a"] for row in opened.rows()} == expected
    rejected = {row for row, *_ in opened.rejected()}
    assert rejected == set(bad) - set(read)


def test_row_numbers_go_on_over_blocks(open_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.formats.json.STRETCH_BYTES", 100)
    content = lines([{"id": str(number)} for number in range(50)])
    content = content.replace(b'{"id": "31"}', b"broken")
    opened = open_bytes(content, NDJSON, ["id"]).read()
    assert len(opened.batches) > 3
    assert [(row["id"], row["_raw_row"]) for row in opened.rows()] == [
        (str(number), number) for number in range(50) if number != 31
    ]
    assert opened.rejected() == [(31, "broken", "row:json")]


@pytest.mark.parametrize("form", [JSON, NDJSON], ids=["json", "ndjson"])
def test_invalid_utf8(open_bytes: Any, form: dict[str, str]) -> None:
    content = b'[{"id": "\xe1\xba"}]' if form is JSON else b'{"id": "\xe1\xba"}\n'
    with pytest.raises(TerminalError, match=r"byte \d+ \(line 1\) is not utf-8 \[encoding\]"):
        open_bytes(content, form, ["id"]).read()


RECORDS = [{"id": "1"}] * 99 + [{"id": "2", "area": {"new": None}}]


@pytest.mark.parametrize("records", [RECORDS, [{"id": 5}, *RECORDS]], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("form", "write"),
    [(JSON, encoded), (NDJSON, lines), ({**JSON, "records": "d"}, lambda x: encoded({"d": x}))],
    ids=["json", "ndjson", "path"],
)
def test_undeclared_keys_are_found_in_any_record(
    open_bytes: Any, form: dict[str, str], write: Any, records: list[dict[str, Any]]
) -> None:
    with pytest.raises(TerminalError, match=r"undeclared columns: 'area\.new'"):
        open_bytes(write(records), form, ["id"], drift="freeze").read()
    opened = open_bytes(write(records), form, ["id"], drift="discard").read()
    assert len(opened.rows()) == len(records)
    assert opened.reader.summary.undeclared == {"area.new"}


@pytest.mark.parametrize("form", [JSON, NDJSON], ids=["json", "ndjson"])
def test_a_renamed_key_is_seen_as_one(open_bytes: Any, form: dict[str, str]) -> None:
    record = {"id": "1", "latitude": 2}
    content = encoded([record]) if form is JSON else lines([record])
    columns = ["id", RawColumn("lat", "number")]
    with pytest.raises(
        TerminalError, match=r"missing columns: 'lat'; undeclared columns: 'latitude'"
    ):
        open_bytes(content, form, columns, drift="discard").read()


def test_a_required_key_may_be_absent_from_some_records(open_bytes: Any) -> None:
    opened = open_bytes(b'[{"id": "1"}, {"id": "2", "b": null}]', JSON, ["id", "b"]).read()
    assert opened.column("b") == [None, None]


def test_a_page_that_is_too_long(open_bytes: Any) -> None:
    content = encoded([{"id": "x" * (1 << 20)}])
    with pytest.raises(TerminalError, match=r"longer than 1 MiB \[page_size\]"):
        open_bytes(content, {**JSON, "max_page_megabytes": 1}, ["id"]).read()


def test_a_column_inside_another_is_refused(open_bytes: Any) -> None:
    with pytest.raises(TerminalError, match=r"a\.b lies inside raw column a \[contract\]"):
        open_bytes(b"[]", JSON, ["a", "a.b"])


def test_the_fast_path_is_taken() -> None:
    schema = frozen(TYPED)
    table, undeclared = FastParser(schema).array(encoded([GOOD] * 3), ())
    assert table.to_pylist() == [GOOD_TEXT] * 3
    assert undeclared == frozenset()

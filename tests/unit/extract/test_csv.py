import csv
import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract.content import Content
from extract.errors import Place, TerminalError
from extract.formats.csv import BLOCK_BYTES, CsvFormat, CsvOptions
from extract.raw import RawStore
from extract.schema import RawSchema
from warehouse.contract.model import RawColumn
from warehouse.paths import CityPaths

CSV = {"kind": "csv"}
LETTERS = "abcXYZ 019.-"
VIETNAMESE = "ăâđêôơưÁẠẵộừỳĐ"
AWKWARD = "\",;|\t\n'\\<"
WORDS = st.text(LETTERS + VIETNAMESE + AWKWARD, max_size=12)


@pytest.fixture(scope="module")
def module_store() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield RawStore(CityPaths(Path(folder), "city"))


def parse(
    store: RawStore, content: bytes, options: CsvOptions, names: list[str]
) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    schema = RawSchema(tuple(RawColumn(name) for name in names), tuple(names), "freeze")
    place = Place("feedback.test")
    raw = store.put(content, "input.csv")
    rows: list[dict[str, Any]] = []
    rejected: list[tuple[int, str]] = []
    for parsed in CsvFormat(options, schema, place).read(Content(store, raw, place.source)):
        rows += parsed.records.to_pylist()
        rejected += [(each.row, each.reason) for each in parsed.rejected]
    return rows, rejected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL], ids=["all", "minimal"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semi", "tab", "bar"])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=0, max_size=8))
def test_reads_what_python_wrote(
    module_store: RawStore,
    delimiter: str,
    line_end: str,
    quoting: Any,
    encoding: str,
    table: list[list[str]],
) -> None:
    names = ["mã số", "b;,c", "d"]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([names, *table])
    written = text.getvalue()
    expected = list(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter))[1:]

    options = CsvOptions(delimiter=delimiter, encoding=encoding)
    rows, rejected = parse(module_store, written.encode(encoding), options, names)

    assert rejected == []
    assert [[row[name] or "" for name in names] for row in rows] == expected
    assert [row["_raw_row"] for row in rows] == list(range(len(expected)))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    table=st.lists(
        st.lists(st.text(LETTERS + VIETNAMESE, min_size=1), min_size=1, max_size=4), max_size=12
    )
)
def test_wrong_field_counts_keep_their_numbers(
    module_store: RawStore, table: list[list[str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    good = {number for number, row in enumerate(table) if len(row) == 2}

    rows, rejected = parse(module_store, text.getvalue().encode(), CsvOptions(), ["a", "b"])

    assert {row["_raw_row"]: [row["a"], row["b"]] for row in rows} == {
        number: table[number] for number in good
    }
    wrong = sorted(set(range(len(table))) - good)
    assert rejected == [(number, "row:field_count") for number in wrong]


def test_a_wrong_row_behind_many_blocks_has_its_number(open_bytes: Any) -> None:
    lines = [f"{number},{'x' * 90}" for number in range(4 * BLOCK_BYTES // 90)]
    late = len(lines) - 5
    lines[late] += ",extra"
    opened = open_bytes(("\n".join(["a,b", *lines])).encode(), CSV, ["a", "b"]).read()

    assert [(row, reason) for row, _, reason in opened.rejected()] == [(late, "row:field_count")]
    numbers = [row["_raw_row"] for row in opened.rows()]
    assert numbers == [number for number in range(len(lines)) if number != late]
    assert opened.column("a") == [str(number) for number in numbers]
    assert opened.reader.summary.records == len(lines)


@pytest.mark.parametrize("good", [0, 1, 6], ids=["no good one", "one good one", "mixed"])
@pytest.mark.parametrize("last", ["1,2", "1", 'Đà Nẵng,"a\nb",""""'])
def test_many_refused_records_come_in_pieces_in_their_order(
    module_store: RawStore, monkeypatch: pytest.MonkeyPatch, good: int, last: str
) -> None:
    monkeypatch.setattr("extract.formats.csv.MOST_REFUSED", 3)
    monkeypatch.setattr("extract.formats.csv.STRETCH_BYTES", 1)
    monkeypatch.setattr("extract.formats.csv.BLOCK_BYTES", 64)
    lines = [*(f'{number},"ă\nb",\\ud800' for number in range(40)), *["1,2"] * good, last]
    lines = [*lines, *lines] if good == 6 else lines
    raw = module_store.put("\n".join(["a,b", *lines]).encode(), "input.csv")
    schema = RawSchema((RawColumn("a"), RawColumn("b")), ("a",), "freeze")
    content = Content(module_store, raw, "feedback.test")
    stretches = list(CsvFormat(CsvOptions(), schema, content.place).read(content))

    refused = [each for parsed in stretches for each in parsed.rejected]
    wrong = [number for number, line in enumerate(lines) if line != "1,2"]
    assert [(each.row, each.text) for each in refused] == [(each, lines[each]) for each in wrong]
    rows = [row["_raw_row"] for parsed in stretches for row in parsed.records.to_pylist()]
    assert rows == [number for number in range(len(lines)) if number not in wrong]
    assert max(len(parsed.rejected) for parsed in stretches) <= 3


@pytest.mark.parametrize("end", ['"', '\r"', '\n"', '"\r', '"\r\n', '"\r\n4,x'])
@pytest.mark.parametrize("lines", ["\r\n", "\r", "\r\r\n", "\n\r"])
def test_lines_within_quotes_come_whole_where_blocks_meet(
    module_store: RawStore, monkeypatch: pytest.MonkeyPatch, lines: str, end: str
) -> None:
    names = ["a", "b"]
    for size in range(36, 52):
        monkeypatch.setattr("extract.formats.csv.BLOCK_BYTES", size)
        text = f'a,b\r\n1,"x{lines}y"\r\n2,"{lines}x"\r\n3,"x{lines}{end}'
        rows, rejected = parse(module_store, text.encode(), CsvOptions(), names)
        expected = list(csv.reader(io.StringIO(text, newline="")))[1:]
        assert [[row[name] for name in names] for row in rows] == expected
        assert rejected == []


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1258", "Ðà Nẵng".replace("ẵ", "\u0103\u0303").replace("Ð", "\u0110")),
        ("latin-1", "Genève"),
        ("utf-16", "Đà Nẵng"),
        ("utf-8-sig", "Đà Nẵng"),
    ],
)
def test_encodings(open_bytes: Any, encoding: str, text: str) -> None:
    content = f"a,b\n{text},1\n".encode(encoding)
    opened = open_bytes(content, {**CSV, "encoding": encoding}, ["a", "b"]).read()
    assert opened.column("a") == [text]


@pytest.mark.parametrize(
    ("mark", "expected"), [("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-8", "utf-8")]
)
def test_encoding_is_detected_and_recorded(open_bytes: Any, mark: str, expected: str) -> None:
    content = "a,b\nĐà Nẵng,1\n".encode(mark)
    opened = open_bytes(content, {**CSV, "encoding": "auto"}, ["a", "b"]).read()
    assert opened.column("a") == ["Đà Nẵng"]
    assert opened.reader.summary.encodings == {"input.dat": expected}


@pytest.mark.parametrize("columns", [["a"], ["b"]], ids=["wanted", "not wanted"])
def test_wrong_encoding_names_file_byte_and_line(open_bytes: Any, columns: list[str]) -> None:
    content = "a,b\n1,2\nĐà Nẵng ẵ,1\n".encode().replace("ẵ".encode(), b"\xe0")
    with pytest.raises(TerminalError, match=r"file input\.dat: byte 14 \(line 3\) is not utf-8"):
        open_bytes(content, CSV, ["a", "b"], wanted=columns).read()


def test_wrong_encoding_far_into_the_file(open_bytes: Any) -> None:
    good = b"a,b\n" + "Đà Nẵng,1\n".encode() * 200_000
    content = good + b"\xff,1\n"
    with pytest.raises(TerminalError, match=rf"byte {len(good)} \(line 200002\)"):
        open_bytes(content, CSV, ["a", "b"]).read()


def test_undefined_byte_of_a_legacy_encoding(open_bytes: Any) -> None:
    content = b"a,b\nx,1\n\x8ay,2\n"
    with pytest.raises(TerminalError, match=r"byte 8 \(line 3\) is not cp1258"):
        open_bytes(content, {**CSV, "encoding": "cp1258"}, ["a", "b"]).read()


def test_gzip_is_read_and_a_cut_one_refused(open_bytes: Any) -> None:
    zipped = gzip.compress(b"a,b\n" + b"".join(b"%d,2\n" % number for number in range(50_000)))
    assert len(open_bytes(zipped, CSV, ["a", "b"]).read().rows()) == 50_000
    for cut in (len(zipped) // 2, len(zipped) - 4):
        with pytest.raises(TerminalError, match=r"file input\.dat: the compressed content is cut"):
            open_bytes(zipped[:cut], CSV, ["a", "b"]).read()


def test_damaged_gzip(open_bytes: Any) -> None:
    zipped = bytearray(gzip.compress(b"a,b\n1,2\n" * 1000))
    zipped[-6] ^= 0xFF
    with pytest.raises(TerminalError, match="cut or damaged"):
        open_bytes(bytes(zipped), CSV, ["a", "b"]).read()


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_an_empty_file_is_refused(open_bytes: Any, content: bytes) -> None:
    with pytest.raises(TerminalError, match=r"file input\.dat: the object holds no data \[empty\]"):
        open_bytes(content, CSV, ["a", "b"]).read()


@pytest.mark.parametrize("content", [b"a,b", b"a,b\n", b"a,b\r\n\r\n\n"])
def test_a_header_alone_is_an_empty_stream(open_bytes: Any, content: bytes) -> None:
    opened = open_bytes(content, CSV, ["a", "b"]).read()
    assert opened.batches == []
    assert opened.reader.summary.objects == 1


def test_only_wrong_rows(open_bytes: Any) -> None:
    opened = open_bytes(b"a,b\n1\n1,2,3\n", CSV, ["a", "b"]).read()
    assert opened.rows() == []
    assert opened.rejected() == [(0, "1", "row:field_count"), (1, "1,2,3", "row:field_count")]


def test_blank_lines_are_no_records(open_bytes: Any) -> None:
    opened = open_bytes(b"a,b\n1,2\n\n3,4\n\n", CSV, ["a", "b"]).read()
    assert [(row["a"], row["_raw_row"]) for row in opened.rows()] == [("1", 0), ("3", 1)]


def test_an_open_quote_is_refused(open_bytes: Any) -> None:
    content = b'a,b\n1,"2\n' + b"3,4\n" * 900_000
    with pytest.raises(TerminalError, match=r"a quote is not closed.*\[csv\]"):
        open_bytes(content, CSV, ["a", "b"]).read()


@pytest.mark.parametrize("line", ['1,"2', '"1,2', '1,2,"3', '1,"', '1,"2""'])
@pytest.mark.parametrize("lines", ["", "\n", "\n3,4\n5,6", "\r\n3,4\r\n"])
def test_an_open_quote_takes_no_record_with_it(open_bytes: Any, line: str, lines: str) -> None:
    with pytest.raises(TerminalError, match=r"a quote is not closed \[csv\]"):
        open_bytes(f"a,b\n1,2\n{line}{lines}".encode(), CSV, ["a", "b"]).read()


@pytest.mark.parametrize("line", ['1"2,3', '1,2"', '1,"2"""', '"1"2,3', "\\,'"])
def test_a_quote_within_a_field_is_not_open(open_bytes: Any, line: str) -> None:
    opened = open_bytes(f"a,b\n1,2\n{line}".encode(), CSV, ["a", "b"]).read()
    assert [row["_raw_row"] for row in opened.rows()] == [0, 1]
    assert opened.rejected() == []


def test_empty_fields_are_null_and_nothing_else_is(open_bytes: Any) -> None:
    opened = open_bytes(b'a,b\n,""\nNA,null\n', CSV, ["a", "b"]).read()
    assert [(row["a"], row["b"]) for row in opened.rows()] == [(None, None), ("NA", "null")]


@pytest.mark.parametrize(
    ("content", "form", "columns", "expected"),
    [
        (b"title\n\na;b\n1;2\n", {"skip_lines": 2, "delimiter": ";"}, ["a", "b"], ["1", "2"]),
        (b",Rain,\nstation,Jan,Feb\nX,1,2\n", {"header_rows": 2},
         ["station", "Rain Jan", "Rain Feb"], ["X", "1", "2"]),
        (b"u,u\nx,y\n1,2\n", {"header_rows": 2, "header_separator": "/"}, ["u/x", "u/y"],
         ["1", "2"]),
        (b"1,2\n", {"header_rows": 0}, ["a", "b"], ["1", "2"]),
        (b"a,a,b\n1,2,3\n", {}, ["a", "a#2", "b"], ["1", "2", "3"]),
        (b"a,b\n'x,1',2\n", {"quote": "'"}, ["a", "b"], ["x,1", "2"]),
        (b'a,b\n"x,2\n', {"quote": ""}, ["a", "b"], ['"x', "2"]),
        (b'a,b\n"x\\"y",2\n', {"escape": "\\", "doubled_quote": False}, ["a", "b"],
         ['x"y', "2"]),
        (b'"a\nb",c\n1,2\n', {}, ["a\nb", "c"], ["1", "2"]),
    ],
    ids=["skip", "two levels", "separator", "no header", "repeated", "quote", "no quote",
         "escape", "newline in header"],
)  # fmt: skip
def test_dialects(
    open_bytes: Any, content: bytes, form: dict[str, Any], columns: list[str], expected: list[str]
) -> None:
    opened = open_bytes(content, {**CSV, **form}, columns).read()
    assert [[row[name] for name in columns] for row in opened.rows()] == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,5", "1.5"), ("1.234,5", "1234.5"), ("1.234", "1234"), ("-12", "-12"), ("1.5", "1,5"),
     ("1.23,5", "1,23.5"), ("x", "x"), ("1,234.5", "1.234,5")],
)  # fmt: skip
def test_decimal_comma(open_bytes: Any, text: str, expected: str) -> None:
    content = f"a;b\n{text};{text}\n".encode()
    form = {**CSV, "delimiter": ";", "decimal": ",", "thousands": "."}
    row = open_bytes(content, form, [RawColumn("a", "number"), "b"]).read().rows()[0]
    assert (row["a"], row["b"]) == (expected, text)


def test_a_declared_name_that_repeats_is_refused(open_bytes: Any) -> None:
    with pytest.raises(TerminalError, match=r"column a: the header has this name 2 times"):
        open_bytes(b"a,a,b\n1,2,3\n", CSV, ["a", "b"]).read()


def test_a_renamed_column_is_seen_as_one(open_bytes: Any) -> None:
    with pytest.raises(TerminalError) as caught:
        open_bytes(b"a,c\n1,2\n", CSV, ["a", "b"]).read()
    assert str(caught.value) == (
        "source feedback.test, file input.dat: missing columns: 'b'; undeclared columns: 'c' "
        "[missing_column]"
    )


def test_a_column_that_may_be_missing_is_null(open_bytes: Any) -> None:
    columns = ["a", RawColumn("b", required=False)]
    assert open_bytes(b"a\n1\n", CSV, columns).read().column("b") == [None]


@pytest.mark.parametrize("drift", ["evolve", "discard"])
def test_an_undeclared_column_is_recorded(open_bytes: Any, drift: str) -> None:
    opened = open_bytes(b"a,new\n1,2\n", CSV, ["a"], drift=drift).read()
    assert opened.rows() == [{"a": "1", "_raw_row": 0}]
    assert opened.reader.summary.undeclared == {"new"}


def test_an_undeclared_column_is_refused_when_frozen(open_bytes: Any) -> None:
    with pytest.raises(TerminalError, match=r"undeclared columns: 'new' \[undeclared_column\]"):
        open_bytes(b"a,new\n1,2\n", CSV, ["a"], drift="freeze").read()


@pytest.mark.parametrize(
    "form",
    [{"delimiter": ""}, {"delimiter": ";;"}, {"encoding": "no-such"}, {"colour": "red"},
     {"skip_lines": "2"}],
    ids=["empty", "long", "encoding", "unknown", "type"],
)  # fmt: skip
def test_a_wrong_option_is_refused(open_bytes: Any, form: dict[str, Any]) -> None:
    with pytest.raises(TerminalError, match=r"\[contract\]"):
        open_bytes(b"a,b\n1,2\n", {**CSV, **form}, ["a", "b"]).read()

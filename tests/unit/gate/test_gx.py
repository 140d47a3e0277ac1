"""Great Expectations as an engine: generated and declared expectations refuse what breaks them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quality import gx_checks
from quality.gate import GatePolicy, decide
from quality.gx_environment import VARIABLE, interpreter
from quality.journal import plain
from quality.result import CheckResult, CheckStatus, Verdict
from tests.unit.gate.small_city import A, city_paths, column, texts, write_candidate
from warehouse.contract.model import Classification, Severity, TableContract
from warehouse.duck import session
from warehouse.expectation_checks import columns_of
from warehouse.fork_server import ForkServer
from warehouse.paths import CityPaths
from warehouse.publication import Expectation, Part, Policy, Publication

POLICY = GatePolicy(("gx",))
MART = "mart_stall"
PERSON, SECRET = "Lê Thị Thử, 0905 333 444", "ghi chú nội bộ 77"
CONTRACT = TableContract(
    name=MART,
    path=Path("mart_stall.yaml"),
    description=texts("stalls"),
    columns=(
        column("code", "VARCHAR", required=True, pattern="^[A-Z][0-9]$"),
        column("month", "DATE", required=True),
        column("kind", "VARCHAR", enum=("food", "cloth")),
        column("share", "DECIMAL(9,4)", minimum=0.0, maximum=1.0),
        column("visits", "BIGINT", minimum=0),
        column("returned", "BIGINT"),
        column("note", "VARCHAR", classification=Classification.INTERNAL, enum=(SECRET,)),
        column("owner", "VARCHAR", classification=Classification.PERSONAL, pattern="^Lê"),
    ),
    key=("code", "month"),
)
CONTRACTS = {MART: CONTRACT}
MAY, JUNE = date(2025, 5, 1), date(2025, 6, 1)
Row = dict[str, Any]


def row(number: int, **changes: Any) -> Row:
    good = {
        "code": f"A{number}",
        "month": MAY,
        "kind": ("food", "cloth")[number % 2],
        "share": Decimal("0.25"),
        "visits": 10 * number,
        "returned": number,
        "note": SECRET,
        "owner": PERSON,
    }
    return good | changes


GOOD = [row(number) for number in range(1, 6)]


def publication(*expectations: Expectation, **more: Any) -> Publication:
    part = Part(MART)
    return Publication(
        "stalls",
        "internal",
        texts("stalls"),
        texts("stalls"),
        (part,),
        expectations=expectations,
        **more,
    )


def expectation(kind: str, severity: Severity = Severity.BLOCK, **arguments: Any) -> Expectation:
    return Expectation("own", MART, kind, arguments, severity)


def candidate(
    folder: Path, rows: Sequence[Row] = GOOD, types: Mapping[str, str] | None = None
) -> Path:
    """A mart file with the given rows, whose columns are those of `types`."""
    types = types or {each.name: each.sql_type for each in CONTRACT.columns}
    path = folder / "candidate.duckdb"
    path.unlink(missing_ok=True)
    with session() as connection:
        connection.execute(f"ATTACH '{path}' AS made")
        listed = ", ".join(f"{name} {sql_type}" for name, sql_type in types.items())
        connection.execute(f"CREATE TABLE made.main.{MART} ({listed})")
        marks = ", ".join("?" for _ in types)
        for each in rows:
            values = [each.get(name) for name in types]
            connection.execute(f"INSERT INTO made.main.{MART} VALUES ({marks})", values)  # noqa: S608 - fixed names
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def run(
    work: Path,
    file: Path,
    about: Publication | None = None,
    previous: Mapping[str, int] | None = None,
) -> list[CheckResult]:
    return gx_checks.run(about or publication(), CONTRACTS, file, previous or {}, work)


def verdict(results: Sequence[CheckResult], about: Publication | None = None) -> Verdict:
    return decide(results, gx_checks.planned(about or publication(), CONTRACTS), POLICY)


def not_passed(results: Sequence[CheckResult]) -> dict[str, str]:
    return {
        each.check: str(each.status) for each in results if each.status is not CheckStatus.PASSED
    }


def test_a_good_mart_passes_every_planned_check(work: Path) -> None:
    results = run(work, candidate(work))
    assert not_passed(results) == {}
    assert verdict(results) is Verdict.PUBLISH
    assert {each.check for each in results} == {
        f"{MART}:expect_table_columns_to_match_ordered_list",
        f"{MART}:column_types",
        f"{MART}:expect_compound_columns_to_be_unique",
        f"{MART}.code:expect_column_values_to_not_be_null",
        f"{MART}.code:expect_column_values_to_match_regex",
        f"{MART}.month:expect_column_values_to_not_be_null",
        f"{MART}.kind:expect_column_values_to_be_in_set",
        f"{MART}.share:expect_column_values_to_be_between",
        f"{MART}.visits:expect_column_values_to_be_between",
        f"{MART}.note:expect_column_values_to_be_in_set",
        f"{MART}.owner:expect_column_values_to_match_regex",
    }


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        pytest.param({"code": "A1"}, ":expect_compound_columns_to_be_unique", id="key"),
        pytest.param({"code": "a9"}, ".code:expect_column_values_to_match_regex", id="pattern"),
        pytest.param({"month": None}, ".month:expect_column_values_to_not_be_null", id="required"),
        pytest.param({"kind": "tool"}, ".kind:expect_column_values_to_be_in_set", id="enum"),
        pytest.param(
            {"share": Decimal("1.0001")}, ".share:expect_column_values_to_be_between", id="maximum"
        ),
        pytest.param({"visits": -1}, ".visits:expect_column_values_to_be_between", id="minimum"),
    ],
)
def test_a_row_that_breaks_the_contract_rejects(work: Path, changes: Row, check: str) -> None:
    results = run(work, candidate(work, [*GOOD, row(6, **changes)]))
    assert not_passed(results) == {MART + check: "failed"}
    assert verdict(results) is Verdict.REJECT
    (failed,) = (each for each in results if each.status is CheckStatus.FAILED)
    assert failed.failing == (2 if "unique" in check else 1)
    assert len(failed.failing_keys) == 1
    assert all(len(key) == 16 for key in failed.failing_keys)


def test_the_key_of_a_failing_row_is_the_one_that_contract_checks_show(work: Path) -> None:
    from quality import contract_checks

    file = candidate(work, [*GOOD, row(6, visits=-1)])
    shown = [each for each in run(work, file) if each.failing_keys]
    with session() as connection:
        connection.execute(f"ATTACH '{file}' AS candidate (READ_ONLY)")
        scope = contract_checks.Scope("candidate", None, MAY, MAY)
        others = contract_checks.run(connection, publication(), CONTRACTS, scope)
    assert {each.failing_keys for each in shown} == {
        each.failing_keys for each in others if each.check.endswith("visits:minimum")
    }


def _types(**changes: str | None) -> dict[str, str]:
    types = {each.name: each.sql_type for each in CONTRACT.columns}
    changed = {name: changes.get(name, sql_type) for name, sql_type in types.items()}
    added = {name: sql_type for name, sql_type in changes.items() if name not in types}
    return {name: each for name, each in {**changed, **added}.items() if each is not None}


@pytest.mark.parametrize(
    ("types", "failed"),
    [
        pytest.param(_types(returned="INTEGER"), {"column_types"}, id="integer_type"),
        pytest.param(_types(share="DECIMAL(9,3)"), {"column_types"}, id="decimal_places"),
        pytest.param(
            dict(reversed(_types().items())),
            {"expect_table_columns_to_match_ordered_list"},
            id="order",
        ),
        pytest.param(
            _types(extra="VARCHAR"),
            {"expect_table_columns_to_match_ordered_list", "column_types"},
            id="extra",
        ),
        pytest.param(
            _types(returned=None),
            {"expect_table_columns_to_match_ordered_list", "column_types"},
            id="missing",
        ),
    ],
)
def test_columns_are_exactly_as_declared(
    work: Path, types: dict[str, str], failed: set[str]
) -> None:
    results = run(work, candidate(work, GOOD, types))
    assert not_passed(results) == {f"{MART}:{name}": "failed" for name in failed}
    assert verdict(results) is Verdict.REJECT


def test_a_mart_without_its_key_rejects(work: Path) -> None:
    results = run(work, candidate(work, GOOD, _types(code=None)))
    found = not_passed(results)
    assert found[f"{MART}:column_types"] == "failed"
    assert found[f"{MART}:expect_compound_columns_to_be_unique"] == "missing"
    assert verdict(results) is Verdict.REJECT


@pytest.mark.parametrize(
    ("before", "expected"),
    [(5, Verdict.PUBLISH), (10, Verdict.PUBLISH), (11, Verdict.HOLD), (3, Verdict.HOLD)],
)
def test_the_number_of_rows_stays_near_that_of_the_last_promotion(
    work: Path, before: int, expected: Verdict
) -> None:
    about = publication(policy=Policy(max_row_count_change=0.5))
    results = run(work, candidate(work), about, {MART: before})
    assert verdict(results, about) is expected


def test_before_the_first_promotion_any_number_of_rows_passes(work: Path) -> None:
    about = publication(policy=Policy(max_row_count_change=0.5))
    assert not_passed(run(work, candidate(work), about)) == {}


def test_a_key_of_one_column_is_unique(work: Path) -> None:
    contracts = {MART: replace(CONTRACT, key=("code",))}
    twice = candidate(work, [*GOOD, row(1, month=JUNE)])
    results = gx_checks.run(publication(), contracts, twice, {}, work)
    assert not_passed(results) == {f"{MART}:expect_column_values_to_be_unique": "failed"}


# Every expectation that a dataset may declare: arguments that the good mart meets, and others.
DECLARED: list[tuple[str, Row, Row]] = [
    ("expect_column_values_to_not_be_null", {"column": "kind"}, {"column": "empty"}),
    ("expect_column_values_to_be_null", {"column": "empty"}, {"column": "kind"}),
    ("expect_column_values_to_be_unique", {"column": "code"}, {"column": "kind"}),
    (
        "expect_column_values_to_be_between",
        {"column": "visits", "max_value": 50},
        {"column": "visits", "max_value": 50, "strict_max": True},
    ),
    (
        "expect_column_max_to_be_between",
        {"column": "share", "min_value": 0.2},
        {"column": "share", "min_value": 0.3},
    ),
    (
        "expect_column_mean_to_be_between",
        {"column": "visits", "min_value": 30, "max_value": 30},
        {"column": "visits", "max_value": 29},
    ),
    (
        "expect_column_min_to_be_between",
        {"column": "visits", "min_value": 10},
        {"column": "visits", "min_value": 11},
    ),
    (
        "expect_column_sum_to_be_between",
        {"column": "visits", "min_value": 150, "max_value": 150},
        {"column": "visits", "min_value": 151},
    ),
    (
        "expect_column_proportion_of_non_null_values_to_be_between",
        {"column": "kind", "min_value": 1},
        {"column": "empty", "min_value": 0.1},
    ),
    (
        "expect_column_proportion_of_unique_values_to_be_between",
        {"column": "code", "min_value": 1},
        {"column": "kind", "min_value": 0.9},
    ),
    (
        "expect_column_value_lengths_to_be_between",
        {"column": "kind", "min_value": 4, "max_value": 5},
        {"column": "kind", "max_value": 4},
    ),
    (
        "expect_column_unique_value_count_to_be_between",
        {"column": "kind", "min_value": 2, "max_value": 2},
        {"column": "kind", "min_value": 3},
    ),
    (
        "expect_column_values_to_be_in_set",
        {"column": "kind", "value_set": ["food", "cloth"]},
        {"column": "kind", "value_set": ["food"]},
    ),
    (
        "expect_column_values_to_not_be_in_set",
        {"column": "kind", "value_set": ["tool"]},
        {"column": "kind", "value_set": ["food"]},
    ),
    (
        "expect_column_distinct_values_to_be_in_set",
        {"column": "visits", "value_set": [10, 20, 30, 40, 50, 60]},
        {"column": "visits", "value_set": [10, 20, 30, 40]},
    ),
    (
        "expect_column_distinct_values_to_contain_set",
        {"column": "kind", "value_set": ["food"]},
        {"column": "kind", "value_set": ["food", "tool"]},
    ),
    (
        "expect_column_distinct_values_to_equal_set",
        {"column": "kind", "value_set": ["food", "cloth"]},
        {"column": "kind", "value_set": ["food"]},
    ),
    (
        "expect_column_values_to_match_regex",
        {"column": "code", "regex": "^A"},
        {"column": "code", "regex": "^A[1-4]$"},
    ),
    (
        "expect_column_values_to_not_match_regex",
        {"column": "code", "regex": "^B"},
        {"column": "code", "regex": "5$"},
    ),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "visits", "column_B": "returned"},
        {"column_A": "returned", "column_B": "visits", "or_equal": True},
    ),
    (
        "expect_column_pair_values_to_be_equal",
        {"column_A": "visits", "column_B": "visits"},
        {"column_A": "visits", "column_B": "returned"},
    ),
    (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["code", "kind"]},
        {"column_list": ["kind", "month"]},
    ),
    ("expect_table_row_count_to_be_between", {"min_value": 5}, {"max_value": 4}),
]
WITH_EMPTY = {MART: replace(CONTRACT, columns=(*CONTRACT.columns, column("empty", "VARCHAR")))}


@pytest.mark.parametrize(
    ("kind", "met", "broken"), [pytest.param(*each, id=each[0]) for each in DECLARED]
)
def test_a_declared_expectation_passes_and_refuses(
    work: Path, kind: str, met: Row, broken: Row
) -> None:
    file = candidate(work, GOOD, _types(empty="VARCHAR"))
    for arguments, status in ((met, CheckStatus.PASSED), (broken, CheckStatus.FAILED)):
        about = publication(expectation(kind, **arguments))
        results = gx_checks.run(about, WITH_EMPTY, file, {}, work)
        (own,) = (each for each in results if each.check == f"{MART}:own")
        assert (own.status, own.message) == (status, "")


def _schema() -> dict[str, Any]:
    root = Path(gx_checks.__file__).resolve().parents[1]
    schema: dict[str, Any] = json.loads((root / "warehouse/schemas/expectation.json").read_text())
    return schema


def test_every_expectation_that_may_be_declared_is_tried() -> None:
    allowed = _schema()["properties"]["implementation"]["properties"]["type"]["enum"]
    assert sorted(kind for kind, _, _ in DECLARED) == sorted(allowed)
    ruled = [
        kind
        for each in _schema()["properties"]["implementation"]["allOf"]
        for kind in each["if"]["properties"]["type"].values()
    ]
    flat = [kind for each in ruled for kind in ([each] if isinstance(each, str) else each)]
    assert sorted(flat) == sorted(allowed)


def test_a_declared_severity_decides(work: Path) -> None:
    for severity, expected in (
        (Severity.WARN, Verdict.PUBLISH),
        (Severity.HOLD, Verdict.HOLD),
        (Severity.BLOCK, Verdict.REJECT),
    ):
        about = publication(
            expectation("expect_table_row_count_to_be_between", severity, max_value=1)
        )
        assert verdict(run(work, candidate(work), about), about) is expected


def test_an_expectation_that_raises_rejects_and_quotes_nothing(work: Path) -> None:
    # A number is expected of text: Great Expectations raises, and would quote the value.
    about = publication(
        expectation(
            "expect_column_values_to_be_between", Severity.WARN, column="owner", min_value=1
        )
    )
    results = run(work, candidate(work), about)
    (own,) = (each for each in results if each.check == f"{MART}:own")
    assert own.status is CheckStatus.ERRORED
    assert own.message
    assert verdict(results, about) is Verdict.REJECT
    assert "Thử" not in json.dumps(plain(own), ensure_ascii=False)


HIDDEN = (
    expectation("expect_column_distinct_values_to_equal_set", column="owner", value_set=["x"]),
    expectation("expect_column_values_to_be_in_set", column="owner", value_set=["x"]),
    expectation("expect_column_values_to_not_match_regex", column="note", regex=SECRET),
)


@pytest.mark.parametrize("own", HIDDEN, ids=lambda own: str(own.kind))
def test_no_personal_or_internal_value_is_in_a_result(work: Path, own: Expectation) -> None:
    results = run(work, candidate(work, [*GOOD, row(6, code="zz", owner=SECRET)]), publication(own))
    assert f"{MART}:own" in not_passed(results)
    told = json.dumps([plain(each) for each in results], ensure_ascii=False)
    assert SECRET not in told
    assert PERSON not in told
    assert "zz" not in told
    assert list(work.glob("gx*")) == []


def test_an_aggregate_of_open_columns_is_shown(work: Path) -> None:
    own = expectation("expect_column_sum_to_be_between", column="visits", max_value=100)
    results = run(work, candidate(work), publication(own))
    (found,) = (each for each in results if each.check == f"{MART}:own")
    assert (found.observed, found.status) == (150, CheckStatus.FAILED)
    assert found.expected == {
        "type": "expect_column_sum_to_be_between",
        "kwargs": {"column": "visits", "max_value": 100},
    }


def test_a_candidate_that_is_not_there_rejects(work: Path) -> None:
    results = run(work, work / "absent.duckdb")
    assert set(not_passed(results).values()) == {"missing"}
    assert verdict(results) is Verdict.REJECT


BROKEN = {
    "import_error": "raise ImportError('no great_expectations')",
    "dies": (
        "import os\nfrom warehouse.fork_server import serve\n"
        "serve(lambda _: os.kill(os.getpid(), 9))"
    ),
    "raises": "from warehouse.fork_server import serve\nserve(lambda _: 1 / 0)",
    "writes_nothing": "from warehouse.fork_server import serve\nserve(lambda _: None)",
    "writes_no_json": (
        "from warehouse.fork_server import serve\n"
        "serve(lambda asked: open(asked['answers'], 'w').write('{'))"
    ),
}


@pytest.fixture
def broken_server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does something else than to validate."""
    module = f"broken_{request.param}"
    (tmp_path / f"{module}.py").write_text(BROKEN[request.param], encoding="utf-8")
    environment = gx_checks._environment

    def beside_ours(folder: Path) -> dict[str, str]:
        found = environment(folder)
        return found | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{found['PYTHONPATH']}"}

    monkeypatch.setattr(gx_checks, "_environment", beside_ours)
    server = ForkServer(module, "the test's server", interpreter=interpreter)
    monkeypatch.setattr(gx_checks, "_SERVER", server)


@pytest.mark.parametrize("broken_server", sorted(BROKEN), indirect=True)
def test_a_run_that_does_not_come_to_its_end_rejects(work: Path, broken_server: None) -> None:
    gx_checks.warm(work)
    results = run(work, candidate(work))
    assert set(not_passed(results).values()) == {"missing"}
    assert len(results) == len(gx_checks.planned(publication(), CONTRACTS))
    assert verdict(results) is Verdict.REJECT


@pytest.fixture
def no_environment(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is where the environment is looked for, or what is there cannot be executed."""
    named = tmp_path / "python"
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    if request.param != "default":
        monkeypatch.setenv(VARIABLE, str(named))
    if request.param == "not-executable":
        named.touch(mode=0o600)
    if request.param == "no-python":
        named.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
        named.chmod(0o700)
    server = ForkServer("quality.gx", "Great Expectations", interpreter=interpreter)
    monkeypatch.setattr(gx_checks, "_SERVER", server)


@pytest.mark.parametrize(
    ("no_environment", "told"),
    [
        pytest.param("default", "`requirements/install.sh gx` sets it up", id="default"),
        pytest.param("named", f"{VARIABLE} names no Python", id="named"),
        pytest.param("not-executable", f"{VARIABLE} names no Python", id="not_executable"),
        pytest.param("no-python", "ForkServerError", id="no_python"),
    ],
    indirect=["no_environment"],
)
def test_without_its_environment_every_check_rejects_and_says_why(
    work: Path, no_environment: None, told: str
) -> None:
    gx_checks.warm(work)
    results = run(work, candidate(work))
    assert set(not_passed(results).values()) == {"missing"}
    assert len(results) == len(gx_checks.planned(publication(), CONTRACTS))
    assert verdict(results) is Verdict.REJECT
    assert all(told in each.message for each in results)
    assert all(str(work.parent) not in each.message for each in results)


def test_the_variable_names_another_environment(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = tmp_path / "python"
    marked.write_text(f'#!/bin/sh\ntouch {tmp_path}/used\nexec {interpreter()} "$@"\n', "utf-8")
    marked.chmod(0o700)
    monkeypatch.setenv(VARIABLE, str(marked))
    monkeypatch.setattr(
        gx_checks, "_SERVER", ForkServer("quality.gx", "the test's", interpreter=interpreter)
    )
    assert not_passed(run(work, candidate(work))) == {}
    assert (tmp_path / "used").exists()


def _answers(work: Path) -> list[dict[str, Any]]:
    """The answers of a good run, as the process writes them."""
    return [
        {"check": each.check, "success": True, "raised": "", "failing": 0, "keys": []}
        for each in run(work, candidate(work))
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(lambda answers: answers[1:], "missing", id="lost"),
        pytest.param(lambda answers: [*answers, answers[0]], "errored", id="twice"),
        pytest.param(
            lambda answers: [{**answers[0], "success": None}, *answers[1:]], "errored", id="none"
        ),
        pytest.param(
            lambda answers: [{**answers[0], "raised": "KeyError"}, *answers[1:]],
            "errored",
            id="raised",
        ),
    ],
)
def test_an_answer_that_is_no_answer_rejects(
    work: Path, monkeypatch: pytest.MonkeyPatch, change: Any, status: str
) -> None:
    answers = _answers(work)
    monkeypatch.setattr(gx_checks, "_read", lambda _: change(answers))
    results = run(work, candidate(work))
    assert not_passed(results) == {answers[0]["check"]: status}
    assert verdict(results) is Verdict.REJECT


def test_a_plan_that_lost_the_engine_rejects() -> None:
    assert "gx" in GatePolicy().required_engines


AUDITED = """
import json, sys

seen = []
def audit(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        seen.append(event)
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event in ("os.mkdir", "os.rename"):
        seen.append(str(arguments[0]))

sys.addaudithook(audit)
from quality.gx import validate
validate(json.load(open(sys.argv[1])))
print(json.dumps(seen))
"""


def test_nothing_is_sent_and_nothing_written_outside_the_folder(work: Path, tmp_path: Path) -> None:
    folder = work / "gx"
    folder.mkdir()
    file = candidate(work)
    checks = gx_checks.suite(publication(), CONTRACTS)
    frames = gx_checks._frames(publication(), CONTRACTS, checks)
    asked = gx_checks._request(frames, file, folder)
    (work / "asked.json").write_text(json.dumps(asked))
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [interpreter(), "-P", "-B", "-c", AUDITED, str(work / "asked.json")],
        env=gx_checks._environment(folder),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(gx_checks.__file__).resolve().parents[1],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert str(folder / "answers.json") in seen
    assert [each for each in seen if not each.startswith((str(folder), os.devnull))] == []


def test_columns_of_an_expectation() -> None:
    assert columns_of({"column_A": "a", "column_B": "b", "column_list": ["c"]}) == ("a", "b", "c")


def test_a_promoted_number_of_rows_counts(tmp_path: Path) -> None:
    from quality.checking import _promoted_rows
    from tests.unit.gate.small_city import CONTRACTS as SMALL
    from tests.unit.gate.small_city import INDICATOR, decision, indicator_rows
    from warehouse.promotion import promote

    paths: CityPaths = city_paths(tmp_path)
    about = replace(A, policy=Policy(max_row_count_change=0.1))
    assert _promoted_rows(paths, about) == {}
    rows = [*indicator_rows(1, 5, months=6), *indicator_rows(2, 5)]
    promote(
        paths,
        write_candidate(paths.work / "c.duckdb", {INDICATOR.name: rows}),
        SMALL,
        [decision(about, "publish")],
    )
    assert _promoted_rows(paths, about) == {INDICATOR.name: 6}
    assert _promoted_rows(paths, A) == {}

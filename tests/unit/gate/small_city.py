"""A city small enough to read: one indicator mart, one open mart, three publications."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from quality.journal import plain
from quality.result import CheckResult, CheckStatus
from warehouse.contract.model import Classification, Column, Rule, Severity, TableContract
from warehouse.duck import session
from warehouse.paths import CityPaths
from warehouse.promotion_plan import Decision
from warehouse.publication import Part, Policy, Publication

DAY = date(2025, 7, 1)
OPEN = Classification.OPEN


def column(name: str, sql_type: str, **more: object) -> Column:
    described = {"vi": f"cột {name}", "en": f"column {name}"}
    return Column(name, described, sql_type, **{"classification": OPEN, **more})  # type: ignore[arg-type]


INDICATOR = TableContract(
    name="mart_city_indicator",
    path=Path("mart_city_indicator.yaml"),
    description={"vi": "chỉ số", "en": "indicators"},
    columns=(
        column("indicator_code", "VARCHAR", required=True, pattern="^[A-Z]{2}[0-9]$"),
        column("service_group", "INTEGER", required=True, minimum=1, maximum=11),
        column("period_start", "DATE", required=True),
        column("value", "DECIMAL(18,4)", minimum=0.0),
        column("obs_status", "VARCHAR", enum=("A", "P", "O")),
        column("internal_note", "VARCHAR", classification=Classification.INTERNAL),
        column("data_as_of", "DATE"),
    ),
    key=("indicator_code", "service_group", "period_start"),
    rules=(
        Rule("value_or_status", "value", "value IS NOT NULL OR obs_status = 'O'"),
        Rule("not_too_high", "value", "value <= 1000", Severity.HOLD),
        Rule("whole", "value", "value = floor(value)", Severity.WARN),
    ),
)
MONTHLY = TableContract(
    name="mart_request_monthly",
    path=Path("mart_request_monthly.yaml"),
    description={"vi": "theo tháng", "en": "by month"},
    columns=(
        column("month", "DATE", required=True),
        column("area_code", "VARCHAR", required=True, pattern="^[0-9]{5}$"),
        column("requests", "BIGINT", unit="1", minimum=0),
        column("share", "DECIMAL(9,6)", unit="%"),
        column("note", "VARCHAR"),
        column("agent", "VARCHAR", classification=Classification.PERSONAL),
        column("data_as_of", "DATE"),
    ),
    key=("month", "area_code"),
)
CONTRACTS = {contract.name: contract for contract in (INDICATOR, MONTHLY)}


def texts(text: str) -> dict[str, str]:
    return {"vi": f"{text} (vi)", "en": f"{text} (en)"}


def group(name: str, number: int) -> Publication:
    part = Part("mart_city_indicator", {"service_group": number})
    return Publication(name, "internal", texts(name), texts(name), (part,))


A, B, C = group("a", 1), group("b", 2), group("c", 3)
REQUESTS = Publication(
    "request-monthly",
    "open",
    texts("Phản ánh"),
    texts("Mô tả"),
    (Part("mart_request_monthly"),),
    columns=("month", "area_code", "requests", "share", "note"),
    key=("month", "area_code"),
    licence="CC-BY-4.0",
    owner="oc",
    owner_name={"vi": "Trung tâm", "en": "Centre"},
    policy=Policy(magnitude_columns=("requests",), max_age_days=3),
)

IndicatorRow = tuple[object, ...]


def indicator_rows(number: int, value: object, months: int = 2) -> list[IndicatorRow]:
    return [
        ("FB1", number, date(2025, month, 1), value, "A", "inside", DAY)
        for month in range(1, months + 1)
    ]


def request_rows(requests: Sequence[int], day: date = DAY) -> list[tuple[object, ...]]:
    return [
        (date(2025, 1, 1), f"{20000 + number}", count, Decimal("12.5"), 'a "b", c', "Hoa", day)
        for number, count in enumerate(requests)
    ]


def write_candidate(path: Path, rows: Mapping[str, Iterable[tuple[object, ...]]]) -> Path:
    """A mart file as a build leaves it: every mart, with the given rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with session() as connection:
        connection.execute(f"ATTACH '{path}' AS made")
        connection.execute("BEGIN")
        for name, contract in CONTRACTS.items():
            columns = ", ".join(f"{each.name} {each.sql_type}" for each in contract.columns)
            connection.execute(f"CREATE TABLE made.main.{name} ({columns})")
            for row in rows.get(name, ()):
                marks = ", ".join("?" for _ in row)
                insert = f"INSERT INTO made.main.{name} VALUES ({marks})"  # noqa: S608 - fixed names
                connection.execute(insert, list(row))
        connection.execute("COMMIT")
    return path


def groups_candidate(paths: CityPaths, values: Mapping[int, object]) -> Path:
    rows = [row for number, value in values.items() for row in indicator_rows(number, value)]
    return write_candidate(paths.work / "build" / "candidate.duckdb", {INDICATOR.name: rows})


def decision(publication: Publication, verdict: str, day: date = DAY, version: int = 1) -> Decision:
    result = CheckResult(
        publication.name, "not_empty", "contract", Severity.BLOCK, CheckStatus.PASSED, 2, 1
    )
    return Decision(
        publication=publication,
        verdict=verdict,
        data_as_of=day,
        pins={"service_request": version},
        inputs={"code": "c0de"},
        checks=[plain(result)],
        provenance={
            "batches": [{"source": "feedback.open311", "raw_digests": ["ab" * 32]}],
            "contracts": {"feedback.open311": "cd" * 32},
            "code_version": "0.1.0",
            "lock_digest": "ef" * 32,
            "sources": [{"title": "Open311"}],
        },
    )


def city_paths(folder: Path) -> CityPaths:
    paths = CityPaths(folder, "small")
    paths.create()
    return paths

"""What people wrote and who they are stays in raw: nothing after it knows."""

import io
import json
import random
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml
import zstandard

import warehouse.city
from pipeline.contracts import print_contract_check
from tests.e2e.conftest import HISTORY
from tests.e2e.small_town import DATASET, Town, small_town
from tests.e2e.world import DemoServer, Lake

DAY = date(2025, 7, 2)
PERSONAL_COLUMNS = ("description", "address", "contact_name", "contact_phone")
REPOSITORY = Path(__file__).resolve().parents[2]
ZSTANDARD = b"\x28\xb5\x2f\xfd"
BEYOND_RAW = (
    "core",
    "quarantine",
    "journal",
    "marts",
    "serving",
    "releases",
    "promotions",
    "ledger",
)
# Names of services and streets that the city itself publishes are no one's secret.
SHORTEST = 8
DRAWN = 60


def _fetch(server: DemoServer, day: date, page: int) -> list[dict[str, object]]:
    """One page as the source sends it, extended attributes beside the others."""
    return [record | record["extended_attributes"] for record in server.page(day, page)]


@pytest.fixture(scope="module")
def ran(base: Lake, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, str]:
    """A lake after a second day, and what that run printed."""
    home = tmp_path_factory.mktemp("privacy") / "home"
    shutil.copytree(base.home, home)
    lake = Lake(home, base.server)
    return lake, lake.run(DAY)


@pytest.fixture(scope="module")
def personal(server: DemoServer) -> set[str]:
    """Values of each personal column, drawn from four pages of the source."""
    pages = [_fetch(server, *asked) for asked in ((HISTORY, 1), (HISTORY, 4), (DAY, 1), (DAY, 6))]
    draw, found = random.Random(server.seed), set[str]()  # noqa: S311 - a sample, no secret
    for name in PERSONAL_COLUMNS:
        values = {str(each[name]) for page in pages for each in page if each.get(name)}
        long = sorted(value for value in values if len(value) >= SHORTEST)
        assert len(long) >= DRAWN
        found.update(draw.sample(long, DRAWN))
    return found


def _files(lake: Lake) -> Iterator[Path]:
    for folder in BEYOND_RAW:
        found = [path for path in (lake.root / folder).rglob("*") if path.is_file()]
        assert found, folder
        yield from found


def _texts(path: Path) -> Iterator[str]:
    """What a file says: its bytes, and what a compressed or paged format hides in them."""
    yield path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path, hive_partitioning=False)
        yield "\n".join(str(row) for row in frame.iter_rows())
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table in connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
            ).fetchall():
                rows = connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()  # noqa: S608 - our file
                yield "\n".join(map(str, rows))


def _leaks(text: str, personal: set[str]) -> set[str]:
    """The personal values that stand in a text, as they are or with JSON escapes."""
    escaped = {json.dumps(value)[1:-1]: value for value in personal}
    return {value for form, value in escaped.items() if form in text or value in text}


def test_the_search_finds_what_is_there(ran: tuple[Lake, str], personal: set[str]) -> None:
    lake, _ = ran
    contents = [path.read_bytes() for path in lake.root.glob("raw/**/*") if path.is_file()]
    unpacked = [
        zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
        for content in contents
        if content.startswith(ZSTANDARD)
    ]
    assert _leaks(b"\n".join(unpacked).decode(), personal) == personal


def test_no_file_beyond_raw_holds_personal_data(ran: tuple[Lake, str], personal: set[str]) -> None:
    lake, _ = ran
    looked_at = {
        path.relative_to(lake.root): _leaks("\n".join(_texts(path)), personal)
        for path in _files(lake)
    }
    assert {path.suffix for path in looked_at} >= {".parquet", ".duckdb", ".json", ".csv", ".md"}
    assert {path: found for path, found in looked_at.items() if found} == {}


def test_no_column_of_core_or_quarantine_is_a_personal_one(ran: tuple[Lake, str]) -> None:
    lake, _ = ran
    for path in (*lake.root.glob("core/**/*.parquet"), *lake.root.glob("journal/**/*.parquet")):
        assert not set(PERSONAL_COLUMNS) & set(pl.read_parquet_schema(path))
    records = [
        json.loads(text)
        for path in lake.root.glob("quarantine/**/*.parquet")
        for text in pl.read_parquet(path)["raw_record"]
    ]
    assert records
    assert not any(set(PERSONAL_COLUMNS) & set(record) for record in records)


def test_neither_the_run_nor_its_commands_print_personal_data(
    ran: tuple[Lake, str], personal: set[str]
) -> None:
    lake, printed = ran
    bad = next(iter(lake.root.glob("quarantine/**/*.parquet")))
    keys = [json.loads(key) for key in pl.read_parquet(bad)["key_text"] if key]
    key = next(each["service_request_id"] for each in keys if each.get("service_request_id"))
    told = lake.call("explain", "--city", lake.city, f"feedback.open311:{key}")
    assert key in told
    for text in (printed, told, lake.call("status", "--city", lake.city)):
        assert _leaks(text, personal) == set()
        assert lake.server.token not in text


def test_no_file_holds_the_token(ran: tuple[Lake, str]) -> None:
    lake, printed = ran
    token = lake.server.token.encode()
    assert token not in printed.encode()
    for path in (*_files(lake), *(each for each in lake.root.rglob("raw/**/*") if each.is_file())):
        assert token not in path.read_bytes()


@pytest.mark.parametrize("folder", ["raw", "core", "quarantine"])
def test_only_the_owner_opens_a_folder(ran: tuple[Lake, str], folder: str) -> None:
    lake, _ = ran
    assert (lake.root / folder).stat().st_mode & 0o777 == 0o700


def test_a_release_holds_the_columns_that_its_dataset_lists(ran: tuple[Lake, str]) -> None:
    lake, _ = ran
    name = "service-request-monthly"
    declared = yaml.safe_load((REPOSITORY / f"cities/danang/datasets/{name}.yaml").read_text())
    versions = [path for path in (lake.root / "releases" / name).iterdir() if path.is_dir()]
    assert len(versions) == 2
    for version in versions:
        header = (version / f"{name}.csv").read_text("utf-8").splitlines()[0].split(",")
        package = json.loads((version / "datapackage.json").read_text())
        fields = {
            each["path"]: [field["name"] for field in each["schema"]["fields"]]
            for each in package["resources"]
            if "schema" in each
        }
        assert header == declared["columns"]
        assert list(pl.read_parquet_schema(version / f"{name}.parquet")) == declared["columns"]
        assert fields[f"{name}.csv"] == declared["columns"]


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with small_town(tmp_path) as town:
        monkeypatch.setenv("CITYLAKE_HOME", str(town.home))
        yield town


def _check(town: Town, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and lines of `citylake contract check`, in this process."""
    code = print_contract_check(str(town.folder))
    return int(code), capsys.readouterr().out


def test_a_dataset_cannot_publish_an_internal_column(
    town: Town,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same dataset passes while the mart calls the column open, and not a moment longer."""
    assert _check(town, capsys)[0] == 0
    marts = shutil.copytree(warehouse.city.MARTS, tmp_path / "marts")
    contract = marts / "mart_service_request_monthly.yaml"
    before, name, after = contract.read_text("utf-8").partition("- name: requests_opened\n")
    assert name
    closed = after.replace("classification: open", "classification: internal", 1)
    contract.write_text(before + name + closed, encoding="utf-8")
    monkeypatch.setattr(warehouse.city, "MARTS", marts)
    code, told = _check(town, capsys)
    path = town.folder / "datasets/monthly.yaml"
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "columns" in text)
    assert code == 1
    assert f"{path}:{line}: citylake.not_open: column 'requests_opened' is not" in told
    town.declare(dataset=DATASET.replace(", requests_opened]", "]"))
    assert _check(town, capsys)[0] == 0, "what a dataset does not list may be internal"


def test_a_dataset_cannot_publish_a_column_of_an_event(town: Town) -> None:
    town.declare(dataset=DATASET.replace("requests_opened]", "service_request_id]"))
    checked = town.call("contract", "check")
    assert checked.returncode == 1
    assert "citylake.unknown_column" in checked.stdout
    assert "'service_request_id'" in checked.stdout
    ran = town.call("run")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("citylake: ")
    assert "citylake.unknown_column" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert town.outcomes() == [], "no source was asked"

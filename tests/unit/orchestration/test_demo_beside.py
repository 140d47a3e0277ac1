"""Where nothing names the demo city's systems, the keeper starts them and ends them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from pipeline.demo import DemoServers, DemoSettings
from pipeline.orchestration import keeper
from pipeline.orchestration.configuration import Home, prepare
from pipeline.settings import city_folder
from pipeline.variables import missing_variables, on_day
from warehouse.city import load_city

REPOSITORY = Path(__file__).resolve().parents[3]
ADDRESS, TOKEN = "CITYLAKE_DANANG_OPEN311_URL", "CITYLAKE_DANANG_OPEN311_TOKEN"  # noqa: S105 - names
SCALE = 0.01


def _page(variables: dict[str, str]) -> httpx.Response:
    """Some of the citizens' requests; the first pages of a day have planted faults."""
    return httpx.get(
        f"{variables[ADDRESS]}/requests.json",
        params={"page": 4, "page_size": 10},
        headers={"authorization": f"Bearer {variables[TOKEN]}"},
        trust_env=False,
    )


def test_the_systems_run_beside_airflow_as_long_as_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = load_city(city_folder("danang"))
    needed = set(missing_variables(city.sources.values(), {}))
    assert {ADDRESS, TOKEN} < needed
    for name in needed:
        monkeypatch.delenv(name, raising=False)
    with keeper._sources("danang", SCALE) as variables:
        assert set(variables) >= needed
        # Every task of Airflow is told where they answer, and sees them as of its own day.
        told = prepare(Home(tmp_path / "airflow"), "danang", 8123, {"PATH": "/bin", **variables})
        assert {name: told[name] for name in variables} == variables
        assert "{day}" in told[ADDRESS]
        today = on_day(told, city.default_date)
        answer = _page(today)
        assert answer.status_code == 200
        assert len(answer.json()) == 10
        assert urlsplit(today[ADDRESS]).hostname == "127.0.0.1"
        # One that is not of this keeper's making is not let in.
        assert _page({**today, TOKEN: "other"}).status_code == 401
    with pytest.raises(httpx.ConnectError):
        _page(today)


def test_they_start_too_where_one_of_them_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    city = load_city(city_folder("danang"))
    started: list[DemoSettings] = []

    @contextmanager
    def servers(settings: DemoSettings) -> Iterator[DemoServers]:
        started.append(settings)
        yield DemoServers({ADDRESS: "http://127.0.0.1:2"}, {TOKEN: "made"})

    monkeypatch.setattr(keeper, "demo_servers", servers)
    for name in missing_variables(city.sources.values(), {}):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv(ADDRESS)
    with keeper._sources("danang", SCALE) as variables:
        assert variables == {ADDRESS: "http://127.0.0.1:2", TOKEN: "made"}
    ((seed, scale, first, last),) = [astuple(each) for each in started]
    assert (seed, scale, last) == (1022, SCALE, city.default_date)
    assert first == city.history_from


def test_a_real_city_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object) -> None:
        raise AssertionError("the demo city was started for another one")

    monkeypatch.setattr(keeper, "demo_servers", started)
    harbour = REPOSITORY / "tests" / "cities" / "harbour"
    with keeper._sources(str(harbour), SCALE) as variables:
        assert variables == {}

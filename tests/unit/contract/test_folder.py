"""Contracts that are read when they are asked for."""

from pathlib import Path

import pytest

from warehouse.city import MARTS, TABLES, load_city
from warehouse.contract.folder import ContractFolder
from warehouse.contract.problem import ContractError

DANANG = Path(__file__).resolve().parents[3] / "cities" / "danang"


def test_names_are_known_without_reading(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "whole.yaml").write_bytes((TABLES / "station.yaml").read_bytes())
    folder = ContractFolder(tmp_path, "table")
    assert (list(folder), len(folder), "broken" in folder) == (["broken", "whole"], 2, True)
    assert folder.get("absent") is None
    with pytest.raises(ContractError, match=r"broken\.yaml:2"):
        _ = folder["broken"]
    # The name within is another one than the file's.
    with pytest.raises(ContractError, match=r"must be one"):
        _ = folder["whole"]


def test_a_city_reads_what_its_sources_feed_and_the_rest_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = tmp_path / "marts"
    marts.mkdir()
    for path in MARTS.glob("*.yaml"):
        (marts / path.name).write_bytes(path.read_bytes())
    (marts / "mart_city_indicator.yaml").write_text("kind: [", encoding="utf-8")
    monkeypatch.setattr("warehouse.city.MARTS", marts)
    city = load_city(DANANG, lazily=True)
    assert city.marts["mart_sector_indicator"].key
    with pytest.raises(ContractError, match=r"mart_city_indicator\.yaml"):
        _ = city.marts["mart_city_indicator"]
    with pytest.raises(ContractError, match=r"mart_city_indicator\.yaml"):
        load_city(DANANG)

"""Every code of the served marts has its names beside it, from where they are declared."""

import csv
from pathlib import Path

import pytest

from pipeline.context import open_context
from publish.serving import replace_serving
from warehouse.duck import read_only


def test_codes_have_their_names_in_the_serving_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    context = open_context("danang")
    publications = tuple(context.registry.publications.values())
    file = replace_serving(context.paths, publications, context.city.marts, named=context.named)
    with read_only(file) as serving:
        areas = serving.execute(
            "SELECT area_code, CAST(area_valid_from AS VARCHAR), name_vi, name_en FROM dim_area"
        ).fetchall()
        indicators = dict(
            serving.execute("SELECT indicator_code, name_vi FROM dim_indicator").fetchall()
        )
        agencies = dict(serving.execute("SELECT agency_code, name_vi FROM dim_agency").fetchall())
    with (context.city.folder / "geography" / "area.csv").open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    declared = [
        tuple(x[name] for name in ("code", "valid_from", "name_vi", "name_en")) for x in lines
    ]
    assert sorted(areas) == sorted(declared)
    assert len(areas) > 90
    assert {code for code in context.registry.indicators if code[:2] == "HE"} == {"HE1"}
    assert indicators.keys() == context.registry.indicators.keys() - {"HE1"}
    assert all(indicators.values())
    assert agencies == {code: each.name["vi"] for code, each in context.city.agencies.items()}

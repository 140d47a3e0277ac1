"""The statistics office read by sdmx1, in the environment that `make test-sdmx-client` sets up."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.demo.test_statistics_server import FLOW, TOKEN, place, rows

__all__ = ["place"]  # the server that both files ask

CLIENT = Path(__file__).resolve().parents[3] / ".venv" / "sdmx" / "bin" / "python"


@pytest.mark.skipif(not CLIENT.exists(), reason="needs make test-sdmx-client")
def test_sdmx1_understands_structure_and_data(place: str) -> None:  # noqa: F811 - the fixture
    script = Path(__file__).with_name("sdmx_client.py")
    address = f"http://{place}/as-of/2025-07-02/sdmx/v1"
    done = subprocess.run(  # noqa: S603 - our own script
        [str(CLIENT), str(script), address, TOKEN],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["dimensions"] == ["FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE", "TIME_PERIOD"]
    assert {"OBS_STATUS", "STD_ERROR", "SAMPLE_SIZE"} <= set(found["attributes"])
    assert found["name"] == "Số người thất nghiệp"
    assert found["flows"] == ["SOCIO_ECONOMIC"]
    expected = sorted(
        [row["REF_AREA"], row["TIME_PERIOD"], row["OBS_VALUE"]]
        for row in rows(place, f"{FLOW}/M.*.UNE._T.*")
    )
    assert expected
    assert sorted(found["structurespecificdata"]) == expected
    assert sorted(found["genericdata"]) == expected

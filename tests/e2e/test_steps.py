"""The steps of a day, each called alone, come to what a whole run comes to."""

import json
import shutil
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extract.outcomes import last_outcome
from pipeline import steps
from pipeline.candidate import remove_leftovers
from pipeline.context import open_context
from pipeline.orchestration.judged import promote_judged
from pipeline.parked import BuildError
from tests.e2e.world import TOKEN_VARIABLE, URL_VARIABLE, Lake
from warehouse.promotion import refuse
from warehouse.promotion_record import OvertakenError, PromotionError, latest

DAY = date(2025, 7, 2)
SOURCE = "feedback.open311"
# What each step is killed at, one after the other, before it may come to its end.
BOUNDARIES = {
    "extract": ("extraction.before_file", "extraction.after_file"),
    "load": ("quarantine.before_commit", "core.before_commit", "core.after_commit"),
    "build": ("build.before_park", "build.after_park"),
    "check": ("check.before_judgement", "check.after_judgement"),
    "promote": (
        "marts.after_file",
        "promotion.before_record",
        "promotion.after_record",
        "promotion.before_unpark",
    ),
    "publish": (
        "release.before_folder",
        "release.before_latest",
        "serving.before_replace",
        "site.before_replace",
        "site.after_replace",
    ),
    "maintain": ("vacuum.before_unlink",),
}


@pytest.fixture(scope="module")
def whole(base: Lake, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Content of the day after a whole run."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(base.home, folder / "home")
    lake = Lake(folder / "home", base.server)
    lake.run(DAY)
    return lake.hashes()


@pytest.fixture
def here(lake: Lake) -> Iterator[Lake]:
    """The lake, for steps that are called in this process."""
    environment = lake.environment(DAY, {})
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CITYLAKE_HOME", URL_VARIABLE, TOKEN_VARIABLE):
            patch.setenv(name, environment[name])
        yield lake


def _parked(lake: Lake) -> list[str]:
    return sorted(path.name for path in (lake.root / "work" / "parked").glob("*"))


def _loaded(lake: Lake) -> dict[str, Any]:
    """The day extracted and loaded."""
    extracted = steps.extract(lake.city, SOURCE, DAY.isoformat())
    return steps.load(lake.city, extracted["extraction"])


def test_the_steps_in_a_row(here: Lake, whole: dict[str, str]) -> None:
    day, city = DAY.isoformat(), here.city
    loaded = _loaded(here)
    built = steps.build(city, day)
    assert built["versions"]["service_request"] == loaded["version"]
    assert (built["day"], built["record"], _parked(here)) == (day, 1, [built["build"]])
    checked = steps.check(city, built["build"])
    promoted = steps.promote(city, built["build"])
    assert (promoted["record"], _parked(here)) == (2, [])
    for name, each in promoted["publications"].items():
        assert each["verdict"] == checked["publications"][name]["verdict"] == "publish"
        assert (each["candidate"], each["data_as_of"]) == (None, day)
    published = steps.publish(city, day)
    version = promoted["publications"]["service-request-monthly"]["version"]
    assert published["releases"] == {"service-request-monthly": version}
    assert published["late"] == {name: [] for name in promoted["publications"]}
    assert version in (here.root / published["site"]).read_text(encoding="utf-8")
    assert steps.maintain(city, day)["live"] > 0
    assert steps.verify(city) == {"problems": []}
    assert here.hashes() == whole
    for each in (loaded, built, checked, promoted, published):
        assert json.loads(json.dumps(each)) == each

    # Once more: there is nothing to build, and every step says what stands.
    kept = here.files("promotions", "releases", "marts", "ledger")
    _loaded(here)
    again = steps.build(city, day)
    assert (again["build"], again["record"]) == (None, 2)
    assert steps.check(city, None)["publications"].keys() == checked["publications"].keys()
    assert steps.promote(city, None) == {**promoted, "build": None}
    # A step whose answer was lost gives it again.
    assert steps.publish(city, day) == published
    assert here.files("promotions", "releases", "marts", "ledger") == kept
    assert here.hashes() == whole


def test_nothing_is_built_before_anything_was_loaded(
    here: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    with pytest.raises(steps.StepError, match="nothing was loaded yet"):
        steps.build(here.city, DAY.isoformat())
    assert latest(open_context(here.city).paths) is None


def test_a_newer_build_takes_the_place_of_the_one_before(here: Lake) -> None:
    _loaded(here)
    first = steps.build(here.city, DAY.isoformat())["build"]
    remove_leftovers(open_context(here.city))
    assert _parked(here) == [first]
    second = steps.build(here.city, DAY.isoformat())["build"]
    assert _parked(here) == [second]
    for call in (steps.check, steps.promote):
        with pytest.raises(BuildError, match=f"there is no build {first}: .*; build again"):
            call(here.city, first)
        with pytest.raises(BuildError, match="there is no build"):
            call(here.city, f"../parked/{second}")
    with pytest.raises(BuildError, match=f"build {second} is not checked yet"):
        steps.promote(here.city, second)
    (here.root / "work" / "parked" / second / "candidate.duckdb").unlink()
    with pytest.raises(BuildError, match=r"not whole \(candidate.duckdb is gone\): build again"):
        steps.check(here.city, second)


def test_what_a_build_follows_from_must_be_as_it_was(here: Lake, tmp_path: Path) -> None:
    city = tmp_path / "danang"
    shutil.copytree(here.city, city)
    _loaded(here)
    build = steps.build(str(city), DAY.isoformat())["build"]
    steps.check(str(city), build)
    dataset = city / "datasets" / "service-request-monthly.yaml"
    text = dataset.read_text("utf-8")
    dataset.write_text(f"{text}# Đổi | Changed\n", encoding="utf-8")
    before = latest(open_context(here.city).paths)
    for call in (steps.check, steps.promote):
        with pytest.raises(BuildError, match=f"registry changed since build {build}: build again"):
            call(str(city), build)
    assert latest(open_context(here.city).paths) == before
    dataset.write_text(text, encoding="utf-8")
    assert steps.promote(str(city), build)["record"] == 2
    # Its answer was lost: the same call gives it again, though the build is gone.
    assert steps.promote(str(city), build)["record"] == 2


def test_a_decision_in_between_asks_for_another_check(here: Lake) -> None:
    """Between check and promotion another build was promoted: readers see other values by now."""
    _loaded(here)
    build = steps.build(here.city, DAY.isoformat())["build"]
    steps.check(here.city, build)
    parked = here.root / "work" / "parked" / build
    shutil.copytree(parked, here.root / "aside")
    steps.promote(here.city, build)
    shutil.copytree(here.root / "aside", parked)
    (here.root / "journal" / "judged.json").unlink()
    judgement = parked / "judgement.json"
    kept = json.loads(judgement.read_bytes())
    for each in kept["decisions"]:
        each["verdict"] = "reject"
    judgement.write_text(json.dumps(kept))
    with pytest.raises(OvertakenError, match="against promotion record 1, but 2 stands: check ag"):
        steps.promote(here.city, build)
    assert steps.check(here.city, build)["build"] == build
    assert steps.promote(here.city, build)["record"] == 2


def test_a_scheduler_checks_again_what_a_decision_overtook(here: Lake, tmp_path: Path) -> None:
    """Somebody refuses the day before while the next one waits between check and promotion."""
    city, name, next_day = tmp_path / "danang", "service-request-monthly", "2025-07-03"
    shutil.copytree(here.city, city)
    dataset = city / "datasets" / f"{name}.yaml"
    text = dataset.read_text("utf-8")
    assert "max_row_count_change: 0.5" in text
    dataset.write_text(text.replace("change: 0.5", "change: 0.0001"), encoding="utf-8")
    _loaded(here)
    first = steps.build(str(city), DAY.isoformat())["build"]
    steps.check(str(city), first)
    held = steps.promote(str(city), first)["publications"][name]
    assert held["verdict"] == "hold"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL_VARIABLE, here.environment(date(2025, 7, 3), {})[URL_VARIABLE])
        steps.ingest(str(city), SOURCE, next_day)
    second = steps.build(str(city), next_day)["build"]
    steps.check(str(city), second)
    assert steps.refuse(str(city), name, held["candidate"], "Lan")["record"] == 3
    with pytest.raises(OvertakenError, match="record 2, but 3 stands"):
        steps.promote(str(city), second)
    promoted = promote_judged(str(city), second)
    waiting = promoted["publications"][name]
    assert (promoted["record"], waiting["verdict"], _parked(here)) == (4, "hold", [])
    assert waiting["candidate"] not in (None, held["candidate"])
    assert steps.verify(str(city)) == {"problems": []}
    # What was promoted needs no check, and an answer that was lost is given again.
    assert promote_judged(str(city), second)["record"] == 4


def test_held_refused_and_told(here: Lake, tmp_path: Path) -> None:
    city = tmp_path / "danang"
    shutil.copytree(here.city, city)
    dataset = city / "datasets" / "service-request-monthly.yaml"
    text = dataset.read_text("utf-8")
    bound = "max_row_count_change: 0.5"
    assert bound in text
    dataset.write_text(text.replace(bound, "max_row_count_change: 0.0001"), encoding="utf-8")
    _loaded(here)
    build = steps.build(str(city), DAY.isoformat())["build"]
    steps.check(str(city), build)
    name = "service-request-monthly"
    held = steps.promote(str(city), build)["publications"][name]
    assert held["verdict"] == "hold"
    version = steps.publish(str(city), DAY.isoformat())["releases"][name]
    late = steps.publish(str(city), "2025-07-03")["late"]
    assert late[name] == [SOURCE]
    with pytest.raises(PromotionError, match="never held"):
        steps.refuse(str(city), name, "0" * 64, "Lan")
    said = here.call(
        "refuse", "--city", str(city), name, "--person", "Lan", "--candidate", held["candidate"]
    )
    assert said == f"{name} {held['candidate'][:12]}: refused by Lan\n"
    status = json.loads(here.call("status", "--city", str(city), "--json"))["publications"][name]
    assert (status["verdict"], status["waiting"], status["version"]) == ("reject", None, version)
    # What is late stays late, and is said: a decision is no delivery.
    with duckdb.connect(str(here.root / "serving" / "marts.duckdb"), read_only=True) as serving:
        told = serving.execute(
            "SELECT publication, late_sources FROM publication_status"
        ).fetchall()
        assert dict(told) == late
        assert serving.execute("SELECT is_late FROM report_source").fetchall() == [(True,)]
    assert steps.refuse(str(city), name, held["candidate"], "Lan")["record"] == 3
    with pytest.raises(PromotionError, match="was refused"):
        steps.approve(str(city), name, held["candidate"], "Minh")
    with pytest.raises(PromotionError, match="was refused"):
        refuse(open_context(str(city)).paths, name, held["candidate"])
    assert steps.verify(str(city)) == {"problems": []}


def test_a_source_that_failed_is_late(here: Lake) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL_VARIABLE, "http://127.0.0.1:9/georeport/v2")
        with pytest.raises(Exception, match=SOURCE):
            steps.extract(here.city, SOURCE, DAY.isoformat())
    attempt = last_outcome(here.root / "journal", SOURCE)
    assert attempt is not None
    assert attempt["status"] == "transient"
    late = steps.publish(here.city, DAY.isoformat())["late"]
    assert set(late) == {"indicators-feedback", "service-request-monthly"}
    assert all(each == [SOURCE] for each in late.values())


def test_killed_at_every_boundary_of_every_step(lake: Lake, whole: dict[str, str]) -> None:
    """Each step is ended at each of its boundaries in turn and called again, until it may end."""
    day = DAY.isoformat()

    def call(name: str, *options: str) -> dict[str, Any]:
        for boundary in BOUNDARIES[name]:
            lake.step(DAY, name, *options, expect=-signal.SIGKILL, CITYLAKE_KILL_AT=boundary)
        return dict(json.loads(lake.step(DAY, name, *options)))

    extracted = call("extract", "--source", SOURCE, "--date", day)
    call("load", "--extraction", extracted["extraction"])
    build = call("build", "--date", day)["build"]
    assert _parked(lake) == [build]
    call("check", "--build", build)
    assert call("promote", "--build", build)["record"] == 2
    assert _parked(lake) == []
    call("publish", "--date", day)
    call("maintain", "--date", day)
    assert lake.hashes() == whole
    left = {
        path.name for path in (lake.root / "work").iterdir() if path.suffix not in (".lock", ".log")
    }
    assert left <= {"parked", "dbt-cache", "raw"}


def test_two_loads_of_one_extraction_at_once(lake: Lake, whole: dict[str, str]) -> None:
    extracted = json.loads(lake.step(DAY, "extract", "--source", SOURCE, "--date", DAY.isoformat()))
    command = ("step", "load", "--city", lake.city, "--extraction", extracted["extraction"])
    both = [lake.begin(DAY, {}, *command) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    core = {name: value for name, value in lake.hashes().items() if name.startswith("core/")}
    assert core == {name: value for name, value in whole.items() if name.startswith("core/")}

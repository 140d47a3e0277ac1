"""What all tests share: one printed seed, no telemetry, the place of real input."""

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.shared_data import shared_path

SEED_VARIABLE = "CITYLAKE_SEED"

os.environ["DO_NOT_TRACK"] = "1"

# A failure is found again from the printed seed, not from an example that lies on one machine;
# no deadline, since a machine that is busy elsewhere is not a fault.
settings.register_profile(
    "citylake",
    database=None,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("citylake")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed once; the workers of pytest-xdist inherit it through the environment."""
    drawn = os.environ.setdefault(SEED_VARIABLE, str(secrets.randbelow(2**31)))
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = drawn


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares an expensive fixture, and split what is long between workers.

    A file's tests run on one worker; those of the mart models share two builds, those on real input
    one run, and the kill tests are many runs of the real process that any worker can take.
    """
    for number, item in enumerate(items):
        path = item.path.relative_to(item.config.rootpath)
        group = str(path)
        if path.parent.name == "marts" or path.parts[:2] == ("tests", "contract"):
            group = str(path.parent)
        elif path.name == "test_kill.py":
            group = f"{path}-{number % 2}"
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_report_header() -> str:
    """The line that says how to repeat this run."""
    return f"seed: {SEED_VARIABLE}={os.environ[SEED_VARIABLE]}"


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of this run, the same in every worker."""
    return int(os.environ[SEED_VARIABLE])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared folder's `data`; skips where it is absent, fails where it is required."""
    return shared_path("")


HARBOUR_VARIABLE = "CITYLAKE_HARBOUR_TESTS"
HARBOUR_TESTS = "tests/contract/"

_harbour_passed = 0


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the tests on real input that passed; with pytest-xdist its workers report here."""
    global _harbour_passed  # noqa: PLW0603 - one count a process
    if report.nodeid.startswith(HARBOUR_TESTS) and report.when == "call" and report.passed:
        _harbour_passed += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that was told how many tests on real input there are and passed another number.

    A skipped or lost test must not look like a passed one.
    """
    expected = os.environ.get(HARBOUR_VARIABLE)
    is_worker = hasattr(session.config, "workerinput")
    if expected and not is_worker and _harbour_passed != int(expected):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            message = f"{_harbour_passed} harbour tests passed, {expected} expected"
            reporter.write_line(message, red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

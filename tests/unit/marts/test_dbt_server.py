"""The process that runs dbt: exit codes, output, and no life after ours."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from warehouse.dbt_server import DbtServer, DbtServerError

SECONDS = 30
# The build blocks where its log is opened: nobody reads the other end of the pipe.
SCRIPT = """
import os, sys
from pathlib import Path
from warehouse.dbt_server import DbtServer

folder, server = Path(sys.argv[1]), DbtServer()
assert server.run(["--help"], folder, dict(os.environ), folder / "first.log") == 0
os.mkfifo(folder / "second.log")
print("building", flush=True)
server.run(["--help"], folder, dict(os.environ), folder / "second.log")
"""


@pytest.fixture(scope="module")
def server() -> DbtServer:
    return DbtServer()


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **more}


def test_every_request_has_its_exit_code_and_log(server: DbtServer, tmp_path: Path) -> None:
    known = server.run(["--help"], tmp_path, environment(), tmp_path / "known")
    unknown = server.run(["no-such-command"], tmp_path, environment(), tmp_path / "unknown")
    assert (known, unknown) == (0, 2)
    assert "Usage: dbt" in (tmp_path / "known").read_text()
    assert "no-such-command" in (tmp_path / "unknown").read_text()


def test_a_request_sees_its_own_environment_only(server: DbtServer, tmp_path: Path) -> None:
    arguments = ["debug", "--profiles-dir", "absent"]
    wrong = environment(DBT_LOG_FORMAT="no-such-format")
    assert server.run(arguments, tmp_path, wrong, tmp_path / "wrong") == 2
    assert "no-such-format" in (tmp_path / "wrong").read_text()
    server.run(arguments, tmp_path, environment(), tmp_path / "clean")
    assert "no-such-format" not in (tmp_path / "clean").read_text()


def test_a_server_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dbt.py").write_text("raise ImportError('broken dbt')")
    broken = environment(PYTHONPATH=str(tmp_path))
    with pytest.raises(DbtServerError, match=r"dbt did not run; see .*out\.log"):
        DbtServer().run(["--help"], tmp_path, broken, tmp_path / "out.log")
    assert "broken dbt" in (tmp_path / "out.log").read_text()


def test_a_server_that_was_ended_starts_again(tmp_path: Path) -> None:
    server = DbtServer()
    assert server.run(["--help"], tmp_path, environment(), tmp_path / "a") == 0
    process = server._server._process
    assert process is not None
    process.kill()
    process.wait()
    assert server.run(["--help"], tmp_path, environment(), tmp_path / "b") == 0


def test_neither_server_nor_build_outlives_the_run(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "building\n"
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert gone(process.pid)


def gone(group: int) -> bool:
    """Whether every process of a group has ended, within the time that is given."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return False

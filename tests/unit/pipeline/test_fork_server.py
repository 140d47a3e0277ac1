import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warehouse.fork_server import ForkServer, ForkServerError

PATIENCE = 20.0
# Waits for the file that the request names, having told its own process in another.
MODULE = """
import os, sys, time
from pathlib import Path
from warehouse.fork_server import serve

def work(request):
    Path(request["told"]).write_text(str(os.getpid()))
    while not Path(request["awaited"]).exists():
        time.sleep(0.01)
    if request.get("code"):
        sys.stdout.flush()
        os._exit(request["code"])

if __name__ == "__main__":
    serve(work)
"""
ASKER = """
import sys
from pathlib import Path
from warehouse.fork_server import ForkServer
folder = Path(sys.argv[1])
server = ForkServer("waiting", "the test's server")
request = {"told": str(folder / "told"), "awaited": str(folder / "never")}
server.run(request, folder, {"PYTHONPATH": sys.argv[2]}, folder / "log")
"""
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "waiting.py").write_text(MODULE, encoding="utf-8")
    return f"{tmp_path}{os.pathsep}{ROOT}"


def until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_requests_run_side_by_side_and_each_gets_its_own_answer(tmp_path: Path, path: str) -> None:
    server = ForkServer("waiting", "the test's server")
    told = [tmp_path / f"told{number}" for number in range(3)]
    awaited = [tmp_path / f"awaited{number}" for number in range(3)]

    def ask(number: int) -> int:
        request = {"told": str(told[number]), "awaited": str(awaited[number]), "code": number}
        return server.run(request, tmp_path, {"PYTHONPATH": path}, tmp_path / "log")

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask, number) for number in range(3)]
        until(lambda: all(each.exists() for each in told))
        assert not any(each.done() for each in answers)
        # The last to be asked ends first, and need not wait for the others.
        for number in (2, 0, 1):
            awaited[number].touch()
            assert answers[number].result(PATIENCE) == number


def test_a_server_that_ends_fails_all_that_wait_and_the_next_is_answered(
    tmp_path: Path, path: str
) -> None:
    server = ForkServer("waiting", "the test's server")
    never, now = tmp_path / "never", tmp_path / "now"
    now.touch()

    def ask(name: str, awaited: Path) -> int:
        request = {"told": str(tmp_path / name), "awaited": str(awaited)}
        return server.run(request, tmp_path, {"PYTHONPATH": path}, tmp_path / "log")

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(ask, name, never) for name in ("a", "b")]
        until(lambda: all((tmp_path / name).exists() for name in ("a", "b")))
        process = server._process
        assert process is not None
        process.kill()
        for each in answers:
            with pytest.raises(ForkServerError, match="did not run"):
                each.result(PATIENCE)
    children = [int((tmp_path / name).read_text()) for name in ("a", "b")]
    until(lambda: not any(is_alive(child) for child in children))
    assert ask("c", now) == 0


def test_no_child_outlives_the_process_that_asked(tmp_path: Path, path: str) -> None:
    asker = subprocess.Popen(  # noqa: S603 - our own text
        [sys.executable, "-c", ASKER, str(tmp_path), path], env={**os.environ, "PYTHONPATH": path}
    )
    told = tmp_path / "told"
    until(lambda: told.exists() and told.read_text())
    child = int(told.read_text())
    assert is_alive(child)
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    until(lambda: not is_alive(child))

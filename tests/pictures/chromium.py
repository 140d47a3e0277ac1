"""Chromium without a window, told what to do through a pair of pipes.

Source: the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/); through
`--remote-debugging-pipe` its messages are JSON, each ended by a zero byte.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

PROGRAM = "chromium"
REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "build" / "pictures"
WIDTH, HEIGHT = 1440, 1000
NARROW = 600
PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.5
# Chromium reads commands from descriptor 3 and answers on 4; ours may have these numbers, so they
# are moved out of the way first.
_WITH_PIPES = 'exec {read}<&"$COMMANDS" {write}>&"$ANSWERS"; exec "$@" 3<&$read 4>&$write'
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    f"--window-size={WIDTH},{HEIGHT}",
)


class Browser:
    """One page of a running Chromium."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._rest = 0, b""
        self._session: str | None = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._ask("Page.enable")
        self.resize(WIDTH)

    def run(self, script: str) -> Any:
        """What a script, or the promise that it makes, comes to in the page."""
        found = self._ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        return found["result"].get("value")

    def log_in(self, address: str, token: str) -> None:
        """Be the user of a token on the pages below an address."""
        self._ask("Network.setCookie", name="_token", value=token, url=address, httpOnly=True)

    def prepare(self, script: str) -> None:
        """Run a script in every page before its own."""
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=script)

    def show(self, address: str, *texts: str) -> None:
        """Go to a page and wait until it shows some texts.

        Raises:
            AssertionError: when it does not in time.
        """
        self._ask("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE_SECONDS
        while not all(text in (shown := self.text()) for text in texts):
            assert time.monotonic() < until, f"{address} shows {shown[:2000]!r}"
            time.sleep(LOOK_SECONDS)

    def text(self) -> str:
        """What the page shows as text."""
        found = self._ask("Runtime.evaluate", expression="document.body?.innerText ?? ''")
        return str(found["result"].get("value", ""))

    def resize(self, width: int, height: int = HEIGHT) -> None:
        """Give the page a size, in pixels; a narrow one is a phone."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < NARROW,
        )

    def whole_picture(self, place: Path) -> None:
        """Write the whole page, also what is below the window, as PNG."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self._ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        place.write_bytes(base64.b64decode(shot["data"]))

    def print(self, place: Path) -> None:
        """Write what a printer would get for A4 as PDF."""
        sheet = self._ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        place.write_bytes(base64.b64decode(sheet["data"]))

    def evaluate(self, script: str) -> object:
        """The value of an expression in the page; a promise is awaited."""
        found = self._ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        return found["result"].get("value")

    def picture(self, place: Path) -> None:
        """Write what the page shows as PNG."""
        time.sleep(2)  # what moves into its place has come to rest
        shot = self._ask("Page.captureScreenshot", format="png")
        place.write_bytes(base64.b64decode(shot["data"]))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._number:
                assert "result" in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> bytes:
        while b"\0" not in self._rest:
            more = os.read(self._answers.fileno(), 1 << 20)
            assert more, "chromium ended"
            self._rest += more
        found, _, self._rest = self._rest.partition(b"\0")
        return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own; it ends with the block.

    Raises:
        AssertionError: when there is no Chromium.
    """
    program = shutil.which(PROGRAM)
    assert program, "no chromium; `make pictures` installs the Debian package"
    (commands_out, commands_in), (answers_out, answers_in) = os.pipe(), os.pipe()
    numbers = {"COMMANDS": str(commands_out), "ANSWERS": str(answers_in)}
    with (
        tempfile.TemporaryDirectory() as profile,
        os.fdopen(commands_in, "wb") as commands,
        os.fdopen(answers_out, "rb") as answers,
    ):
        process = subprocess.Popen(  # noqa: S603 - a program of the system
            [
                "/bin/bash",
                "-c",
                _WITH_PIPES,
                "bash",
                program,
                *_OPTIONS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(commands_out, answers_in),
            env={**os.environ, **numbers},
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_out)
        os.close(answers_in)
        try:
            yield Browser(commands, answers)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)

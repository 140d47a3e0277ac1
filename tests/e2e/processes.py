"""The command line and the demo city as processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
CITYLAKE = (sys.executable, "-m", "pipeline.cli")
DEMO = (sys.executable, "-m", "demo")
PATIENCE_SECONDS = 300


def call(
    *arguments: str, variables: Mapping[str, str], patience: float = PATIENCE_SECONDS
) -> "subprocess.CompletedProcess[str]":
    """Call `citylake` to its end, with some variables beside those of this process."""
    return subprocess.run(  # noqa: S603 - our own command
        [*CITYLAKE, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
        timeout=patience,
    )


def printed(*arguments: str, variables: Mapping[str, str]) -> str:
    """What a call of `citylake` printed that had to end well."""
    done = call(*arguments, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(*options: str, variables: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The demo city's servers; what they say when they answer: addresses and tokens by variable."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*DEMO, "serve", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
        cwd="/",
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)


def planted(*options: str) -> list[dict[str, Any]]:
    """What is planted, as the demo city itself lists it."""
    done = subprocess.run(  # noqa: S603 - our own module
        [*DEMO, "manifest", *options], check=True, capture_output=True, text=True, cwd="/"
    )
    return [json.loads(line) for line in done.stdout.splitlines()]

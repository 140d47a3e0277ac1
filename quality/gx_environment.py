"""The environment of Great Expectations: one of its own, which this process never sees."""

import os
from pathlib import Path

from warehouse.environments import program_of
from warehouse.fork_server import ForkServerError

VARIABLE = "CITYLAKE_GX_PYTHON"


class GxEnvironmentError(ForkServerError):
    """There is no environment of Great Expectations."""


def interpreter() -> Path:
    """The Python of the environment.

    Returns:
        What `CITYLAKE_GX_PYTHON` names; where it is not set, `gx/bin/python` below our own
        environment.

    Raises:
        GxEnvironmentError: when it is no file that can be executed. The message names no path,
            so that a result that quotes it is the same on every machine.
    """
    python = program_of("gx", "python", VARIABLE)
    if python is not None:
        return python
    if os.environ.get(VARIABLE):
        raise GxEnvironmentError(f"{VARIABLE} names no Python that can be executed")
    raise GxEnvironmentError(
        "Great Expectations has no environment: `requirements/install.sh gx` sets it up, or "
        f"{VARIABLE} names the Python of another one"
    )

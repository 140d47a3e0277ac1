"""Environments beside our own: a heavy tool has one for itself below ours."""

import os
import sys
from pathlib import Path


def program_of(environment: str, name: str, variable: str) -> Path | None:
    """A program of another environment.

    Args:
        environment: Name of the environment's folder below our own.
        name: Of the program.
        variable: Environment variable that names another program, where it is set.

    Returns:
        Its path, or None where it is no file that can be executed. Links are not followed: through
        them a Python knows its environment.
    """
    named = os.environ.get(variable)
    found = Path(named).absolute() if named else Path(sys.prefix, environment, "bin", name)
    return found if found.is_file() and os.access(found, os.X_OK) else None

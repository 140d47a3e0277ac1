"""The folder of a Superset below the lake's home, and all that its processes are told."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.orchestration.users import User, write_passwords, write_private
from pipeline.settings import REPOSITORY
from pipeline.superset.errors import SupersetError
from warehouse.environments import program_of
from warehouse.paths import lake_home

PYTHON_VARIABLE = "CITYLAKE_SUPERSET_PYTHON"
SECRET_VARIABLE = "CITYLAKE_SUPERSET_SECRET"  # noqa: S105 - the name of a variable
PASSWORD_VARIABLE = "CITYLAKE_SUPERSET_PASSWORD_"  # noqa: S105 - how the names of variables begin
SETTINGS = REPOSITORY / "reports" / "superset" / "superset_config.py"
BOOTSTRAP = REPOSITORY / "reports" / "superset" / "bootstrap.py"
_SHORTEST_SECRET = 42


@dataclass(frozen=True)
class SupersetHome:
    """The folder of a Superset: metadata database, key, passwords, log."""

    folder: Path

    @property
    def passwords(self) -> Path:
        """Password by name of user, as JSON; readable by its owner alone."""
        return self.folder / "passwords.json"

    @property
    def key(self) -> Path:
        """The key that signs sessions; readable by its owner alone."""
        return self.folder / "secret_key"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.folder / "superset.log"

    @property
    def state(self) -> Path:
        """Which server runs, and where it answers."""
        return self.folder / "server.json"

    @property
    def ready(self) -> Path:
        """What the metadata database was made ready for; written when that had ended."""
        return self.folder / "ready"


def usual_home() -> SupersetHome:
    """The home of Superset below the lake's."""
    return SupersetHome((lake_home() / "superset").absolute())


def interpreter() -> Path:
    """The Python of Superset's environment.

    Returns:
        What `CITYLAKE_SUPERSET_PYTHON` names; else that of the environment below our own.

    Raises:
        SupersetError: when there is none.
    """
    found = program_of("superset", "python", PYTHON_VARIABLE)
    if found is not None:
        return found
    message = "Superset has no environment: `requirements/install.sh superset` sets it up, or "
    raise SupersetError(f"{message}{PYTHON_VARIABLE} names the Python of another one")


def prepare(home: SupersetHome, known: tuple[User, ...], base: Mapping[str, str]) -> dict[str, str]:
    """Make key and passwords where they are missing, and say all that Superset must know.

    Args:
        home: Where it keeps its things.
        known: Who may use it.
        base: The environment that its processes would have anyway.

    Returns:
        Their environment; it names files that hold secrets and holds none itself.

    Raises:
        SupersetError: for a given key that is too short.
        OrchestrationError: for a given password that is too short.
    """
    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_passwords(home.passwords, known, base, PASSWORD_VARIABLE)
    given = base.get(SECRET_VARIABLE)
    if given is not None and len(given) < _SHORTEST_SECRET:
        raise SupersetError(f"{SECRET_VARIABLE} has fewer than {_SHORTEST_SECRET} characters")
    if given is not None or not home.key.exists():
        write_private(home.key, given or secrets.token_urlsafe(48))
    ours = {
        name: value
        for name, value in base.items()
        if not name.startswith(("SUPERSET", "FLASK", "PYTHON"))
        and name != SECRET_VARIABLE
        and not name.startswith(PASSWORD_VARIABLE)
    }
    return {
        **ours,
        "SUPERSET_CONFIG_PATH": str(SETTINGS),
        "SUPERSET_HOME": str(home.folder),
        "FLASK_APP": "superset.app:create_app()",
        "CITYLAKE_SUPERSET_HOME": str(home.folder),
        "CITYLAKE_SUPERSET_KEY_FILE": str(home.key),
        "CITYLAKE_SUPERSET_PASSWORDS_FILE": str(home.passwords),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": base.get("PYTHONDONTWRITEBYTECODE", ""),
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
    }

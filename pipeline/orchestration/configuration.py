"""What Airflow is told: the one place of its configuration, by environment alone."""

import base64
import json
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.users import ROLES, User, users, write_passwords, write_private
from pipeline.settings import REPOSITORY
from warehouse.environments import program_of
from warehouse.paths import lake_home

# Logs are read from the disk: the servers of logs would answer beyond loopback.
COMPONENTS = {
    "api-server": (),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
CITY_VARIABLE = "CITYLAKE_CITY"
GX_VARIABLE = "CITYLAKE_GX_PYTHON"
PROGRAM_VARIABLE = "CITYLAKE_AIRFLOW"
ADDRESS = "127.0.0.1"
USUAL_PORT = 8080
PARALLELISM = 4
LOCK_SECONDS = 60
# A folder, or the address of a server: where OpenLineage's events go. None are made without it.
LINEAGE_VARIABLE = "CITYLAKE_LINEAGE"
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"


@dataclass(frozen=True)
class Home:
    """The folder of an Airflow below the lake's home: database, secrets, logs."""

    folder: Path

    @property
    def passwords(self) -> Path:
        """Password by name of user, as JSON; readable by its owner alone."""
        return self.folder / "passwords.json"

    @property
    def keys(self) -> Path:
        """The keys that sign sessions and tokens and encrypt connections."""
        return self.folder / "keys.json"

    @property
    def logs(self) -> Path:
        """What components and tasks said."""
        return self.folder / "logs"

    @property
    def state(self) -> Path:
        """Which keeper runs, and where it answers."""
        return self.folder / "keeper.json"

    @property
    def lock(self) -> Path:
        """Held by the keeper as long as it lives."""
        return self.folder / "keeper.lock"

    @property
    def pools(self) -> Path:
        """The pools of the contracts, as Airflow imports them."""
        return self.folder / "pools.json"

    def create(self) -> None:
        """Make the folders, closed to others."""
        for folder in (self.folder, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(frozen=True)
class Seat:
    """Where an Airflow answers and keeps its records, and its keys.

    Attributes:
        home: Logs and passwords.
        listen: Address of the interface on which the API and pages answer.
        address: Where its own components find the API.
        public_address: Where people find the pages.
        database: Address of the metadata database; may hold a password.
        keys: By purpose: `api`, `tokens`, `fernet`.
    """

    home: Home
    listen: str
    port: int
    address: str
    public_address: str
    database: str = field(repr=False)
    keys: Mapping[str, str] = field(repr=False)


def usual_home() -> Home:
    """The home of Airflow below the lake's."""
    return Home((lake_home() / "airflow").absolute())


def program() -> Path:
    """The program `airflow`.

    Returns:
        What `CITYLAKE_AIRFLOW` names; else that of the environment below our own.

    Raises:
        OrchestrationError: when there is none.
    """
    found = program_of("airflow", "airflow", PROGRAM_VARIABLE)
    if found is not None:
        return found
    message = "Airflow has no environment: `requirements/install.sh airflow` sets it up, or "
    raise OrchestrationError(f"{message}{PROGRAM_VARIABLE} names the program of another one")


def prepare(home: Home, city: str, port: int, base: Mapping[str, str]) -> dict[str, str]:
    """Make keys and passwords where they are missing, and say all that Airflow must know.

    Args:
        home: Where it keeps its things.
        city: Name or folder of the city that it runs.
        port: Where its API and pages answer, on loopback.
        base: The environment that the processes would have anyway.

    Returns:
        The environment of every process of Airflow; holds secrets.

    Raises:
        OrchestrationError: see `pipeline.orchestration.users`.
    """
    home.create()
    known = users(base)
    write_passwords(home.passwords, known, base)
    address = f"http://{ADDRESS}:{port}"
    # One writer at a time: on a busy machine the usual five seconds end in an error of the API.
    database = f"sqlite:///{home.folder / 'airflow.db'}?timeout={LOCK_SECONDS}"
    seat = Seat(home, ADDRESS, port, address, address, database, _keys(home.keys))
    return environment(seat, city, known, base)


def environment(
    seat: Seat, city: str, known: Sequence[User], base: Mapping[str, str]
) -> dict[str, str]:
    """All that Airflow must know.

    Args:
        seat: Where it answers and keeps its records.
        city: Name or folder of the city that it runs.
        known: Who may use it.
        base: The environment that the processes would have anyway.

    Returns:
        The environment of every process of Airflow; holds secrets.
    """
    home, keys = seat.home, seat.keys
    settings = {
        "core__dags_folder": REPOSITORY / "dags" / "bundle",
        "core__plugins_folder": _plugins(seat),
        "core__load_examples": False,
        "core__executor": "LocalExecutor",
        "core__parallelism": PARALLELISM,
        "core__max_active_tasks_per_dag": PARALLELISM,
        "core__dags_are_paused_at_creation": True,
        # Every task reads the DAGs: a machine that is busy must not fail it.
        "core__dagbag_import_timeout": 180,
        "core__fernet_key": keys["fernet"],
        "core__auth_manager": SIMPLE,
        "core__simple_auth_manager_all_admins": False,
        "core__simple_auth_manager_users": ",".join(
            f"{each.name}:{ROLES[each.role]}" for each in known
        ),
        "core__simple_auth_manager_passwords_file": home.passwords,
        "core__execution_api_server_url": f"{seat.address}/execution/",
        "api__host": seat.listen,
        "api__port": seat.port,
        "api__base_url": seat.public_address,
        "api__workers": 1,
        "api__secret_key": keys["api"],
        "api_auth__jwt_secret": keys["tokens"],
        "database__sql_alchemy_conn": seat.database,
        "dag_processor__parsing_processes": 1,
        "dag_processor__refresh_interval": 30,
        "dag_processor__min_file_process_interval": 30,
        "logging__base_log_folder": home.logs / "tasks",
        "logging__dag_processor_child_process_log_directory": home.logs / "dag_processor",
        "scheduler__orphaned_tasks_check_interval": 30,
        "scheduler__enable_health_check": False,
        "triggerer__capacity": 100,
        "usage_data_collection__enabled": False,
        **_lineage(base),
    }
    # Nobody's settings of another Airflow on this machine, or of its lineage.
    ours = {
        name: value
        for name, value in base.items()
        if not name.startswith(("AIRFLOW", "OPENLINEAGE"))
    }
    told = {f"AIRFLOW__{name.upper()}": str(value) for name, value in settings.items()}
    gx = base.get(GX_VARIABLE) or str(Path(sys.prefix, "gx", "bin", "python"))
    return {
        **ours,
        **told,
        "AIRFLOW_HOME": str(home.folder),
        CITY_VARIABLE: city,
        GX_VARIABLE: gx,
        "CITYLAKE_HOME": str(lake_home().absolute()),
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        "PYTHONUNBUFFERED": "1",
    }


def _plugins(seat: Seat) -> Path:
    """What a database with one writer needs; else a folder of whoever runs this Airflow."""
    if seat.database.startswith("sqlite:"):
        return REPOSITORY / "dags" / "plugins"
    return seat.home.folder / "plugins"


def _lineage(base: Mapping[str, str]) -> dict[str, object]:
    """Off, or to the place that the environment names; no source code and no parameters in it.

    Raises:
        OrchestrationError: when the folder cannot be written to.
    """
    place = base.get(LINEAGE_VARIABLE, "").strip()
    if not place:
        return {"openlineage__disabled": True}
    if place.startswith(("http://", "https://")):
        transport: dict[str, object] = {"type": "http", "url": place}
    else:
        folder = Path(place).absolute()
        _check_writable(folder)
        # A file an event: tasks that end at the same time would write into each other's lines.
        transport = {"type": "file", "log_file_path": str(folder / "event"), "append": False}
    no_code = {"scope": {}, "controls": {"include_source_code": False}}
    return {
        "openlineage__disabled": False,
        "openlineage__transport": json.dumps(transport),
        "openlineage__extractors": "dags.lineage.StepLineage",
        "openlineage__namespace": "citylake",
        "openlineage__emission_policy": json.dumps([no_code]),
    }


def _check_writable(folder: Path) -> None:
    """Make the folder of lineage's events.

    Raises:
        OrchestrationError: when it cannot be made, or written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"{LINEAGE_VARIABLE}: {folder} cannot be written to ({error.strerror})"
        raise OrchestrationError(message) from error


def _keys(place: Path) -> dict[str, str]:
    """The keys that were made at the first start."""
    if not place.exists():
        made = {
            "api": secrets.token_urlsafe(48),
            "tokens": secrets.token_urlsafe(64),
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        write_private(place, json.dumps(made) + "\n")
    found: dict[str, str] = json.loads(place.read_text(encoding="utf-8"))
    return found

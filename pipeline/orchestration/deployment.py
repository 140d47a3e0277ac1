"""An Airflow whose components run apart, each told by environment variables where the others are.

What they are told in the end stands in `pipeline.orchestration.configuration`, as for the one that
`up` starts; here is only what such a deployment decides itself: addresses, database and secrets.
Nothing has a usual value that would be a secret, and nothing secret is made here.
"""

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from pipeline.orchestration.configuration import ADDRESS, USUAL_PORT, Home, Seat
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.users import User, password_variable, write_passwords

DATABASE_VARIABLE = "CITYLAKE_AIRFLOW_DATABASE"
SECRET_VARIABLE = "CITYLAKE_AIRFLOW_SECRET"  # noqa: S105 - the name of a variable
PASSWORDS_VARIABLE = "CITYLAKE_AIRFLOW_PASSWORDS"  # noqa: S105 - the name of a variable
LISTEN_VARIABLE = "CITYLAKE_AIRFLOW_LISTEN"
ADDRESS_VARIABLE = "CITYLAKE_AIRFLOW_ADDRESS"
PUBLIC_VARIABLE = "CITYLAKE_AIRFLOW_PUBLIC_ADDRESS"
SECRETS = (DATABASE_VARIABLE, SECRET_VARIABLE, PASSWORDS_VARIABLE)
_SHORTEST_SECRET = 32
_PORTS = {"http": 80, "https": 443}


def api_address(environ: Mapping[str, str]) -> str:
    """Where components, and whoever looks after their health, find the API.

    Returns:
        What `CITYLAKE_AIRFLOW_ADDRESS` says, without a slash at its end; else loopback.

    Raises:
        OrchestrationError: when it is no address of a server.
    """
    told = environ.get(ADDRESS_VARIABLE) or f"http://{ADDRESS}:{USUAL_PORT}"
    parts = urlsplit(told)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise OrchestrationError(f"{ADDRESS_VARIABLE}: expected http://<name>:<port>")
    return told.rstrip("/")


def seat_of(home: Home, environ: Mapping[str, str]) -> Seat:
    """Where this Airflow answers and keeps its records, and its keys.

    The keys are derived from the one secret, each for its own purpose.

    Raises:
        OrchestrationError: for a variable that is missing or cannot be used; its value is not told.
    """
    address = api_address(environ)
    parts = urlsplit(address)
    return Seat(
        home=home,
        listen=environ.get(LISTEN_VARIABLE) or ADDRESS,
        port=parts.port or _PORTS[parts.scheme],
        address=address,
        public_address=(environ.get(PUBLIC_VARIABLE) or address).rstrip("/"),
        database=_database(environ),
        keys=_keys(environ),
    )


def give_passwords(seat: Seat, known: tuple[User, ...], environ: Mapping[str, str]) -> None:
    """Write the passwords of all users, as `name:password` separated by blanks gives them.

    Raises:
        OrchestrationError: when a user has none, one is too short, or one is nobody's.
    """
    given: dict[str, str] = {}
    for number, item in enumerate(environ.get(PASSWORDS_VARIABLE, "").split(), 1):
        name, separator, password = item.partition(":")
        if not separator or name not in {each.name for each in known}:
            raise OrchestrationError(f"{PASSWORDS_VARIABLE}: item {number} names no user")
        given[password_variable(name)] = password
    lacking = [each.name for each in known if password_variable(each.name) not in given]
    if lacking:
        raise OrchestrationError(f"{PASSWORDS_VARIABLE}: no password for {', '.join(lacking)}")
    write_passwords(seat.home.passwords, known, given)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what only a deployment's own start needs to know."""
    return {name: value for name, value in environ.items() if name not in SECRETS}


def _database(environ: Mapping[str, str]) -> str:
    told = environ.get(DATABASE_VARIABLE, "")
    if not told.startswith(("postgresql://", "postgresql+psycopg2://")):
        raise OrchestrationError(
            f"{DATABASE_VARIABLE}: expected postgresql://<user>:<password>@<name>/<database>"
        )
    return told


def _keys(environ: Mapping[str, str]) -> dict[str, str]:
    secret = environ.get(SECRET_VARIABLE, "")
    if len(secret) < _SHORTEST_SECRET:
        raise OrchestrationError(f"{SECRET_VARIABLE}: fewer than {_SHORTEST_SECRET} characters")

    def derived(purpose: str, kind: str) -> str:
        made = hmac.digest(secret.encode(), f"citylake airflow {purpose}".encode(), kind)
        return base64.urlsafe_b64encode(made).decode()

    return {
        "api": derived("api", "sha512"),
        "tokens": derived("tokens", "sha512"),
        "fernet": derived("fernet", "sha256"),
    }

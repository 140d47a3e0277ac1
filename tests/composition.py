"""docker-compose.yml and Dockerfile as tests read them: rules, and what a service is given.

Interpolation follows the compose specification for the three forms that the file uses.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
COMPOSE = REPOSITORY / "docker-compose.yml"
DOCKERFILE = REPOSITORY / "Dockerfile"
DOCKERIGNORE = REPOSITORY / ".dockerignore"

Service = Mapping[str, Any]

_REFERENCE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
_REQUIRED = re.compile(r"\$\{\w+:\?[^}]+\}")
_IMAGE = re.compile(r"[\w./-]+:[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?")
# Names of what must not be read by everybody, and addresses that hold a password.
_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|DATABASE$")
_WITH_PASSWORD = re.compile(r"://[^/:@]+:(?P<password>.+)@")
_LIMITS = ("cpus", "memory", "pids")


class MissingVariableError(ValueError):
    """A variable without which compose refuses to start."""


def given_services(text: str, environ: Mapping[str, str]) -> dict[str, Service]:
    """The services of a compose file's text, with the variables of an environment.

    Raises:
        MissingVariableError: see `interpolated`.
    """

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: filled(each) for name, each in node.items()}
        if isinstance(node, list):
            return [filled(each) for each in node]
        return interpolated(node, environ) if isinstance(node, str) else node

    return {name: filled(service) for name, service in services(text).items()}


def interpolated(text: str, environ: Mapping[str, str]) -> str:
    """A scalar of a compose file with the variables of an environment.

    Raises:
        MissingVariableError: for `${NAME:?message}` where NAME is not set or empty.
    """

    def value(found: re.Match[str]) -> str:
        name, operator, rest = found.groups()
        given = environ.get(name, "")
        if given or operator is None:
            return given
        if operator == ":?":
            raise MissingVariableError(f"{name}: {rest}")
        return str(rest)

    return _REFERENCE.sub(value, text)


def services(text: str) -> dict[str, Service]:
    """The services of a compose file's text by name, anchors and merges followed."""
    found: dict[str, Service] = yaml.safe_load(text)["services"]
    return found


def required_variables(text: str) -> set[str]:
    """The variables without which compose refuses to start."""
    return {name for name, operator, _ in _REFERENCE.findall(text) if operator == ":?"}


def is_long_running(service: Service) -> bool:
    """Whether a service stays, unlike one that does its work and ends."""
    return str(service.get("restart", "")) != "no"


def compose_problems(text: str) -> list[str]:
    """What breaks a rule of the house, as `<service>: <what>`."""
    return [
        f"{name}: {problem}"
        for name, service in services(text).items()
        for problem in _problems(service)
    ]


def _problems(service: Service) -> Iterator[str]:
    user = str(service.get("user", "root")).partition(":")[0]
    if not user.isdecimal() or int(user) == 0:
        yield "runs as root, or as a name that the image may give to root"
    image = _IMAGE.fullmatch(service.get("image", ""))
    if image is None or not (image[1] or "build" in service):
        yield "image is not pinned by tag, and by digest where it is not built here"
    if not service.get("read_only"):
        yield "can write into its image"
    if service.get("cap_drop") != ["ALL"] or service.get("privileged") or "cap_add" in service:
        yield "keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "can gain privileges"
    for port in service.get("ports", ()):
        if not str(port).startswith("127.0.0.1:"):
            yield f"port {port} is published beyond loopback"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    yield from (f"no limit of {name}" for name in _LIMITS if name not in limits)
    if is_long_running(service) and not service.get("healthcheck", {}).get("test"):
        yield "has no health check"
    yield from _literal_secrets(service.get("environment", {}))


def _literal_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        address = _WITH_PASSWORD.search(value)
        secret = address["password"] if address else value if _SECRET.search(name) else None
        if secret is not None and not _REQUIRED.fullmatch(secret):
            yield f"{name} is not required of the environment"


def image_problems(text: str) -> list[str]:
    """What breaks a rule of the house in a Dockerfile."""
    found = []
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    if not bases or not all((base := _IMAGE.fullmatch(each)) and base[1] for each in bases):
        found.append("a base is not pinned by tag and digest")
    users = re.findall(r"^USER (\d+)", text, re.MULTILINE)
    if not users or int(users[-1]) == 0:
        found.append("runs as root")
    if re.search(r"^(ADD|ARG)\b", text, re.MULTILINE):
        found.append("takes what is not in the folder")
    for name in _given(text):
        if _SECRET.search(name):
            found.append(f"{name} would stay in the image")
    return found


def _given(text: str) -> dict[str, str]:
    joined = text.replace("\\\n", " ")
    pairs = (
        word.partition("=")
        for line in re.findall(r"^ENV (.*)$", joined, re.MULTILINE)
        for word in shlex.split(line)
    )
    return {name: value for name, _, value in pairs}


def image_environment(places: Mapping[str, str]) -> dict[str, str]:
    """The environment that the image gives, its folders replaced by those of a test."""
    given = _given(DOCKERFILE.read_text(encoding="utf-8"))
    for name in given:
        for folder, instead in places.items():
            given[name] = given[name].replace(folder, instead)
    return given

"""Starts the demo city's source systems, or lists what is planted in them.

`python -m demo serve` prints one line of JSON when all of them answer: `variables` holds the
address of each by the name of the environment variable that the city's contracts read (`{day}`
stands for the as-of day), `token_variables` the names of those that take the token. It ends on
SIGTERM. `python -m demo health` says whether they answer, `python -m demo manifest` writes JSON
lines.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from demo.days import FIRST_DAY
from demo.health_check import unwell
from demo.systems import LOOPBACK, SYSTEMS, Settings, system
from demo.window import Window

USUAL_DAYS = 120
USUAL_SEED = 2025
TOKEN_VARIABLE = "DEMO_TOKEN"  # noqa: S105 - the name of a variable, not a token


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--city", choices=["danang"], default="danang")
    common.add_argument(
        "--systems",
        type=lambda text: tuple(text.split(",")),
        default=SYSTEMS,
        metavar="NAME[,NAME]",
        help=f"which of {', '.join(SYSTEMS)}; all if not given",
    )
    common.add_argument("--seed", type=int, default=USUAL_SEED)
    common.add_argument(
        "--start", type=date.fromisoformat, default=FIRST_DAY, help="first day of the sources"
    )
    common.add_argument("--scale", type=float, default=1.0, help="share of the city's volume")
    common.add_argument("--fault-rate", type=float, default=1.0, help="factor on planted faults")
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", parents=[common], help="answer, as a rule on loopback")
    serve.add_argument(
        "--port", type=int, default=0, help="of the first system, the others follow; 0: free ones"
    )
    serve.add_argument(
        "--listen",
        metavar="ADDRESS",
        help="of the interface on which all answer, databases too; needs --port",
    )
    serve.add_argument(
        "--known-as", metavar="NAME", default=LOOPBACK, help="name by which readers reach them"
    )
    serve.add_argument("--days", type=int, default=USUAL_DAYS)
    serve.add_argument("--faults", action=argparse.BooleanOptionalAction, default=True)
    serve.add_argument(
        "--transport-faults",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="500, 429 and cut connections that go away; follows --faults if not given",
    )
    serve.add_argument(
        "--break",
        dest="breakages",
        action="append",
        default=[],
        metavar="SYSTEM:KIND:DAY[:PAGE]",
        help="what fails for good, in the words of that system; may be repeated",
    )
    serve.add_argument(
        "--token-variable",
        default=TOKEN_VARIABLE,
        help="environment variable that holds the token readers must send",
    )
    health = commands.add_parser("health", parents=[common], help="do they answer on their ports")
    health.add_argument("--host", default=LOOPBACK)
    health.add_argument("--port", type=int, required=True, help="of the first system")
    listing = commands.add_parser("manifest", parents=[common], help="list what is planted")
    listing.add_argument("--from", dest="first", type=date.fromisoformat, help="first day")
    listing.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    listing.add_argument(
        "--first-read",
        type=date.fromisoformat,
        help="first day that the reader looks at the sources (default: their first day)",
    )
    listing.add_argument("--output", type=Path, help="a file; else the standard output")
    return parser


def _settings(options: argparse.Namespace, name: str, token: str) -> Settings:
    troubled = options.faults if options.transport_faults is None else options.transport_faults
    start = f"{name}:"
    return Settings(
        window=Window(options.seed, options.start, options.days, options.scale),
        token=token,
        port=options.port and options.port + options.systems.index(name),
        listen=options.listen,
        known_as=options.known_as,
        faults=options.faults,
        fault_rate=options.fault_rate,
        troubled=troubled,
        breakages=tuple(
            text.removeprefix(start) for text in options.breakages if text.startswith(start)
        ),
    )


def _serve(options: argparse.Namespace) -> int:
    token = os.environ.get(options.token_variable, "")
    if not token:
        sys.stderr.write(f"{options.token_variable} holds no token\n")
        return 2
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    variables: dict[str, str] = {}
    token_variables: list[str] = []
    with ExitStack() as stack:
        for name in options.systems:
            running = system(name).start(_settings(options, name, token))
            stack.callback(running.close)
            variables |= running.variables
            token_variables += running.token_variables
        ready = {"variables": variables, "token_variables": token_variables}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


def _say_health(options: argparse.Namespace) -> int:
    found = unwell(options.systems, options.host, options.port)
    sys.stdout.write("".join(f"{name} does not answer\n" for name in found))
    return 1 if found else 0


def _write_manifest(options: argparse.Namespace) -> int:
    first, last = options.first or options.start, options.last
    if not options.start <= first <= last:
        sys.stderr.write("expected --start <= --from <= --to\n")
        return 2
    window = Window(options.seed, options.start, (last - options.start).days + 1, options.scale)

    def lines() -> Iterator[dict[str, Any]]:
        for name in options.systems:
            for line in system(name).manifest(
                window, first, last, rate=options.fault_rate, first_read=options.first_read
            ):
                yield {"system": name, **line}

    def write(stream: TextIO) -> None:
        for line in lines():
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    if options.output is None:
        write(sys.stdout)
    else:
        with options.output.open("w", encoding="utf-8") as stream:
            write(stream)
    return 0


def _wrong_use(options: argparse.Namespace) -> str | None:
    for name in options.systems:
        if name not in SYSTEMS:
            return f"no system {name!r}; there are {', '.join(SYSTEMS)}"
    if getattr(options, "listen", None) and not options.port:
        return "--listen needs --port: readers must know where"
    for text in getattr(options, "breakages", ()):
        if text.split(":")[0] not in options.systems:
            return f"--break {text}: expected SYSTEM:KIND:DAY[:PAGE], of a system that is served"
    return None


COMMANDS = {"serve": _serve, "health": _say_health, "manifest": _write_manifest}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0 done, 1 not well, 2 wrong use."""
    options = _parser().parse_args(arguments)
    wrong = _wrong_use(options)
    if wrong is not None:
        sys.stderr.write(wrong + "\n")
        return 2
    try:
        return COMMANDS[options.command](options)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())

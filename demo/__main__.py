"""Starts the demo city's source systems, or lists what is planted in them.

`python -m demo serve` prints one line `ready http://127.0.0.1:PORT` and answers until it is
ended; `python -m demo manifest` writes JSON lines.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

from demo.days import FIRST_DAY
from demo.feed import Feed
from demo.generator import Window
from demo.manifest import manifest
from demo.server import FeedbackServer
from demo.transport import broken

USUAL_DAYS = 120
USUAL_SEED = 2025
TOKEN_VARIABLE = "DEMO_FEEDBACK_TOKEN"  # noqa: S105 - the name of a variable, not a token


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--city", choices=["danang"], default="danang")
    common.add_argument("--seed", type=int, default=USUAL_SEED)
    common.add_argument(
        "--start", type=date.fromisoformat, default=FIRST_DAY, help="first day of the source"
    )
    common.add_argument("--scale", type=float, default=1.0, help="1 is about 3,000 requests a day")
    common.add_argument("--fault-rate", type=float, default=1.0, help="factor on planted faults")
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", parents=[common], help="answer on loopback")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free port")
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
        type=broken,
        action="append",
        default=[],
        metavar="KIND:DAY[:PAGE]",
        help="looping_page, html, invalid_json or always_error, for good; may be repeated",
    )
    serve.add_argument(
        "--token-variable",
        default=TOKEN_VARIABLE,
        help="environment variable that holds the token readers must send",
    )
    listing = commands.add_parser("manifest", parents=[common], help="list what is planted")
    listing.add_argument("--from", dest="first", type=date.fromisoformat, help="first day")
    listing.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    listing.add_argument(
        "--first-read",
        type=date.fromisoformat,
        help="first day that the reader looks at the source (default: its first day)",
    )
    listing.add_argument("--output", type=Path, help="a file; else the standard output")
    return parser


def _serve(options: argparse.Namespace) -> int:
    token = os.environ.get(options.token_variable, "")
    if not token:
        sys.stderr.write(f"{options.token_variable} holds no token\n")
        return 2
    window = Window(options.seed, options.start, options.days, options.scale)
    feed = Feed(window, faults=options.faults, rate=options.fault_rate)
    troubled = options.faults if options.transport_faults is None else options.transport_faults
    server = FeedbackServer(
        feed,
        token,
        port=options.port,
        troubled=troubled,
        breakages=tuple(options.breakages),
    )
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"ready {server.address}\n")
    sys.stdout.flush()
    ended.wait()
    server.shutdown()
    server.server_close()
    return 0


def _write_manifest(options: argparse.Namespace) -> int:
    first, last = options.first or options.start, options.last
    if not options.start <= first <= last:
        sys.stderr.write("expected --start <= --from <= --to\n")
        return 2
    window = Window(options.seed, options.start, (last - options.start).days + 1, options.scale)
    lines = manifest(window, first, last, rate=options.fault_rate, first_read=options.first_read)

    def write(stream: TextIO) -> None:
        for line in lines:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    if options.output is None:
        write(sys.stdout)
    else:
        with options.output.open("w", encoding="utf-8") as stream:
            write(stream)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0 done, 2 wrong use."""
    options = _parser().parse_args(arguments)
    return _serve(options) if options.command == "serve" else _write_manifest(options)


if __name__ == "__main__":
    sys.exit(main())

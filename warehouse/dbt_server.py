"""The process that has imported dbt: importing it takes half of a small build's time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from warehouse.fork_server import ForkServer, ForkServerError, serve


class DbtServerError(ForkServerError):
    """The process that runs dbt ended without an answer."""


class DbtServer:
    """The asking side; the process starts with the first request and serves until we end."""

    def __init__(self) -> None:
        self._server = ForkServer("warehouse.dbt_server", "dbt", DbtServerError)

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
    ) -> int:
        """Run dbt.

        Args:
            arguments: What follows `dbt` on a command line.
            folder: Working folder of the run.
            environment: All environment variables of the run.
            log: File that takes what dbt prints.

        Returns:
            dbt's exit code; the negative number of the signal that ended it.

        Raises:
            DbtServerError: when the server ended, for example because dbt cannot be imported.
        """
        return self._server.run(list(arguments), folder, environment, log)


if __name__ == "__main__":
    import dbt.adapters.duckdb
    import dbt.cli.main

    serve(lambda arguments: dbt.cli.main.cli(arguments, prog_name="dbt"))

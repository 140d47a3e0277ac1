"""dbt-duckdb plugin: gives dbt's session the pinned inputs of the build.

Only dbt's own process imports this module.
"""

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from warehouse.dbt_inputs import BuildInputs, attach_inputs, read_inputs

INPUTS_VARIABLE = "CITYLAKE_BUILD"
THREADS_VARIABLE = "CITYLAKE_THREADS"
SPILL_FOLDER = "spill"


class Plugin(BasePlugin):
    """Settings and views come from the build's inputs, so that dbt's parsed project stays valid."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Set memory limit, spill folder and threads before the session opens."""
        build = _inputs()
        config["temp_directory"] = SPILL_FOLDER
        config["autoinstall_known_extensions"] = "false"
        config["autoload_known_extensions"] = "false"
        # Rows of the marts carry no order; keeping one costs memory.
        config["preserve_insertion_order"] = "false"
        if build.memory_limit is not None:
            config["memory_limit"] = build.memory_limit
        if THREADS_VARIABLE in os.environ:
            config["threads"] = os.environ[THREADS_VARIABLE]

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Create the views over the pinned versions."""
        conn.execute("SET TimeZone = 'UTC'")
        attach_inputs(conn, _inputs())

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Every cursor speaks UTC: the session's zone is not inherited from the connection."""
        cursor.execute("SET TimeZone = 'UTC'")


def _inputs() -> BuildInputs:
    return read_inputs(Path(os.environ[INPUTS_VARIABLE]))

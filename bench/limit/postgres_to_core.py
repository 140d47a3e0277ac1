"""The bare limit: one PostgreSQL table, streamed as it comes into one typed Delta table.

Usage: python -m bench.limit.postgres_to_core URI TARGET
"""

import sys
from pathlib import Path

from adbc_driver_postgresql.dbapi import connect
from deltalake import write_deltalake

# The server computes the local dates: nothing is left to do on our side.
SELECT = """
    SELECT *, (received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS received_date,
        (due_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS due_date,
        (completed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS completed_date,
        to_char(received_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM') AS received_month
    FROM dossier
"""


def main(uri: str, target: Path) -> None:
    """Stream the batches into a table partitioned by local month."""
    with connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(SELECT)
        write_deltalake(
            target / "core/dossier",
            cursor.fetch_record_batch(),
            partition_by=["received_month"],
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

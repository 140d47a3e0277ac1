"""A GeoReport server of fixed pages: as fast as a source can be, so that it hides nothing.

Usage: python -m bench.page_server RECORDS PAGE_SIZE; prints its URL when it listens.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from warehouse.duck import session

RECORD_SQL = """
SELECT struct_pack(
    service_request_id := strftime(received, 'DN-%y%m%d-') || lpad((i % 100000)::VARCHAR, 5, '0'),
    status := CASE WHEN hash(i) % 10 < 8 THEN 'closed' ELSE 'open' END,
    service_name := 'Dịch vụ ' || (hash(i) % 12),
    service_code := ['garbage', 'road', 'lighting', 'noise'][1 + (hash(i) % 4)::INTEGER],
    description := repeat('Nội dung phản ánh của người dân ', 8),
    agency_responsible := 'agency_' || (hash(i) % 9),
    requested_datetime := strftime(received, '%Y-%m-%dT%H:%M:%S') || '+07:00',
    updated_datetime := strftime(received + INTERVAL 3 DAY, '%Y-%m-%dT%H:%M:%S') || '+07:00',
    expected_datetime := strftime(received + INTERVAL 7 DAY, '%Y-%m-%dT%H:%M:%S') || '+07:00',
    address := (i % 900) || ' Bạch Đằng',
    lat := round(16 + (hash(i) % 100000) / 1000000.0, 6),
    long := round(108.1 + (hash(i) % 100000) / 1000000.0, 6),
    extended_attributes := struct_pack(
        area_code := (20194 + hash(i) % 90)::VARCHAR,
        channel := 'app',
        within_competence := hash(i) % 10 < 9,
        reopened := false,
        satisfaction := 'satisfied',
        closed_datetime := CASE WHEN hash(i) % 10 < 8
            THEN strftime(received + INTERVAL 3 DAY, '%Y-%m-%dT%H:%M:%S') || '+07:00' END
    )
)::JSON::VARCHAR
FROM (
    SELECT i, TIMESTAMP '2025-03-08 00:00:00' + to_seconds(i * 7776000 // {rows}) AS received
    FROM range({rows}) AS numbers(i)
) ORDER BY i
"""


def make_pages(records: int, page_size: int) -> list[bytes]:
    """The pages as JSON arrays, in order, the last one shorter or empty."""
    with session() as connection:
        texts = [row[0] for row in connection.execute(RECORD_SQL.format(rows=records)).fetchall()]
    starts = range(0, len(texts) + 1, page_size)
    return [("[" + ",".join(texts[start : start + page_size]) + "]").encode() for start in starts]


def main(records: int, page_size: int) -> None:
    """Serve the pages on a free loopback port until ended."""
    pages = make_pages(records, page_size)

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            body = pages[number - 1] if number <= len(pages) else json.dumps([]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent: the log would be timed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""ClickHouse's HTTP interface over its engine as the package chdb has it: what a loader needs of it.

Run by a Python with chdb: `python clickhouse.py FOLDER`. It prints its port, and serves until it is ended.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    session: Session
    lock = threading.Lock()

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Say nothing."""

    def do_POST(self) -> None:
        """Carry out the statement in the body."""
        query = parse_qs(urlsplit(self.path).query)
        form = query.get("default_format", ["TabSeparated"])[0]
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        try:
            with self.lock:
                answer, code = self.session.query(text, form).bytes() or b"", 200
        except RuntimeError as error:
            answer, code = str(error).encode(), 500
        self.send_response(code)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    _Handler.session = Session(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()

"""A small object store on this machine that speaks as much of S3 as a loader needs; it keeps objects in memory."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGUN = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
_ENDED = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]
    parts: dict[str, dict[int, bytes]]

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Say nothing."""

    def _answer(self, text: str = "") -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _asked(self) -> tuple[str, dict[str, list[str]], bytes]:
        address = urlsplit(self.path)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = self._chunks()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body = _unwrapped(body)
        return unquote(address.path), parse_qs(address.query, keep_blank_values=True), body

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def do_PUT(self) -> None:
        """Keep an object, or a part of one."""
        name, query, body = self._asked()
        if "partNumber" in query:
            self.parts.setdefault(name, {})[int(query["partNumber"][0])] = body
        else:
            self.objects[name] = body
        self._answer()

    def do_POST(self) -> None:
        """Begin an upload in parts, or end it."""
        name, query, _ = self._asked()
        if "uploads" in query:
            self._answer(_BEGUN)
            return
        parts = self.parts.pop(name, {})
        self.objects[name] = b"".join(parts[number] for number in sorted(parts))
        self._answer(_ENDED)

    def do_HEAD(self) -> None:
        """Say that the bucket is there."""
        self._answer()

    do_GET = do_HEAD  # noqa: N815 - the name that the base class calls


def _unwrapped(body: bytes) -> bytes:
    """Return the content of a body in signed chunks."""
    found, rest = b"", body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        found, rest = found + rest[:size], rest[size + 2 :]
    return found


@contextmanager
def serving() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Serve a store; give its address, and its objects by path."""
    handler = type("Handler", (_Handler,), {"objects": {}, "parts": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", handler.objects  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()

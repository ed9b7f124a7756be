"""Small servers on this machine: one that speaks HTTP, and one that may send any bytes at all."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
from requests.auth import AuthBase

from tap_crm.ledger import Ledger
from tap_crm.transport.pacing.pacing import Pacing
from tap_crm.transport.question import Question, Reply
from tap_crm.transport.session import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import PreparedRequest

KEY = "3f1a9c77d2e84b06a5c0ffee12345678"
QUESTION = Question("POST", "/people/search", "people, page 3", body={"page_number": 3})


class Key(AuthBase):
    """Puts a key onto a request, as a provider does."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        request.headers["X-PW-AccessToken"] = KEY
        return request


@dataclass
class Answer:
    """One answer of the server."""

    status: int = 200
    body: bytes = b'[{"id": 1}]'
    content_type: str | None = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request that the server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Server:
    """A running server and what it was asked."""

    def __init__(self, url: str) -> None:
        """Remember the address."""
        self.url = url
        self.asked: list[Asked] = []


@contextmanager
def serving(*answers: Answer | Callable[[], Answer]) -> Iterator[Server]:
    """Serve the answers in their order; the last one is given again and again."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            chosen = answers[min(len(server.asked), len(answers)) - 1]
            answer = chosen if isinstance(chosen, Answer) else chosen()
            self.send_response_only(answer.status)
            headers = {"Content-Length": str(len(answer.body)), **answer.headers}
            if "Date" not in headers:
                headers["Date"] = self.date_time_string()
            if answer.content_type is not None:
                headers["Content-Type"] = answer.content_type
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815 - http.server's own name

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.block_on_close = False
    server = Server(f"http://127.0.0.1:{httpd.server_port}/v1")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@contextmanager
def sending(*answers: bytes | None, stays_open: bool = False) -> Iterator[Server]:
    """Send raw bytes to each connection in turn and close it; None sends nothing.

    A connection that was sent nothing stays open; with ``stays_open`` all do.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    held: list[socket.socket] = []

    def serve() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                answer = answers[min(number, len(answers) - 1)]
                number += 1
                server.asked.append(Asked("", "", {}, _request_from(connection)))
                if answer is None or stays_open:
                    connection.sendall(answer or b"")
                    held.append(connection)
                    continue
                with suppress(OSError):
                    connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in held:
            connection.close()
        thread.join(5)


def _request_from(connection: socket.socket) -> bytes:
    """Return a whole request, body included: closing before it was read would tear the answer as well."""
    request = b""
    while True:
        head, end, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if end and len(body) >= (int(length[1]) if length else 0):
            return request
        part = connection.recv(65_536)
        request += part
        if not part or not request[:1].isalpha():  # the end, or TLS
            return request


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return the bytes of an answer with exactly these headers."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def transport_to(
    server: Server | str, *, pacing: Pacing | None = None, auth: AuthBase | None = None, **options: Any
) -> Transport:
    """Return a transport that signs its requests, by default without pacing."""
    url = server if isinstance(server, str) else server.url
    options.setdefault("stopping", threading.Event())
    return Transport(url, auth or Key(), pacing or Pacing(0), **options)


def ask(transport: Transport, question: Question = QUESTION, ledger: Ledger | None = None) -> Any:
    """Ask for a list of objects, as a reading does."""
    return transport.ask(question, rows, ledger or Ledger())


def rows(reply: Reply) -> list[dict[str, Any]]:
    """Parse a list of objects."""
    return msgspec.json.decode(reply.body, type=list[dict[str, Any]])

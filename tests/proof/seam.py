"""The network as a seam: requests are answered in this process, byte by byte, by whatever a test puts there.

What stands in is the socket alone: requests, urllib3 and http.client read the bytes as they would from a server, and
find the faults in them that they would find there.
"""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote, urlsplit

from typing_extensions import override
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sandbox.simulator import Simulator

#: What comes over a connection, in order: bytes, seconds of silence, or an error of the operating system.
Piece: TypeAlias = bytes | float | OSError
HOST, BASE = "127.0.0.1", "http://127.0.0.1:9"


class Refused(Exception):  # noqa: N818 - it says what happened
    """Nobody takes the connection."""


@dataclass(frozen=True)
class Asked:
    """A request as it was sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        """The query."""
        return urlsplit(self.target).query


@dataclass
class Response:
    """An answer before it becomes bytes."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    def head(self, **headers: str | None) -> bytes:
        """Return the status line and the headers; None leaves one out."""
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        named.setdefault("content-length", str(len(self.body)))
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def pieces(self) -> list[Piece]:
        """Return it as bytes, whole."""
        return [self.head() + self.body]


#: Answers a request; raises :class:`Refused` where nobody listens.
Server: TypeAlias = "Callable[[Asked], Iterable[Piece]]"


class AppServer:
    """Asks a sandbox's application in this process, one request at a time.

    Args:
        app: the sandbox.
    """

    def __init__(self, app: Simulator) -> None:
        self.app = app
        self._lock = threading.Lock()

    def respond(self, asked: Asked) -> Response:
        """Return what it answers."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": asked.method,
            "path": unquote(asked.path),
            "query_string": asked.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in asked.headers.items()],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        with self._lock:
            answering: Any = self.app(scope, receive, send)
            try:
                answering.send(None)
            except StopIteration:
                pass
            else:
                raise AssertionError("the sandbox waited for something")
        start, *parts = sent
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
        return Response(start["status"], headers, b"".join(part.get("body", b"") for part in parts))

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer without a fault."""
        return self.respond(asked).pieces()


class _Wire(io.RawIOBase):
    """What a connection brings, as a file that has no more than what has come."""

    def __init__(self, pieces: Iterable[Piece], timeout: float | None, wait: Callable[[float], None]) -> None:
        self._pieces, self._timeout, self._wait = iter(pieces), timeout, wait
        self._held = b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int:
        silent = 0.0
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            if isinstance(piece, OSError):
                raise piece
            if isinstance(piece, float):
                silent += piece
                if self._timeout is not None and silent > self._timeout:
                    self._wait(self._timeout)
                    raise TimeoutError("timed out")
                self._wait(piece)
                continue
            self._held = piece
        taken, self._held = self._held[: len(buffer)], self._held[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


class _Socket:
    """A socket of which only the bytes exist."""

    def __init__(self, server: Server, wait: Callable[[float], None]) -> None:
        self._server, self._wait = server, wait
        self._sent = b""
        self._timeout: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        """Keep how long silence may last."""
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        """Take what is sent."""
        self._sent += data

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Answer what was sent."""
        asked, self._sent = _parsed(self._sent), b""
        return io.BufferedReader(_Wire(self._server(asked), self._timeout, self._wait))

    def shutdown(self, _how: int) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to close."""


def _parsed(sent: bytes) -> Asked:
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    return Asked(method, target, dict(line.split(": ", 1) for line in lines), body)


@contextmanager
def answered_by(server: Server, wait: Callable[[float], None]) -> Iterator[None]:
    """Let a server of this process answer each http request of it.

    Args:
        server: answers.
        wait: lets time pass.
    """

    class Connection(HTTPConnection):
        """Has the server at its other end."""

        @override
        def connect(self) -> None:
            self.sock = _Socket(server, wait)

        @property
        @override
        def is_connected(self) -> bool:
            return self.sock is not None

        @override
        def getresponse(self) -> Any:
            try:
                return super().getresponse()
            except Refused:
                raise NewConnectionError(self, "Connection refused") from None

    known = HTTPConnectionPool.ConnectionCls
    HTTPConnectionPool.ConnectionCls = Connection
    try:
        yield
    finally:
        HTTPConnectionPool.ConnectionCls = known

"""A CRM with OAuth on this machine: a refresh token works once, and a new one ends all access tokens before it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST = "refresh-0-8c1f0a6d5b"
APP = {"client_id": "app-1", "client_secret": "secret-9d2e84b06a5c"}


@dataclass
class TokenServer:
    """What it gave out, what it was asked, and how it misbehaves."""

    url: str = ""
    refresh_token: str = FIRST
    access_token: str = ""
    expires_in: float | str | bool | None = 3600.0
    rotates: bool = True
    faults: list[tuple[int, bytes]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    on_question: Callable[[], None] | None = None
    entered: bool = False
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def token_url(self) -> str:
        """The address that tokens are had from."""
        return f"{self.url}/oauth2/token/"

    def grant(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Answer the token address."""
        self.entered = True
        with self._lock:
            self.forms.append(form)
            if self.faults:
                return self.faults.pop(0)
            if {name: form.get(name) for name in APP} != APP:
                return 401, b'{"error": "invalid_client"}'
            if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh_token:
                return 400, msgspec.json.encode({"error": "invalid_grant", "hint": form.get("refresh_token")})
            self._count += 1
            self.access_token = f"access-{self._count}-51cc07e2"
            answer: dict[str, Any] = {"token_type": "Bearer", "access_token": self.access_token}
            if self.expires_in is not None:
                answer["expires_in"] = self.expires_in
            if self.rotates:
                self.refresh_token = f"refresh-{self._count}-8c1f0a6d5b"
                answer["refresh_token"] = self.refresh_token
            return 200, msgspec.json.encode(answer)

    def answer(self, authorization: str) -> tuple[int, bytes]:
        """Answer any other address."""
        if self.on_question:
            self.on_question()
        with self._lock:
            self.seen.append(authorization)
            if authorization != f"Bearer {self.access_token}":
                return 401, b'{"error": "The access token expired."}'
            return 200, b'[{"id": 1}]'


@contextmanager
def granting() -> Iterator[TokenServer]:
    """Run such a server."""
    server = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/oauth2/token/":
                form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                status, content = server.grant(form)
            else:
                status, content = server.answer(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - http.server's own
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.block_on_close = False
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()

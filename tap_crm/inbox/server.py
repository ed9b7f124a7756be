"""The server of ``serve``: uvicorn, with an end to whoever sends slowly."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.applications import Starlette

#: How long a request's head may take; how long what was answered before its end is still taken, and thrown away.
HEAD_SECONDS, REST_SECONDS = 10.0, 2.0
#: How long requests that were accepted have to be answered when the server stops; a body may take most of it.
STOP_SECONDS = 25
#: Longer than reverse proxies keep an idle connection, so that it is theirs to close it.
IDLE_SECONDS = 75
MOST_CONNECTIONS = 500


class _BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose sender does not come to an end; uvicorn waits for heads as long as it takes."""

    _end: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        super().connection_made(transport)
        self._end_in(HEAD_SECONDS)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end_in(None)
        super().connection_lost(exc)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._end_in(HEAD_SECONDS)

    @override
    def on_headers_complete(self) -> None:
        self._end_in(None)
        super().on_headers_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body:  # it was refused before it was read
            self._end_in(REST_SECONDS)

    def _end_in(self, seconds: float | None) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = None if seconds is None else self.loop.call_later(seconds, self.timeout_keep_alive_handler)


def make_server(app: Starlette) -> uvicorn.Server:
    """Return a server of the receiver, which logs no request: paths hold the token."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        http=_BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
    )
    return uvicorn.Server(config)

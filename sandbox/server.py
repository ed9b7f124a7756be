"""Runs a sandbox on this machine."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from sandbox.simulator import Simulator

_HOST = "127.0.0.1"


class PortTaken(Exception):  # noqa: N818 - it says what happened
    """Nothing can be served on the port."""


def serve(app: Simulator, port: int) -> None:
    """Answer on a port until interrupted; port 0 takes a free one, and the URL is printed either way.

    Raises:
        PortTaken: another program has the port, or it is none that this user may serve.
    """
    listener = _listener(port)
    print(f"listening on {_url(app, listener)}", flush=True)  # noqa: T201
    app.start()
    try:
        _server(app).run(sockets=[listener])
    finally:
        app.close()


@contextmanager
def running(app: Simulator) -> Iterator[str]:
    """Answer from a thread of this process on a free port; gives the base URL."""
    listener = _listener(0)
    url = _url(app, listener)
    server = _server(app)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="sandbox")
    thread.start()
    app.start()
    try:
        yield url
    finally:
        server.stop()
        thread.join(timeout=10)
        app.close()
        listener.close()


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "this is no port"
        raise PortTaken(f"cannot serve on port {port}: {reason}") from None
    listener.listen(512)
    return listener


def _url(app: Simulator, listener: socket.socket) -> str:
    return f"http://{_HOST}:{listener.getsockname()[1]}{app.base_path}"


class _StoppableServer(uvicorn.Server):
    """Stops at once when told to from another thread, instead of at its next tick."""

    _loop: asyncio.AbstractEventLoop | None = None
    _stopped: asyncio.Event

    async def main_loop(self) -> None:
        """Wait to be stopped."""
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._stopped.wait()
        await asyncio.sleep(0.005)  # connections that clients just closed are gone then

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down without the usual pause if nobody is connected."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()

    def stop(self) -> None:
        """Ask for the end; may be called from any thread."""
        self.should_exit = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at a signal."""
        super().handle_exit(sig, frame)
        self.stop()


def _server(app: Simulator) -> _StoppableServer:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    return _StoppableServer(config)

"""The sub-command ``serve``: receives events on a port until it is stopped."""

from __future__ import annotations

import logging
import os
import signal
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import click

from tap_crm.config.config_option import config_option
from tap_crm.contract.signals import Terminated
from tap_crm.errors import ConfigError
from tap_crm.inbox.settings import settings_from
from tap_crm.inbox.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

MISSING = (
    "`tap-crm-inbox serve` needs Starlette and uvicorn; install tap-crm with the extra `inbox`, in its clone: "
    "pip install '.[inbox]'"
)
_BACKLOG = 1024
_log = logging.getLogger("tap-crm.inbox")


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address on which events are received.")
@click.option("--port", default=8480, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def serve(*, configs: Sequence[str], host: str, port: int) -> None:
    """Receive events at POST /{provider}/{inbox_token}, and keep them durably before they are answered.

    GET /health shows counters. Stop it by SIGTERM or SIGINT: requests that were accepted are answered.
    """
    _, inbox = settings_from(configs)
    try:
        from tap_crm.inbox.app import create  # noqa: PLC0415 - an extra
        from tap_crm.inbox.server import make_server  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ConfigError(MISSING) from None
    listener = _listener(host, port)
    with closing(listener), closing(Spool.open(inbox.address)) as spool:
        server = make_server(create(inbox, spool))
        noted: list[int] = []

        def note(number: int, _: FrameType | None) -> None:
            noted.append(number)
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note)
        _log.info("listening on %s; events: POST /{provider}/{inbox_token}, counters: GET /health", _url(listener))
        server.run(sockets=[listener])
    if noted:
        raise Terminated(128 + noted[0])


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ConfigError: another program has the port, or this machine has no such address.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "this is no address"
        raise ConfigError(f"cannot listen on {host}, port {port}: {said}; choose others by --host and --port") from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"

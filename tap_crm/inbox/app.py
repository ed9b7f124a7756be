"""The receiver as an ASGI application, for any server: ``tap_crm.inbox.app:create``."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tap_crm.config.config_input import ENVIRONMENT
from tap_crm.config.redaction import HIDDEN
from tap_crm.inbox.receiver import Receiver
from tap_crm.inbox.settings import InboxSettings
from tap_crm.inbox.spool import Spool
from tap_crm.providers.given_settings import checked, given_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

#: Loggers in which servers note each request with its path.
_ACCESS_LOGS = ("uvicorn.access", "hypercorn.access", "daphne.access", "gunicorn.access", "granian.access")
#: Of an answer to a sender that went away; nobody reads it.
_GONE = 499


def create(config: Mapping[str, Any] | InboxSettings | None = None, spool: Spool | None = None) -> Starlette:
    """Make the application.

    Args:
        config: the tap's settings, ``inbox`` and ``inbox_token`` among them, or those of the inbox; without it, they
            are taken from variables such as ``TAP_CRM_INBOX``.
        spool: an open one, which the caller closes; without it, it is opened when the server starts.

    Raises:
        ConfigError: a setting is missing or cannot be used.
    """
    settings = config if isinstance(config, InboxSettings) else _settings(config)
    _hide_in_access_logs(settings.token)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        opened = Spool.open(settings.address) if spool is None else spool
        app.state.receiver = Receiver(settings, opened)
        await app.state.receiver.start()
        try:
            yield
        finally:
            await app.state.receiver.stop()
            if spool is None:
                opened.close()

    routes = [
        Route("/health", _health, methods=["GET"]),
        Route("/{path:path}", _receive, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _settings(config: Mapping[str, Any] | None) -> InboxSettings:
    return InboxSettings.of(given_settings([ENVIRONMENT]) if config is None else checked(config))


async def _receive(request: Request) -> Response:
    receiver: Receiver = request.app.state.receiver
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        return Response(status_code=await receiver.receive(request.scope["path"], headers, request.stream()))
    except ClientDisconnect:
        return Response(status_code=_GONE)


async def _health(request: Request) -> Response:
    receiver: Receiver = request.app.state.receiver
    status, content = await receiver.health()
    return JSONResponse(content, status)


@dataclass(frozen=True, slots=True)
class _Hiding:
    """Hides the token in the parts of a line before they are put together."""

    token: str

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._hidden(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(self._hidden, record.args))
        return True

    def _hidden(self, part: object) -> object:
        return part.replace(self.token, HIDDEN) if isinstance(part, str) else part


def _hide_in_access_logs(token: str) -> None:
    hiding = _Hiding(token)
    for log in map(logging.getLogger, _ACCESS_LOGS):
        if hiding not in log.filters:
            log.addFilter(hiding)

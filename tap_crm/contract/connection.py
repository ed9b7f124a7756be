"""Opens the one way to a CRM that a run, or a command, has."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tap_crm.errors import Cancelled
from tap_crm.transport.pacing.pacing import Pacing
from tap_crm.transport.pacing.sent import shared_times
from tap_crm.transport.session import Transport

if TYPE_CHECKING:
    import threading

    from tap_crm.config.settings import AccountSettings
    from tap_crm.contract.stream import Provider


def _pause(stopping: threading.Event, seconds: float) -> None:
    """Wait so many seconds; raise ``Cancelled`` as soon as the run is to end."""
    if stopping.wait(seconds):
        raise Cancelled


def _mark(settings: AccountSettings, provider: Provider) -> str:
    """Return what tells apart for whom a CRM counts requests: its address, and the credentials."""
    return "\0".join((settings.api_url or provider.base_url, settings.access_token or settings.api_key or ""))


def connect(settings: AccountSettings, provider: Provider, stopping: threading.Event) -> Transport:
    """Return the transport to a CRM, with the user's credentials, limits and patience; nothing is asked yet.

    Raises:
        ConfigError: credentials are missing.
    """
    wished = settings.requests_per_minute
    limit = provider.requests_per_minute if wished is None else wished
    is_known = provider.limit_is_known and wished is None
    return Transport(
        settings.api_url or provider.base_url,
        provider.authenticate(settings),
        Pacing(
            limit,
            provider.group_of,
            is_ceiling=wished is not None,
            rates=provider.rates,
            extra=provider.extra_limits,
            share=settings.rate_limit_percent / 100,
            known=partial(shared_times, _mark(settings, provider)) if is_known else None,
            clock=time.monotonic,
            sleep=partial(_pause, stopping),
        ),
        stopping=stopping,
        headers=provider.headers,
        retry_seconds=settings.retry_seconds,
        read_timeout=settings.request_timeout_seconds,
    )

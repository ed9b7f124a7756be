"""A small account of each CRM, for what must hold in all of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox import close, copera, copper
from sandbox.server import running
from tests.singer import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.simulator import Simulator


@dataclass(frozen=True)
class Account:
    """A served account, and a tap for it.

    Attributes:
        app: the server.
        tap: reads it without a rate limit.
        stream: one with many records and many texts.
    """

    app: Simulator
    tap: Tap
    stream: str


def _copper() -> tuple[Simulator, dict[str, Any]]:
    shape = copper.Shape(
        people=25, companies=5, opportunities=5, leads=5, projects=3, tasks=5, activities=12, custom_fields=12
    )
    return copper.copper_app(shape, rate_limit=0), {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL}


def _close() -> tuple[Simulator, dict[str, Any]]:
    shape = close.Shape(
        leads=15,
        contacts=6,
        opportunities=6,
        tasks=8,
        activities=50,
        events=10,
        sequence_subscriptions=3,
        custom_objects=3,
        comments=3,
    )
    return close.close_app(shape, rate_limit=0), {"api_key": close.API_KEY}


def _copera() -> tuple[Simulator, dict[str, Any]]:
    shape = copera.Shape(seed=7, boards=2, tables=5, rows=40, documents=5, drive_files=5, channels=4, comments=6)
    return copera.copera_app(shape, rate_limit=0), {"api_key": copera.PAT}


_MAKERS = {"copper": (_copper, "people"), "close": (_close, "leads"), "copera": (_copera, "sales__leads")}
CRMS = tuple(_MAKERS)


@contextmanager
def account(crm: str, folder: Path) -> Iterator[Account]:
    """Serve an account of a CRM."""
    make, stream = _MAKERS[crm]
    app, config = make()
    with running(app) as url:
        tap = Tap(folder, provider=crm, api_url=url, requests_per_minute=0, retry_seconds=5, **config)
        tap.inside = True
        yield Account(app, tap, stream)

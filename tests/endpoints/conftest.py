"""A sandbox of each CRM, with few records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import close, copera, copper
from sandbox.server import running
from tests.singer import Tap

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[Any, Tap]]


def _copper(**knobs: Any) -> Any:  # noqa: ANN401
    shape = copper.Shape(
        people=450, companies=20, opportunities=5, leads=5, projects=3, tasks=3, activities=90, custom_fields=1, tags=3
    )
    return copper.copper_app(shape, **knobs)


def _close(**knobs: Any) -> Any:  # noqa: ANN401
    shape = close.Shape(leads=120, contacts=450, opportunities=5, tasks=5, activities=60, events=170)
    return close.close_app(shape, **knobs)


def _copera(**knobs: Any) -> Any:  # noqa: ANN401
    return copera.copera_app(copera.Shape(rows=40, documents=5, drive_files=5, channels=5, comments=5), **knobs)


ACCOUNTS = {
    "copper": (_copper, {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL}),
    "close": (_close, {"api_key": close.API_KEY}),
    "copera": (_copera, {"api_key": copera.PAT}),
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a sandbox of a CRM, and a tap that is configured for it."""
    with ExitStack() as stack:

        def start_one(crm: str, **knobs: Any) -> tuple[Any, Tap]:  # noqa: ANN401
            make, credentials = ACCOUNTS[crm]
            app = make(**{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            tap = Tap(tmp_path, provider=crm, api_url=url, requests_per_minute=0, retry_seconds=5, **credentials)
            tap.inside = True
            return app, tap

        yield start_one

"""A sandbox of each CRM, with few records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import close, copera, copper
from sandbox.server import running
from tests.copies import app_of
from tests.singer import Tap

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[Any, Tap]]


#: Of each CRM: what makes its sandbox, few records, and the credentials of the tap.
ACCOUNTS: dict[str, tuple[Any, Any, dict[str, Any], dict[str, str]]] = {
    "copper": (
        copper.copper_app,
        copper.Shape,
        {
            "people": 45,
            "companies": 8,
            "opportunities": 5,
            "leads": 5,
            "projects": 3,
            "tasks": 3,
            "activities": 60,
            "custom_fields": 1,
            "tags": 3,
        },
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
    ),
    "close": (
        close.close_app,
        close.Shape,
        {"leads": 20, "contacts": 45, "opportunities": 5, "tasks": 5, "activities": 30, "events": 70},
        {"api_key": close.API_KEY},
    ),
    "copera": (
        copera.copera_app,
        copera.Shape,
        {"rows": 10, "documents": 5, "drive_files": 5, "channels": 5, "comments": 5},
        {"api_key": copera.PAT},
    ),
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a sandbox of a CRM (sizes as a dict, knobs by name), and a tap that reads it."""
    with ExitStack() as stack:

        def start_one(crm: str, shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[Any, Tap]:  # noqa: ANN401
            make, kind, few, credentials = ACCOUNTS[crm]
            app = app_of(make, kind, {**few, **(shape or {})}, **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            tap = Tap(tmp_path, provider=crm, api_url=url, requests_per_minute=0, retry_seconds=5, **credentials)
            tap.inside = True
            return app, tap

        yield start_one

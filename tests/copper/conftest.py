"""A sandbox of Copper and a tap that is configured for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.copper import API_KEY, USER_EMAIL, CopperSandbox, Shape, copper_app
from sandbox.server import running
from tests.copies import app_of
from tests.singer import Tap, only

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[CopperSandbox, Tap]]

SMALL: dict[str, Any] = {
    "people": 450,
    "companies": 210,
    "opportunities": 205,
    "leads": 205,
    "projects": 30,
    "tasks": 60,
    "activities": 450,
}
#: Of what is not read.
FEW = dict.fromkeys(("people", "companies", "opportunities", "leads", "projects", "tasks", "activities"), 5)
#: Records that are quickly made and read.
PLAIN: dict[str, Any] = {"custom_fields": 1, "tags": 5}
SHAPE_OF_A_CATALOG = Shape(people=3, companies=3, opportunities=3, leads=3, projects=3, tasks=3, activities=3)


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap runs elsewhere
    """Return a function that starts a sandbox: sizes as a dict, knobs by name."""
    with ExitStack() as stack:

        def start_one(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[CopperSandbox, Tap]:  # noqa: ANN401
            app = app_of(copper_app, Shape, {**SMALL, **(shape or {})}, **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            return app, tap_for(url, tmp_path)

        yield start_one


def config_of(url: str) -> dict[str, Any]:
    """Return the settings of a tap for a sandbox that is served there."""
    return {
        "provider": "copper",
        "api_key": API_KEY,
        "user_email": USER_EMAIL,
        "api_url": url,
        "requests_per_minute": 0,
        "custom_fields": "both",
    }


def tap_for(url: str, folder: Path) -> Tap:
    """Return a tap for a sandbox that is served there."""
    tap = Tap(folder, **config_of(url))
    tap.inside = True
    return tap


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what discovery finds with raw custom fields: it is the same for every account."""
    with running(copper_app(SHAPE_OF_A_CATALOG, rate_limit=0)) as url:
        tap = tap_for(url, tmp_path_factory.mktemp("catalog"))
        found: dict[str, Any] = tap.discover(custom_fields="raw")[0]
        return found


@pytest.fixture
def start_some(start: Start, catalog: dict[str, Any]) -> Start:
    """Return a function that starts a sandbox of plain records, and a tap that reads the named streams only.

    Custom fields come as they are: their columns have tests of their own.
    """

    def start_one(
        streams: tuple[str, ...],
        shape: dict[str, Any] | None = None,
        **knobs: Any,  # noqa: ANN401
    ) -> tuple[CopperSandbox, Tap]:
        unread = {name: count for name, count in FEW.items() if name not in streams}
        app, tap = start({**PLAIN, **unread, **(shape or {})}, **knobs)
        return app, tap.given(only(catalog, *streams, "sync_audit"), custom_fields="raw")

    return start_one

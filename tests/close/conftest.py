"""A sandbox of Close and a tap that is configured for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.close import API_KEY, CloseSandbox, Shape, close_app
from sandbox.server import running
from tests.copies import app_of
from tests.singer import Tap, only

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[CloseSandbox, Tap]]

#: A little of everything; what a test is about is larger.
SMALL = {
    "leads": 40,
    "contacts": 40,
    "opportunities": 20,
    "tasks": 20,
    "activities": 100,
    "events": 20,
    "sequence_subscriptions": 6,
    "custom_objects": 4,
    "custom_fields": 4,
    "comments": 4,
}
#: It has no column for any custom field: each costs each run, and each account has others. Values are gathered by ids.
SHAPE_OF_A_CATALOG = Shape(leads=3, contacts=3, opportunities=3, tasks=3, activities=40, events=3, custom_fields=0)


@contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """Give a function that starts a sandbox: sizes as a dict, knobs by name. All of them end here."""
    with ExitStack() as stack:

        def start_one(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[CloseSandbox, Tap]:  # noqa: ANN401
            app = app_of(close_app, Shape, {**SMALL, **(shape or {})}, **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            tap = Tap(
                folder, provider="close", api_key=API_KEY, api_url=url, requests_per_minute=0, custom_fields="both"
            )
            tap.inside = True
            return app, tap

        yield start_one


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap runs elsewhere
    """Return a function that starts a sandbox: sizes as a dict, knobs by name."""
    with starting(tmp_path) as start_one:
        yield start_one


@pytest.fixture(scope="module")
def start_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Return the same, for runs of which several tests of a module look at what they wrote."""
    with starting(tmp_path_factory.mktemp("once")) as start_one:
        yield start_one


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what discovery finds, for tests that need some of the streams only: `tests.singer.selecting`."""
    with running(close_app(SHAPE_OF_A_CATALOG, rate_limit=0)) as url:
        folder = tmp_path_factory.mktemp("catalog")
        tap = Tap(folder, provider="close", api_key=API_KEY, api_url=url, custom_fields="both")
        tap.inside = True
        found: dict[str, Any] = tap.discover(requests_per_minute=0)[0]
        return found


@pytest.fixture
def start_some(start: Start, catalog: dict[str, Any]) -> Start:
    """Return a function that starts a sandbox, and a tap that reads the named streams only."""

    def start_one(
        streams: tuple[str, ...],
        shape: dict[str, Any] | None = None,
        **knobs: Any,  # noqa: ANN401
    ) -> tuple[CloseSandbox, Tap]:
        app, tap = start(shape, **knobs)
        return app, tap.given(only(catalog, *streams, "sync_audit"))

    return start_one

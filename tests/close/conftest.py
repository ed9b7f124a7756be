"""A sandbox of Close and a tap that is configured for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.close import API_KEY, CloseSandbox, Shape, close_app
from sandbox.server import running
from tests.copies import app_of
from tests.singer import Tap, only

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[CloseSandbox, Tap]]

SMALL = {
    "leads": 450,
    "contacts": 700,
    "opportunities": 300,
    "tasks": 250,
    "activities": 1_500,
    "events": 260,
    "sequence_subscriptions": 25,
    "custom_objects": 15,
    "comments": 12,
}

SHAPE_OF_A_CATALOG = Shape(leads=3, contacts=3, opportunities=3, tasks=3, activities=40, events=3)


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap runs elsewhere
    """Return a function that starts a sandbox: sizes as a dict, knobs by name."""
    with ExitStack() as stack:

        def start_one(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[CloseSandbox, Tap]:  # noqa: ANN401
            app = app_of(close_app, Shape, {**SMALL, **(shape or {})}, **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            tap = Tap(
                tmp_path, provider="close", api_key=API_KEY, api_url=url, requests_per_minute=0, custom_fields="both"
            )
            tap.inside = True
            return app, tap

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

"""A sandbox of Copper and a tap that is configured for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.copper import API_KEY, USER_EMAIL, CopperSandbox, Shape, copper_app
from sandbox.server import running
from tests.singer import Tap

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[CopperSandbox, Tap]]

SMALL = {
    "people": 450,
    "companies": 210,
    "opportunities": 205,
    "leads": 205,
    "projects": 30,
    "tasks": 60,
    "activities": 450,
}


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap runs elsewhere
    """Return a function that starts a sandbox: sizes as a dict, knobs by name."""
    with ExitStack() as stack:

        def start_one(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[CopperSandbox, Tap]:  # noqa: ANN401
            app = copper_app(Shape(**{**SMALL, **(shape or {})}), **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            tap = Tap(
                tmp_path,
                provider="copper",
                api_key=API_KEY,
                user_email=USER_EMAIL,
                api_url=url,
                requests_per_minute=0,
                custom_fields="both",
            )
            return app, tap

        yield start_one

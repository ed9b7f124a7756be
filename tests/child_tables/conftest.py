"""A sandbox of a CRM with arrays, and a tap that makes child tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.server import running
from tests.child_tables.accounts import CASES, Case
from tests.singer import SelectiveTap, Tap, only

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[Any, SelectiveTap]]
_CATALOGS: dict[str, dict[str, Any]] = {}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Return one case for each CRM."""
    return CASES[request.param]


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - only the tap is of interest
    """Return a function that starts a sandbox, and a tap that reads one stream with its child tables."""
    with ExitStack() as stack:

        def start_one(case: Case, *streams: str, **settings: Any) -> tuple[Any, SelectiveTap]:  # noqa: ANN401
            app = case.make(rate_limit=0)
            url = stack.enter_context(running(app))
            config = {
                "provider": case.crm,
                "api_url": url,
                "requests_per_minute": 0,
                "retry_seconds": 5,
                "child_tables": list(case.arrays),
                **case.credentials,
                **settings,
            }
            tap = Tap(tmp_path, **config)
            tap.inside = True
            wanted = streams or (case.parent, *case.children)
            return app, tap.given(only(_catalog(case, tap), *wanted, "sync_audit"))

        yield start_one


def _catalog(case: Case, tap: Tap) -> dict[str, Any]:
    if case.crm not in _CATALOGS:  # the account is the same each time
        _CATALOGS[case.crm] = tap.discover()[0]
    return _CATALOGS[case.crm]

"""An account of each CRM, and a tap that reads a few of its streams; nothing in these tests differs by CRM."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.close import API_KEY as CLOSE_KEY
from sandbox.close import Shape as CloseShape
from sandbox.close import close_app
from sandbox.copera import PAT, copera_app
from sandbox.copera import Shape as CoperaShape
from sandbox.copper import API_KEY as COPPER_KEY
from sandbox.copper import USER_EMAIL, copper_app
from sandbox.copper import Shape as CopperShape
from sandbox.server import running
from tests.singer import SelectiveTap, Tap, later, only

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.simulator import Simulator
    from tests.singer import Run

Start: TypeAlias = Callable[..., tuple[Any, SelectiveTap]]
Read: TypeAlias = "Callable[..., tuple[Any, SelectiveTap, Run]]"

#: How the server of each CRM is made, and what a tap needs for it.
SERVERS: dict[str, tuple[Callable[..., Simulator], Callable[..., Any], dict[str, Any]]] = {
    "copper": (copper_app, CopperShape, {"api_key": COPPER_KEY, "user_email": USER_EMAIL}),
    "close": (close_app, CloseShape, {"api_key": CLOSE_KEY}),
    "copera": (copera_app, CoperaShape, {"api_key": PAT}),
}
_NOW = int(time.time())
#: Few records of everything: what a test is about, it adds.
FEW: dict[str, dict[str, Any]] = {
    "copper": {
        **dict.fromkeys(("people", "companies", "opportunities", "leads", "projects", "tasks", "activities"), 3),
        "custom_fields": 1,
        "tags": 5,
    },
    "close": {
        "leads": 3,
        "contacts": 3,
        "opportunities": 3,
        "tasks": 3,
        "activities": 40,
        "events": 3,
        "custom_fields": 3,
    },
    "copera": {
        "now": _NOW,
        "boards": 3,
        "tables": 8,
        "rows": 80,
        "documents": 6,
        "drive_files": 6,
        "channels": 5,
    },
}


@pytest.fixture(scope="session")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Return a function that gives what discovery finds in an account of a CRM; it is asked for once."""
    found: dict[str, dict[str, Any]] = {}

    def catalog(crm: str) -> dict[str, Any]:
        if crm not in found:
            make, shape, config = SERVERS[crm]
            with running(make(shape(**FEW[crm]), rate_limit=0)) as url:
                tap = Tap(tmp_path_factory.mktemp(crm), **_config(crm, url, config))
                tap.inside = True
                found[crm] = tap.discover()[0]
        return found[crm]

    return catalog


@pytest.fixture
def start(tmp_path: Path, catalogs: Callable[[str], dict[str, Any]], unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap measures itself
    """Return a function that starts the server of a CRM, and a tap that reads the named streams of it only."""
    with ExitStack() as stack:

        def start_one(
            crm: str,
            *streams: str,
            shape: dict[str, Any] | None = None,
            **knobs: Any,  # noqa: ANN401
        ) -> tuple[Any, SelectiveTap]:
            catalog = only(catalogs(crm), *streams, "sync_audit")
            return _started(stack, tmp_path, crm, catalog, shape, **knobs)

        yield start_one


@pytest.fixture(scope="module")
def _read(
    tmp_path_factory: pytest.TempPathFactory, catalogs: Callable[[str], dict[str, Any]]
) -> Iterator[Callable[..., tuple[Any, SelectiveTap, Run]]]:
    found: dict[str, tuple[Any, SelectiveTap, Run]] = {}
    with ExitStack() as stack:

        def read(crm: str, stream: str, shape: dict[str, Any] | None = None) -> tuple[Any, SelectiveTap, Run]:
            asked = repr((crm, stream, shape))
            if asked not in found:
                catalog = only(catalogs(crm), stream, "sync_audit")
                app, tap = _started(stack, tmp_path_factory.mktemp(crm), crm, catalog, shape)
                found[asked] = app, tap, tap.sync()
            app, tap, _ = found[asked]
            later(app, tap, 0.0)
            app.behaviour.faults = []
            app.stats.reset()
            return found[asked]

        yield read


@pytest.fixture
def read(_read: Read, unmeasured: None) -> Read:  # noqa: ARG001 - the tap measures itself
    """Return a function that gives an account that no test changes, a tap for one of its streams, and its first run.

    They are the same for all tests of a module; clocks and faults are set back for each.
    """
    return _read


def _started(
    stack: ExitStack,
    folder: Path,
    crm: str,
    catalog: dict[str, Any],
    shape: dict[str, Any] | None,
    **knobs: Any,  # noqa: ANN401
) -> tuple[Any, SelectiveTap]:
    make, of_shape, config = SERVERS[crm]
    app = make(of_shape(**{**FEW[crm], **(shape or {})}), **{"rate_limit": 0, **knobs})
    tap = SelectiveTap(folder, catalog, **_config(crm, stack.enter_context(running(app)), config))
    tap.inside = True
    return app, tap


def _config(crm: str, url: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"provider": crm, "api_url": url, "requests_per_minute": 0, "custom_fields": "raw", **config}

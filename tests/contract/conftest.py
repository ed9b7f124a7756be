"""An account of each CRM, and a tap for it that runs in this process where the command is the tap's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.server import running
from tests.contract.crms import CRMS
from tests.singer import SelectiveTap, Tap, only

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.crm import Crm

#: From streams (none: no catalog), knobs, and maybe another shape, to a server and a tap.
Start: TypeAlias = Callable[..., tuple[Any, Tap]]
CatalogOf: TypeAlias = Callable[["Crm"], dict[str, Any]]


@pytest.fixture(params=list(CRMS.values()), ids=list(CRMS))
def crm(request: pytest.FixtureRequest) -> Crm:
    """Return each CRM in turn."""
    found: Crm = request.param
    return found


@pytest.fixture(scope="session")
def catalog_of(tmp_path_factory: pytest.TempPathFactory) -> CatalogOf:
    """Return a function that gives what discovery finds in the usual account of a CRM; it is asked for once."""
    found: dict[str, dict[str, Any]] = {}

    def catalog(crm: Crm) -> dict[str, Any]:
        if crm.name not in found:
            with running(crm.app(crm.shape, rate_limit=0)) as url:
                found[crm.name] = tap_for(crm, url, tmp_path_factory.mktemp(crm.name)).discover()[0]
        return found[crm.name]

    return catalog


def tap_for(crm: Crm, url: str, folder: Path, catalog: dict[str, Any] | None = None, **config: Any) -> Tap:  # noqa: ANN401
    """Return a tap for a server of a CRM."""
    settings = {"provider": crm.name, "api_url": url, "requests_per_minute": 0, **crm.config, **crm.plain, **config}
    tap = Tap(folder, **settings) if catalog is None else SelectiveTap(folder, catalog, **settings)
    tap.module, tap.inside = crm.module, True
    return tap


@pytest.fixture
def start(crm: Crm, tmp_path: Path, catalog_of: CatalogOf, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001
    """Return a function that serves an account of the CRM, and gives a tap that reads the named streams of it only.

    The tap measures its own coverage; the server's is not of interest.
    """
    with ExitStack() as stack:

        def start_one(
            *streams: str,
            shape: dict[str, Any] | None = None,
            usual_pages: bool = False,
            **knobs: Any,  # noqa: ANN401
        ) -> tuple[Any, Tap]:
            own = {} if usual_pages else crm.knobs
            app = crm.app({**crm.shape, **(shape or {})}, **{"rate_limit": 0, **own, **knobs})
            url = stack.enter_context(running(app))
            catalog = only(catalog_of(crm), *streams, "sync_audit") if streams else None
            return app, tap_for(crm, url, tmp_path, catalog)

        yield start_one

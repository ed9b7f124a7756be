"""An account of each CRM, with one stream to read: what is true of a state is true in all of them."""

from __future__ import annotations

from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import close, copera, copper
from sandbox.server import running
from tests.singer import SelectiveTap, Tap, only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.simulator import Simulator
    from tests.singer import Run

NOW = 1_790_000_000
_COPPER = {"people": 3, "companies": 3, "opportunities": 3, "leads": 3, "projects": 3, "tasks": 3, "activities": 3}
_CLOSE = {"leads": 3, "contacts": 3, "opportunities": 3, "tasks": 3, "activities": 40, "events": 3, "custom_fields": 3}
_COPERA = {"boards": 1, "tables": 2, "rows": 40, "documents": 2, "drive_files": 2, "channels": 2, "comments": 2}


@dataclass(frozen=True)
class Crm:
    """A CRM as these tests need it.

    Attributes:
        make: makes an app of a shape and of knobs.
        config: the credentials.
        shape: a small account.
        another: what makes another account of a shape.
        stream: one with a bookmark; a table of Copera, which has none.
        whole: one that each run reads completely.
        account: the stream that has the account itself.
        path: where the account is asked for, as the sandbox counts it.
        listing: where ``stream`` is asked for; "" where these tests need not know.
    """

    make: Callable[..., Simulator]
    config: dict[str, Any]
    shape: dict[str, Any]
    another: dict[str, Any]
    stream: str
    whole: str
    account: str
    path: str
    listing: str = ""


def _copper(shape: dict[str, Any], **knobs: Any) -> Simulator:  # noqa: ANN401
    return copper.copper_app(copper.Shape(**shape), **knobs)


def _close(shape: dict[str, Any], **knobs: Any) -> Simulator:  # noqa: ANN401
    return close.close_app(close.Shape(**shape), **knobs)


def _copera(shape: dict[str, Any], **knobs: Any) -> Simulator:  # noqa: ANN401
    return copera.copera_app(copera.Shape(**shape), **knobs)


CRMS = {
    "copper": Crm(
        _copper,
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL, "custom_fields": "raw"},
        {**_COPPER, "custom_fields": 1, "tags": 3},
        {"account": 2},
        *("people", "users", "account", "account"),
        "people/search",
    ),
    "close": Crm(
        _close,
        {"api_key": close.API_KEY, "custom_fields": "raw"},
        _CLOSE,
        {"seed": 5},
        *("leads", "users", "organization", "me"),
        "data/search",
    ),
    "copera": Crm(
        _copera,
        {"api_key": copera.PAT},
        {**_COPERA, "seed": 7, "now": NOW},
        {"now": NOW + 1},
        *("", "members", "workspace", "workspace/info"),
    ),
}


_CATALOGS: dict[str, dict[str, Any]] = {}


class Account:
    """One account, served, and a tap that reads some of its streams.

    Attributes:
        crm: which CRM it is of.
        app: the sandbox.
        tap: reads `stream`, unless another catalog is given.
        stream: the stream that a test looks at.
    """

    def __init__(self, crm: Crm, app: Simulator, tap: SelectiveTap, stream: str) -> None:
        self.crm, self.app, self.tap, self.stream = crm, app, tap, stream

    def reading(self, *streams: str) -> dict[str, Any]:
        """Return a catalog with just these streams, all of them selected."""
        return only(self.everything, *streams, "sync_audit")

    everything: dict[str, Any]

    def sync(self, *streams: str, **options: Any) -> Run:  # noqa: ANN401 - as `Tap.sync` takes them
        """Run the tap for these streams, or for the one that the test looks at."""
        return self.tap.sync(catalog=self.reading(*(streams or (self.stream,))), **options)

    def kept(self, run: Run) -> dict[str, Any]:
        """Return what a run's state has of the stream."""
        kept: dict[str, Any] = run.state["bookmarks"][self.stream]
        return kept

    def asked(self) -> int:
        """Return how often the account was asked for since the last reset."""
        return self.app.stats.by_path.get(self.crm.path, 0)


def _opened(
    name: str,
    shape: dict[str, Any] | None,
    folder: Path,
    stack: ExitStack,
    **knobs: Any,  # noqa: ANN401
) -> Account:
    crm = CRMS[name]
    app = crm.make({**crm.shape, **(shape or {})}, rate_limit=0, **knobs)
    url = stack.enter_context(running(app))
    config = {"provider": name, "api_url": url, "requests_per_minute": 0, **crm.config}
    account_shape = name if name != "copera" else f"{name} {shape}"  # there, the account makes the streams
    if account_shape not in _CATALOGS:
        discovering = Tap(folder, **config)
        discovering.inside = True
        _CATALOGS[account_shape] = discovering.discover()[0]
    catalog = _CATALOGS[account_shape]
    tables = [one["tap_stream_id"] for one in catalog["streams"] if "__" in one["tap_stream_id"]]
    stream = crm.stream or tables[0]
    tap = SelectiveTap(folder, only(catalog, stream, "sync_audit"), **config)
    tap.inside = True
    account = Account(crm, app, tap, stream)
    account.everything = catalog
    app.stats.reset()
    return account


@pytest.fixture
def open_account(tmp_path: Path, unmeasured: None) -> Iterator[Callable[..., Account]]:  # noqa: ARG001
    """Return a function that serves an account of a CRM."""
    with ExitStack() as stack:

        def opened(name: str, shape: dict[str, Any] | None = None, **knobs: Any) -> Account:  # noqa: ANN401
            return _opened(name, shape, tmp_path, stack, **knobs)

        yield opened


@dataclass(frozen=True)
class Settled:
    """An account that no test changes, and what its first run wrote."""

    account: Account
    first: Run

    @property
    def state(self) -> dict[str, Any]:
        """The state of the first run; each time another copy."""
        return deepcopy(self.first.state)


@pytest.fixture(scope="module")
def _settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Settled]]:
    found: dict[str, Settled] = {}
    with ExitStack() as stack:

        def settled(
            name: str,
            *streams: str,
            shape: dict[str, Any] | None = None,
            knobs: dict[str, Any] | None = None,
            **options: Any,  # noqa: ANN401
        ) -> Settled:
            asked = repr((name, streams, shape, knobs, options))
            if asked not in found:
                account = _opened(name, shape, tmp_path_factory.mktemp(name), stack, **(knobs or {}))
                found[asked] = Settled(account, account.sync(*streams, **options))
            found[asked].account.app.stats.reset()
            return found[asked]

        yield settled


@pytest.fixture
def settled(_settled: Callable[..., Settled], unmeasured: None) -> Callable[..., Settled]:  # noqa: ARG001
    """Return a function that serves an account and reads it, as `Account.sync` does; once for all tests of a module."""
    return _settled

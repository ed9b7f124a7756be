"""A sandbox of Copera and a tap that is configured for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.copera import PAT, CoperaSandbox, Shape, copera_app
from sandbox.server import running
from tests.copera.truth import FIXED, PER_PARENT
from tests.copies import app_of
from tests.singer import Run, Tap, only, selecting

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[CoperaSandbox, Tap]]
StartRead: TypeAlias = Callable[[dict[str, Any]], tuple[CoperaSandbox, Tap, Run]]

#: Twelve tables on five boards, each column type, and a little of everything else; the same shape is the same account.
SMALL = {
    "now": int(time.time()),
    "seed": 7,
    "rows": 180,
    "documents": 20,
    "drive_files": 20,
    "channels": 12,
    "comments": 40,
    "bookings": 12,
    "notifications": 12,
}


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap runs elsewhere
    """Return a function that starts a sandbox: sizes as a dict, knobs by name."""
    with ExitStack() as stack:

        def start_one(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[CoperaSandbox, Tap]:  # noqa: ANN401
            app = app_of(copera_app, Shape, {**SMALL, **(shape or {})}, **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            return app, tap_for(url, tmp_path)

        yield start_one


def config_of(url: str) -> dict[str, Any]:
    """Return the settings of a tap for a sandbox that is served there."""
    return {"provider": "copera", "api_key": PAT, "api_url": url, "requests_per_minute": 0}


def tap_for(url: str, folder: Path) -> Tap:
    """Return a tap for a sandbox that is served there."""
    tap = Tap(folder, **config_of(url))
    tap.inside = True
    return tap


class Known:
    """What a tap finds in an account that nobody has changed yet; asked for once, however many tests begin with it.

    Args:
        shape: the account.
        folder: for the tap's files.
    """

    def __init__(self, shape: dict[str, Any], folder: Path) -> None:
        self._shape, self._folder = shape, folder

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """What discovery finds."""
        with self._served() as tap:
            return tap.discover()[0]

    @cached_property
    def run(self) -> Run:
        """What a first run without a catalog writes."""
        with self._served() as tap:
            return tap.sync()

    @cached_property
    def tables(self) -> dict[str, Any]:
        """A catalog of all tables, and of what tells their names and columns."""
        return only(self.catalog, *table_streams(self.catalog), "tables", "columns", "sync_audit")

    @cached_property
    def run_of_tables(self) -> Run:
        """What a first run with that catalog writes."""
        catalog = self.tables
        with self._served() as tap:
            return tap.sync(catalog=catalog)

    @contextmanager
    def _served(self) -> Iterator[Tap]:
        with running(copera_app(Shape(**{**SMALL, **self._shape}), rate_limit=0)) as url:
            yield tap_for(url, self._folder)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Known]:
    """Return a function that tells what is known of an account of a shape."""
    found: dict[str, Known] = {}

    def known_of(shape: dict[str, Any]) -> Known:
        key = json.dumps(shape, sort_keys=True)
        if key not in found:
            found[key] = Known(shape, tmp_path_factory.mktemp("known"))
        return found[key]

    return known_of


KnownOf: TypeAlias = Callable[[dict[str, Any]], Known]


@pytest.fixture
def start_read(start: Start, known: KnownOf) -> StartRead:
    """Return a function that starts a sandbox, and gives what a first run of a tap has written of it."""

    def start_one(shape: dict[str, Any]) -> tuple[CoperaSandbox, Tap, Run]:
        first = known(shape).run
        return *start(shape), first

    return start_one


@pytest.fixture
def start_tables(start: Start, known: KnownOf) -> StartRead:
    """Return a function as that of `start_read`, but the tap reads tables only, by the catalog of the first run."""

    def start_one(shape: dict[str, Any]) -> tuple[CoperaSandbox, Tap, Run]:
        found = known(shape)
        first = found.run_of_tables
        app, tap = start(shape)
        return app, tap.given(found.tables), first

    return start_one


def choosing(found_by: Tap | Known, *streams: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a catalog that selects the named streams, and the audit: a fresh one of a tap, or a known one."""
    found = found_by.discover()[0] if isinstance(found_by, Tap) else found_by.catalog
    missing = set(streams) - {entry["tap_stream_id"] for entry in found["streams"]}
    assert not missing, missing
    return selecting(found, *streams, "sync_audit", without=without)


def table_streams(run_or_catalog: Run | dict[str, Any]) -> list[str]:
    """Return the names of the tables' streams."""
    if isinstance(run_or_catalog, Run):
        return sorted(name for name in run_or_catalog.schemas if "__" in name)
    return sorted(entry["tap_stream_id"] for entry in run_or_catalog["streams"] if "__" in entry["tap_stream_id"])


def activated(run: Run) -> list[str]:
    """Return the tables' streams whose versions a run activated; the others have a new one in each run."""
    others = {*FIXED, *PER_PARENT}
    told = [message["stream"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
    return [stream for stream in told if stream not in others]

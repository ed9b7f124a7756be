"""Inboxes to test with: a file, or a database of a real PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from tap_crm.inbox.spool import Spool
from tests.inbox.deliveries import Clock
from tests.postgres import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def new_database() -> Iterator[Callable[[], str]]:
    """Return a function that makes an empty database, and returns its address."""
    with serving() as server:
        yield (
            lambda: make_url(server.create()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an inbox that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "inbox.sqlite")
    found: str = request.getfixturevalue("new_database")()
    return found


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def spool(address: str, clock: Clock) -> Iterator[Spool]:
    """Return an open inbox that goes by the clock."""
    opened = Spool.open(address, now=clock)
    yield opened
    opened.close()

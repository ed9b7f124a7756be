"""A small Copper account and a small Close organization, each behind a real port."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from sandbox.client import Client, CloseClient
from sandbox.close import SMALL as SMALL_CLOSE
from sandbox.close import CloseSandbox, Shape, close_app
from sandbox.copper import SMALL, CopperSandbox, copper_app
from sandbox.server import running
from tests.copies import copies_of

if TYPE_CHECKING:
    from collections.abc import Iterator


#: Of accounts that each test gets a copy of, which takes as long as they are large. A module whose tests need more
#: records says so by ``MANY_RECORDS = True``.
_FEW_OF_COPPER = replace(
    SMALL, people=110, companies=24, opportunities=24, leads=36, projects=8, tasks=40, activities=80, tags=60
)
_FEW_OF_CLOSE = replace(SMALL_CLOSE, leads=40, contacts=50, opportunities=30, tasks=40, activities=150, events=70)
_APPS = [copies_of(partial(copper_app, shape, rate_limit=0)) for shape in (_FEW_OF_COPPER, SMALL)]
_SERVERS = [copies_of(partial(close_app, shape, rate_limit=0)) for shape in (_FEW_OF_CLOSE, SMALL_CLOSE)]
_TINY_SERVER = copies_of(
    lambda: close_app(
        Shape(
            now=1_790_000_000,
            leads=2,
            contacts=2,
            opportunities=1,
            tasks=1,
            activities=0,
            events=0,
            sequence_subscriptions=1,
            custom_objects=4,
            comments=0,
            small_lists=2,
        ),
        rate_limit=0,
    )
)


@pytest.fixture
def app(request: pytest.FixtureRequest) -> CopperSandbox:
    """Make a small account without a rate limit."""
    return _APPS[getattr(request.module, "MANY_RECORDS", False)]()


@pytest.fixture
def client(app: CopperSandbox) -> Iterator[Client]:
    """Serve the account, and ask it."""
    with running(app) as url:
        client = Client(url)
        yield client
        client.close()


@pytest.fixture(scope="session")
def calm_server() -> CloseSandbox:
    """Make an organization that no test changes."""
    return close_app(SMALL_CLOSE, rate_limit=0)


@pytest.fixture(scope="session")
def calm(calm_server: CloseSandbox) -> Iterator[CloseClient]:
    """Serve and ask the organization that no test changes."""
    with running(calm_server) as url:
        asker = CloseClient(url)
        yield asker
        asker.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> CloseSandbox:
    """Make a small organization without a rate limit."""
    return _SERVERS[getattr(request.module, "MANY_RECORDS", False)]()


@pytest.fixture
def asker(server: CloseSandbox) -> Iterator[CloseClient]:
    """Serve the organization, and ask it."""
    with running(server) as url:
        asker = CloseClient(url)
        yield asker
        asker.close()


@pytest.fixture
def tiny_server() -> CloseSandbox:
    """Make an organization that has hardly any records, but all definitions, without a rate limit."""
    return _TINY_SERVER()


@pytest.fixture
def writer(tiny_server: CloseSandbox) -> Iterator[CloseClient]:
    """Serve that organization, and ask it."""
    with running(tiny_server) as url:
        asker = CloseClient(url)
        yield asker
        asker.close()

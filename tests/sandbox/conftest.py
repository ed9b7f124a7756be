"""A small Copper account behind a real port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.client import Client
from sandbox.copper import SMALL, CopperSandbox, copper_app
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def app() -> CopperSandbox:
    """Make a small account without a rate limit."""
    return copper_app(SMALL, rate_limit=0)


@pytest.fixture
def client(app: CopperSandbox) -> Iterator[Client]:
    """Serve the account, and ask it."""
    with running(app) as url:
        client = Client(url)
        yield client
        client.close()

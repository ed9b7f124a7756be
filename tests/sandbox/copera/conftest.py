"""A small Copera workspace behind a real port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.client import CoperaClient
from sandbox.copera import SMALL, CoperaSandbox, copera_app
from sandbox.server import running
from tests.copies import copies_of

if TYPE_CHECKING:
    from collections.abc import Iterator


#: Each test gets a copy, which takes as long as it is large.
_APP = copies_of(lambda: copera_app(replace(SMALL, rows=130), rate_limit=0))


@pytest.fixture
def app() -> CoperaSandbox:
    """Make a small workspace without a rate limit."""
    return _APP()


@pytest.fixture
def client(app: CoperaSandbox) -> Iterator[CoperaClient]:
    """Serve the workspace, and ask it."""
    with running(app) as url:
        client = CoperaClient(url)
        yield client
        client.close()

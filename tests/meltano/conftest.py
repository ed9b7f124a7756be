"""One project for all, and a Copper account for each module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.client import Client
from sandbox.copper import SMALL, copper_app
from sandbox.server import running
from tests.meltano.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project; Meltano installs a plugin when it is first run."""
    return Project(tmp_path_factory.mktemp("meltano"))


@pytest.fixture(scope="module")
def crm() -> Iterator[Client]:
    """Serve a small account."""
    with running(copper_app(SMALL, rate_limit=0)) as url:
        client = Client(url)
        yield client
        client.close()

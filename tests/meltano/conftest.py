"""One project for all, and an account of each CRM for each module."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from sandbox import close, copera, copper
from sandbox.client import Client
from sandbox.server import running
from scripts.demo_close import CLOSE
from scripts.demo_copera import COPERA
from scripts.demo_copper import COPPER
from tests.meltano.project import Project
from tests.postgres import Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.simulator import Simulator

#: Enough of everything for the changes of the demo, and no more: a loader takes long for each row.
APPS: dict[str, Callable[[], Simulator]] = {
    COPPER.name: lambda: copper.copper_app(
        replace(
            copper.SMALL,
            people=100,
            companies=30,
            opportunities=40,
            leads=30,
            projects=5,
            tasks=40,
            activities=100,
            tags=40,
            custom_fields=12,
        ),
        rate_limit=0,
    ),
    CLOSE.name: lambda: close.close_app(
        replace(
            close.SMALL,
            leads=60,
            contacts=70,
            opportunities=40,
            tasks=40,
            activities=200,
            events=80,
            sequence_subscriptions=8,
            custom_fields=10,
            custom_objects=5,
            comments=5,
        ),
        rate_limit=0,
    ),
    COPERA.name: lambda: copera.copera_app(
        replace(
            copera.SMALL,
            boards=1,
            tables=4,
            wide_tables=0,
            rows={"Leads": 80, "People": 40, "Companies": 40, "Deals": 50},
        ),
        rate_limit=0,
    ),
}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Make a project; Meltano installs a loader when it is first run."""
    with closing(Project(tmp_path_factory.mktemp("meltano"))) as made:
        yield made


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Give a PostgreSQL server."""
    with serving() as given:
        yield given


@pytest.fixture(scope="module")
def account() -> Iterator[Callable[[str], Client]]:
    """Serve a small account of a CRM, from its first use on."""
    with ExitStack() as stack:

        @cache
        def serve(crm: str) -> Client:
            client = Client(stack.enter_context(running(APPS[crm]())))
            stack.callback(client.close)
            return client

        yield serve

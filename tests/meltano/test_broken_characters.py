"""Characters that PostgreSQL does not take do not keep its loader from loading a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import copper
from sandbox.faults import FaultRule
from sandbox.server import running
from scripts.demo_run import CRMS
from tests.meltano.databases import InPostgres
from tests.meltano.piped import Piped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.meltano.project import Project
    from tests.postgres import Server

SHAPE = copper.Shape(people=20, companies=2, opportunities=2, leads=2, projects=1, tasks=1, activities=2)


def test_a_nul_in_every_address_is_loaded_without_it(project: Project, server: Server, tmp_path: Path) -> None:
    """The addresses are nested: what the loader itself could clean is text only."""
    app = copper.copper_app(SHAPE, rate_limit=0, faults=[FaultRule(["null_character"], every=1, text="@")])
    database = InPostgres(server.create())
    with running(app) as url:
        Piped(project, tmp_path, CRMS["copper"], url, (database,), ("people",)).run()
    loaded = database.ask("SELECT id, emails[1] ->> 'email' FROM copper.people WHERE emails[1] IS NOT NULL")
    people = app.account.records("people")
    assert set(loaded) == {(person["id"], person["emails"][0]["email"]) for person in people if person["emails"]}
    assert loaded

"""Runs by Meltano that each end early by a limit of their own: the state is kept, and in the end all is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from scripts.demo_copper import COPPER
from tests.meltano.databases import InDuckDb

if TYPE_CHECKING:
    from tests.meltano.project import Project

PEOPLE = 700
LIMIT = {"TAP_COPPER_MAX_RUN_REQUESTS": "22", "TAP_COPPER__SELECT": '["people.*", "users.*", "sync_audit.*"]'}
COUNT = "SELECT count(*), count(DISTINCT id) FROM copper.people"
LAST = "SELECT complete FROM copper.sync_audit WHERE stream = 'people' ORDER BY started DESC LIMIT 1"


def test_each_night_goes_on_where_the_one_before_ended(project: Project) -> None:
    """A loader that is given the end of its input confirms all of it, and Meltano keeps that state."""
    app = copper_app(Shape(people=PEOPLE, users=3), rate_limit=0)
    app.behaviour.page_cap = 20
    database = InDuckDb(project.folder / "output" / "nights.duckdb")
    counts: list[int] = []
    with running(app) as url:
        for _ in range(6):
            said = project.load(COPPER, database.loader, url, "nights", **database.settings, **LIMIT)
            ((rows, distinct),) = database.ask(COUNT)
            assert rows == distinct
            counts.append(rows)
            ((complete,),) = database.ask(LAST)
            if complete:
                break
            assert "the next run goes on from it" in said
    assert counts[-1] == PEOPLE
    assert 3 <= len(counts) <= 5
    assert counts == sorted(set(counts)), "each night must add rows"

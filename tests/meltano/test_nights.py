"""`meltano run tap-close target-postgres` with a limit that ends it early: the state is kept, and all is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close import Shape, close_app
from sandbox.server import running
from scripts.demo_close import CLOSE
from tests.meltano.databases import InPostgres

if TYPE_CHECKING:
    from tests.meltano.project import Project
    from tests.postgres import Server

LEADS = 400
SHAPE = Shape(leads=LEADS, contacts=3, opportunities=3, tasks=3, activities=40, events=3)
LIMIT = {"TAP_CLOSE_MAX_RUN_REQUESTS": "22", "TAP_CLOSE__SELECT": '["leads.*", "users.*", "sync_audit.*"]'}
COUNT = "SELECT count(*), count(DISTINCT id) FROM close.leads WHERE _sdc_deleted_at IS NULL"
LAST = "SELECT complete, records FROM close.sync_audit WHERE stream = 'leads' ORDER BY started DESC LIMIT 1"


def test_each_night_goes_on_where_the_one_before_ended(project: Project, server: Server) -> None:
    """A loader that is given the end of its input confirms all of it, and Meltano keeps that state.

    That any number of nights ends in a complete load is told in `tests/states`.
    """
    app = close_app(SHAPE, rate_limit=0, limit_caps={"data/search": 20})
    database = InPostgres(server.create())
    nights: list[tuple[int, bool, int]] = []
    with running(app) as url:
        for _ in range(2):
            said = project.load(CLOSE, database.loader, url, **database.settings, **LIMIT)
            ((rows, distinct),) = database.ask(COUNT)
            assert rows == distinct
            ((complete, records),) = database.ask(LAST)
            nights.append((rows, complete, records))
            assert ("the next run goes on from it" in said) is not complete
    (first, was_complete, _), (second, is_complete, read) = nights
    assert 0 < first < second == len(app.account.records("leads"))
    assert (was_complete, is_complete) == (False, True)
    assert read < LEADS, "the second night must not begin anew"

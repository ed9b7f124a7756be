"""Records edited, deleted and created at every answer: the run and the next one together equal the living truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.behaviour import Churn
from tests.copper.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from sandbox.copper import CopperSandbox
    from tests.copper.conftest import Start
    from tests.singer import Run

EDITED = ("people", "companies", "leads", "opportunities", "projects", "tasks")
#: Each object has several pages: so many records are one.
PAGE = 20
PAGES = {"people": 62, "companies": 21, "leads": 21, "opportunities": 21, "projects": 21, "tasks": 21}


def living(app: CopperSandbox, stream: str, *runs: Run) -> dict[Any, Any]:
    """Return the loaded records that still live; deletions leave no trace in the API."""
    alive = {(identity,) for identity in app.account.ids(stream)}
    return {key: record for key, record in merged(stream, *runs).items() if key in alive}


@pytest.mark.parametrize("seed", range(8))
def test_edits_and_deletions_at_every_page(start_some: Start, seed: int) -> None:
    """Half of the seeds list ties in another order at each request, a quarter tell no total.

    Each reads people, leads, which are converted to people meanwhile, and by turns one of the other objects.
    """
    streams = ("people", "leads", ("companies", "opportunities", "projects", "tasks")[seed // 2])
    knobs = {"unstable_ties": seed % 2 == 1, "total": "missing" if seed % 4 == 2 else "exact", "page_cap": PAGE}
    churn = Churn(edit=1 + seed % 3, delete=1 + seed % 2, create=seed % 2, convert=seed % 2, objects=list(EDITED))
    app, tap = start_some(streams, {**PAGES, "seed": seed, "tie_fraction": 0.3}, churn=churn, **knobs)
    before = {stream: set(app.account.ids(stream)) for stream in streams}
    first = tap.sync()
    assert app.stats.by_path["people/search"] >= 4
    assert all(before[stream] - set(app.account.ids(stream)) for stream in streams)
    app.behaviour.churn = Churn()
    second = tap.sync(state=first.state)
    for stream in streams:
        assert differences(app.account, stream, living(app, stream, first, second)) == {}, stream


@pytest.mark.parametrize("seed", range(4))
def test_activities_logged_and_deleted_at_every_page(start_some: Start, seed: int) -> None:
    """New ones arrive at the top of the list and push the others to later pages; deletions pull them back."""
    churn = Churn(delete=1 + seed % 2, create=1, objects=["activities"])
    app, tap = start_some(("activities",), {"seed": seed, "people": 50, "activities": 82}, churn=churn, page_cap=PAGE)
    first = tap.sync()
    assert app.stats.by_path["activities/search"] >= 5
    app.behaviour.churn = Churn()
    second = tap.sync(state=first.state)
    assert differences(app.account, "activities", living(app, "activities", first, second)) == {}


def test_the_bookmark_never_passes_a_change_made_while_reading(start_some: Start) -> None:
    """The bookmark ends before the run began, so whatever changed since is asked for next time."""
    app, tap = start_some((*EDITED, "activities"))
    began = int(app.now())
    run = tap.sync()
    for stream in (*EDITED, "activities"):
        bookmark = run.state["bookmarks"][stream]["replication_key_value"]
        assert bookmark.endswith("Z")
        assert bookmark <= f"{_iso(began)}", stream


def _iso(seconds: int) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(seconds + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

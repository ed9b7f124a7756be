"""Records edited, deleted, created and merged at every answer: the run and the next one equal the living truth."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.behaviour import Churn
from tests.close.truth import ACTIVITIES, CHANGING, differences
from tests.singer import merged

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from tests.close.conftest import Start
    from tests.singer import Run

#: Some of the types of activities, which are all read alike.
TOLD = ("emails", "notes", "custom_activities")
COMPARED = (*CHANGING, *TOLD)
SHAPE: dict[str, Any] = {
    "leads": 90,
    "contacts": 60,
    "opportunities": 60,
    "tasks": 90,
    "activities": {"emails": 24, "notes": 18, "custom_activities": 12},
    "events": 20,
    "custom_fields": 3,
    "tie_fraction": 0.3,
}
#: Small ones, so that a small account has many.
PAGES = {"data/search": 24, "opportunity": 20, "task": 28, "activity": 8}


def living(app: CloseSandbox, stream: str, *runs: Run) -> dict[Any, Any]:
    """Return the loaded records that still live; what was deleted may stay in the table."""
    alive = {(identity,) for identity in app.account.ids(stream)}
    return {key: record for key, record in merged(stream, *runs).items() if key in alive}


@pytest.mark.parametrize("seed", range(5))
def test_changes_at_every_answer(start_some: Start, seed: int) -> None:
    """Half of the seeds list ties in another order at each request, others tell no total or no count."""
    knobs = {
        "unstable_ties": seed % 2 == 1,
        "totals": "missing" if seed % 4 >= 2 else "shown",
        "search_counts": "missing" if seed in (1, 4) else "exact",
        "children_move_lead": seed % 4 == 3,
        "merge_deletes_source": seed % 4 == 0,
        "cursor_kind": "offset" if seed % 3 == 1 else "snapshot",
    }
    churn = Churn(edit=1 + seed % 3, delete=1 + seed % 2, create=seed % 2, merge=seed % 2, objects=[*CHANGING])
    app, tap = start_some(COMPARED, {**SHAPE, "seed": seed}, churn=churn, limit_caps=PAGES, **knobs)
    first = tap.sync()
    app.behaviour.churn = Churn()
    second = tap.sync(state=first.state)
    for stream in COMPARED:
        assert differences(app.account, stream, living(app, stream, first, second)) == {}, stream


@pytest.mark.parametrize("seed", range(2))
def test_activities_change_at_every_answer(start_some: Start, seed: int) -> None:
    """New ones come in at the top, deleted ones pull the list up, old ones are edited in places long passed."""
    churn = Churn(edit=1 + seed % 3, delete=1 + seed % 2, create=1, objects=[*TOLD])
    shape = {**SHAPE, "seed": seed, "activities": dict.fromkeys(TOLD, 30)}
    unstable = seed % 2 == 1
    # More than a page of ties in another order each time, uncounted, would be an error by name.
    pages = PAGES | {"activity": 20} if unstable else PAGES
    app, tap = start_some(TOLD, shape, churn=churn, limit_caps=pages, unstable_ties=unstable)
    first = tap.sync()
    app.behaviour.churn = Churn()
    second = tap.sync(state=first.state)
    for stream in TOLD:
        assert differences(app.account, stream, living(app, stream, first, second)) == {}, stream


@pytest.mark.parametrize("seed", range(2))
def test_changes_while_an_incremental_run_reads(start_some: Start, seed: int) -> None:
    """The second run meets changes, too; the third one brings them."""
    app, tap = start_some(COMPARED, {**SHAPE, "seed": seed}, limit_caps=PAGES)
    first = tap.sync()
    for stream in (*CHANGING, "notes", "emails"):
        app.account.edit(stream, count=12)
    app.behaviour.churn = Churn(edit=3, delete=1, create=1, merge=1, objects=[*CHANGING, *TOLD])
    second = tap.sync(state=first.state)
    app.behaviour.churn = Churn()
    third = tap.sync(state=second.state)
    for stream in COMPARED:
        assert differences(app.account, stream, living(app, stream, first, second, third)) == {}, stream


def test_a_search_whose_index_lags_is_read_again(start_some: Start) -> None:
    """Changes show in searches a while later: the overlap of the next run covers that."""
    churn = Churn(edit=2, create=1, objects=["leads", "contacts"])
    streams = ("leads", "contacts")
    app, tap = start_some(streams, SHAPE, churn=churn, index_lag=1.0, limit_caps={"data/search": 10})
    first = tap.sync()
    app.behaviour.churn, app.behaviour.index_lag = Churn(), 0.0
    for table in app.account.tables.values():  # what was changed a moment ago would still lag for up to a second
        table.settle(float("inf"))
    second = tap.sync(state=first.state)
    for stream in streams:
        assert differences(app.account, stream, living(app, stream, first, second)) == {}, stream


def test_no_bookmark_passes_a_change_made_while_reading(start_some: Start) -> None:
    """Every bookmark ends before the run began, so whatever changed since is asked for next time."""
    streams = (*CHANGING, *ACTIVITIES, "events")
    app, tap = start_some(streams, {**SHAPE, "activities": 100})
    began = datetime.fromtimestamp(app.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run = tap.sync()
    for stream in streams:
        assert run.state["bookmarks"][stream]["replication_key_value"] <= began, stream

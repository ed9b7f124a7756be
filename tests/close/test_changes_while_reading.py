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

#: Nothing in Close tells of edits of import updates: they have no event, and no filter but the one on their creation.
TOLD = [name for name in ACTIVITIES if name != "import_updates"]
COMPARED = (*CHANGING, *TOLD)
SHAPE = {"leads": 700, "contacts": 500, "opportunities": 520, "tasks": 1_050, "activities": 400, "tie_fraction": 0.3}


def living(app: CloseSandbox, stream: str, *runs: Run) -> dict[Any, Any]:
    """Return the loaded records that still live; what was deleted may stay in the table."""
    alive = {(identity,) for identity in app.world.ids(stream)}
    return {key: record for key, record in merged(stream, *runs).items() if key in alive}


@pytest.mark.parametrize("seed", range(6))
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
    app, tap = start_some(COMPARED, {**SHAPE, "seed": seed}, churn=churn, **knobs)
    first = tap.sync()
    app.behaviour.churn = Churn()
    second = tap.sync(state=first.state)
    for stream in COMPARED:
        assert differences(app.world, stream, living(app, stream, first, second)) == {}, stream


@pytest.mark.parametrize("seed", range(3))
def test_activities_change_at_every_answer(start_some: Start, seed: int) -> None:
    """New ones come in at the top, deleted ones pull the list up, old ones are edited in places long passed."""
    churn = Churn(edit=1 + seed % 3, delete=1 + seed % 2, create=1, objects=TOLD)
    app, tap = start_some(
        COMPARED,
        {"seed": seed, "activities": 1_800, "leads": 150, "contacts": 150},
        churn=churn,
        unstable_ties=seed % 2 == 1,
    )
    first = tap.sync()
    app.behaviour.churn = Churn()
    second = tap.sync(state=first.state)
    for stream in TOLD:
        assert differences(app.world, stream, living(app, stream, first, second)) == {}, stream


@pytest.mark.parametrize("seed", range(3))
def test_changes_while_an_incremental_run_reads(start_some: Start, seed: int) -> None:
    """The second run meets changes, too; the third one brings them."""
    app, tap = start_some(COMPARED, {**SHAPE, "seed": seed})
    first = tap.sync()
    for stream in (*CHANGING, "notes", "emails"):
        app.world.edit(stream, count=120)
    app.behaviour.churn = Churn(edit=3, delete=1, create=1, merge=1, objects=[*CHANGING, *TOLD])
    second = tap.sync(state=first.state)
    app.behaviour.churn = Churn()
    third = tap.sync(state=second.state)
    for stream in COMPARED:
        assert differences(app.world, stream, living(app, stream, first, second, third)) == {}, stream


def test_a_search_whose_index_lags_is_read_again(start_some: Start) -> None:
    """Changes show in searches a while later: the overlap of the next run covers that."""
    churn = Churn(edit=2, create=1, objects=["leads", "contacts"])
    app, tap = start_some(COMPARED, {"leads": 900, "contacts": 900}, churn=churn, index_lag=1.0)
    first = tap.sync()
    app.behaviour.churn, app.behaviour.index_lag = Churn(), 0.0
    for table in app.world.tables.values():  # what was changed a moment ago would still lag for up to a second
        table.settle(float("inf"))
    second = tap.sync(state=first.state)
    for stream in ("leads", "contacts"):
        assert differences(app.world, stream, living(app, stream, first, second)) == {}, stream


def test_no_bookmark_passes_a_change_made_while_reading(start_some: Start) -> None:
    """Every bookmark ends before the run began, so whatever changed since is asked for next time."""
    app, tap = start_some((*COMPARED, "events"))
    began = datetime.fromtimestamp(app.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run = tap.sync()
    for stream in (*COMPARED, "events"):
        assert run.state["bookmarks"][stream]["replication_key_value"] <= began, stream

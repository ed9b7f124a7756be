"""An index that shows edits late is no reason to take a living record for a deleted one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.close.truth import differences
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

SHAPE = {"leads": 120, "contacts": 3, "opportunities": 3, "tasks": 3, "activities": 10, "events": 3}
#: How long before the reconcile the edits were made: longer than a bookmark stays behind the clock.
AGO = 60


@pytest.mark.parametrize("seed", range(2))
def test_a_reconcile_marks_no_lead_whose_edit_shows_while_it_reads(start_some: Start, seed: int) -> None:
    """The newest leads are read before the edits show, some old places of the edited ones after it."""
    app, tap = start_some(("leads",), {**SHAPE, "seed": seed}, limit_caps={"data/search": 6}, clock_skew=-AGO)
    first = tap.sync()
    app.behaviour.index_lag = 3_600
    edited = {(number,) for number in app.account.edit("leads", count=30)}
    app.behaviour.index_lag = app.behaviour.clock_skew = 0

    def catch_up(moment: Moment) -> None:
        if moment.when == "before" or moment.request.path != "data/search" or moment.answer is None:
            return
        is_closed = b'"before"' in moment.request.body
        if is_closed and msgspec.json.decode(moment.answer.body).get("cursor") is None:
            app.account.tables["leads"].stale.clear()

    app.on_answer(catch_up)
    target = Target(first, tap.sync(state=first.state, reconcile="true"))
    assert not target.ever_marked("leads") & edited
    assert target.activated("leads")
    assert differences(app.account, "leads", target.living("leads")) == {}

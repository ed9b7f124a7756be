"""The whole way: the CRM sends what happens, the receiver keeps it, the tap reads what it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.inbox.serving import TOKEN, receiving
from tests.target import Target

if TYPE_CHECKING:
    from tests.hints.conftest import StartTold
    from tests.hints.tellers import Teller


def test_a_fifth_of_the_events_is_lost_and_no_row(teller: Teller, start_told: StartTold) -> None:
    """Late, twice and in any order, too: all rows are right, and just those that were lost are missed."""
    stream, other = teller.streams
    app, tap, told = start_told(webhook_targets="any", events={"time_scale": 0, "duplicates": 0.3, "delay": 60})
    app.world.lists["webhooks"].clear()
    app.behaviour.clock_skew = -2 * teller.delay
    with receiving(told.spool) as url:
        teller.subscribe(tap.config["api_url"], f"{url}/{teller.crm.name}/{TOKEN}", told)
        first = tap.sync()
        app.behaviour.events.loss = 0.2
        edited = [app.world.edit(stream, ids=[key])[0] for key in app.world.ids(stream)[:20]]
        gone = app.world.delete(other, count=3)
        app.behaviour.clock_skew = 0
        app.deliveries.advance(120)
        lost = sum(one.outcome == "lost" for one in app.deliveries.log)
        heard = told.spool.counters(teller.crm.name)["received"]
        second = tap.sync(state=first.state)
    assert lost
    assert heard >= len(edited) + len(gone) - lost
    row = second.audit()[stream]
    assert row["hints"] + row["missed_by_events"] == len(edited)
    assert row["missed_by_events"] > 0
    assert second.keys(stream) == {(key,) for key in edited}
    teller.crm.assert_complete(app, first, second, streams=[stream])
    third = tap.sync(state=second.state, reconcile="true")
    assert Target(first, second, third).marked(other) == {(key,) for key in gone}
    teller.crm.assert_complete(app, first, second, third, streams=teller.streams)

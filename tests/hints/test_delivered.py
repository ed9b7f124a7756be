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
    app.account.lists["webhooks"].clear()
    app.behaviour.clock_skew = -2 * teller.delay
    with receiving(told.spool) as url:
        teller.subscribe(tap.config["api_url"], f"{url}/{teller.crm.name}/{TOKEN}", told)
        first = tap.sync()
        app.behaviour.events.loss = 0.2
        edited = [app.account.edit(stream, ids=[key])[0] for key in app.account.ids(stream)[:20]]
        gone = app.account.delete(other, count=3)
        app.behaviour.clock_skew = 0
        app.deliveries.advance(120)
        second = tap.sync(state=first.state)
    assert any(one.outcome == "lost" for one in app.deliveries.log)
    changed = {key for (key,) in second.keys(stream)}
    assert changed >= set(edited)
    row = second.audit()[stream]
    heard = told.keys(stream)
    assert row["hints"] == len(heard)
    assert row["missed_by_events"] == len(changed - heard) > 0
    teller.crm.assert_complete(app, first, second, streams=[stream])
    third = tap.sync(state=second.state, reconcile="true")
    assert Target(first, second, third).marked(other) == {(key,) for key in gone}
    teller.crm.assert_complete(app, first, second, third, streams=teller.streams)

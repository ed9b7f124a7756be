"""Broken answers are asked for again, and are never taken for the end of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from sandbox.faults import FINAL, FaultRule, Kind
from tap_crm.contract.signals import REFUSED

if TYPE_CHECKING:
    from tests.contract.conftest import Start
    from tests.contract.crm import Crm

SLOW: tuple[Kind, ...] = ("stall", "slow_headers")
#: Kinds that `tests/proof` has no fault for, and some of those that are another thing over a real connection.
OF_THEIR_OWN: tuple[tuple[Kind, ...], ...] = (
    *(("empty_page",), ("429",)),
    *(("half_surrogate", "null_character"), ("cut_connection", "drop")),
)


@pytest.mark.parametrize("kinds", OF_THEIR_OWN, ids=" and ".join)
def test_every_fifth_answer_is_broken(crm: Crm, start: Start, kinds: tuple[Kind, ...]) -> None:
    """Everything arrives, exit code 0; `tests/proof` lets the first answer to each question have each other fault."""
    if crm.endless_doubt.intersection(kinds):
        pytest.skip("tests of its own: every fifth answer could hit both questions")
    path, every = crm.counted if "empty_page" in kinds else "", 5 if len(kinds) == 1 else 3
    app, tap = start(*crm.streams, faults=[FaultRule(list(kinds), every=every, path=path, retry_after=0.1)])
    crm.assert_complete(app, tap.sync())
    assert all(app.stats.faults[kind] > 0 for kind in kinds)


def test_an_answer_that_does_not_come_is_asked_for_again(crm: Crm, start: Start) -> None:
    """The read timeout ends the wait, before any header and behind it; the next attempt brings the page."""
    faults = [FaultRule(list(SLOW), at=[2, 4], seconds=3, path=path) for path in crm.slow]
    app, tap = start(*crm.streams, faults=faults)
    run = tap.sync(request_timeout_seconds=1)
    crm.assert_complete(app, run)
    assert sum(row["retries"] for row in run.audit().values()) >= len(SLOW)
    assert all(app.stats.faults[kind] >= 1 for kind in SLOW)


def test_all_kinds_in_turn_break_a_first_run_and_one_that_reads_changes(crm: Crm, start: Start) -> None:
    """All arrives; 429s that say when to come back are obeyed."""
    # Half of a list may be all that there is, for all that a first run knows.
    kinds = [kind for kind in get_args(Kind) if kind not in (*SLOW, *FINAL, "half_page", *crm.endless_doubt)]
    app, tap = start(*crm.streams)
    app.behaviour.faults = [
        FaultRule(list(kinds), every=3 + bool(path), path=path, retry_after=0.2) for path in (*crm.slow, "")
    ]
    first = tap.sync()
    crm.assert_complete(app, first)
    assert len(app.stats.faults) > 1
    edited = {stream: crm.edit(app, stream, 20) for stream in crm.edited}
    created = {stream: crm.create(app, stream, 2) for stream in crm.edited}
    app.behaviour.faults = [FaultRule(list(reversed(kinds)), every=3)]
    app.stats.reset()
    second = tap.sync(state=first.state)
    assert app.stats.faults
    for stream in crm.edited:
        assert edited[stream] | created[stream] <= second.keys(stream)
    crm.assert_complete(app, first, second)


def test_a_stream_that_stays_broken_fails_by_name_and_the_others_go_on(crm: Crm, start: Start) -> None:
    """Exit code 1, and what was safe stays safe."""
    stream, path = crm.broken
    app, tap = start(*crm.streams, faults=[FaultRule(["500"], every=1, path=path)])
    run = tap.sync(expect=1, retry_seconds=1)
    assert f"1 of {len(crm.streams)} streams are not complete: {stream}." in run.log
    assert not run.audit()[stream]["complete"]
    assert "status 500" in run.audit()[stream]["error"]
    crm.assert_complete(app, run, streams=set(crm.streams) - {stream})
    assert "Traceback" not in run.log
    app.behaviour.faults = []
    crm.assert_complete(app, run, tap.sync(state=run.state))


def test_a_key_revoked_mid_run_ends_it_and_the_next_run_completes(crm: Crm, start: Start) -> None:
    """An exit code of its own at once, nothing more is asked; good credentials and the state bring the rest."""
    app, tap = start(*crm.streams)
    few = len(crm.streams) // 2  # of the requests of a run: there are more than streams
    app.revoke(crm.config["api_key"], after=few)
    first = tap.sync(expect=REFUSED)
    assert "refused the credentials (401)" in first.log
    assert "Traceback" not in first.log
    assert crm.config["api_key"] not in first.log
    assert few <= app.stats.requests <= few + 12  # what was under way when the key was revoked
    crm.assert_complete(app, first, tap.sync(state=first.state, **crm.other_key(app)))

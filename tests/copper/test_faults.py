"""Broken answers are asked for again, and are never taken for the end of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from sandbox.copper import API_KEY, SECOND_KEY
from sandbox.faults import FaultRule, Kind
from tests.copper.truth import LISTED, SEARCHED, differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.copper.conftest import Start

SLOW = ("stall", "slow_headers")
#: Several pages of people and of activities, and all lists.
SHAPE = {"people": 450, "activities": 450, "companies": 210, "opportunities": 60, "leads": 60, "tags": 150}
STREAMS = (*SEARCHED, *LISTED)


@pytest.mark.parametrize("kind", [kind for kind in get_args(Kind) if kind not in SLOW])
def test_every_fifth_answer_is_broken(start_some: Start, kind: Kind) -> None:
    """Each kind of fault: everything arrives, exit code 0."""
    app, tap = start_some(STREAMS, SHAPE, faults=[FaultRule([kind], every=5)])
    run = tap.sync()
    for stream in SEARCHED:
        assert differences(app.world, stream, merged(stream, run)) == {}, stream
    for stream in LISTED:
        if stream not in ("webhooks", "field_layouts"):
            keys = tuple(run.schemas[stream]["key_properties"])
            assert differences(app.world, stream, merged(stream, run), keys) == {}, stream
    assert app.stats.faults


@pytest.mark.parametrize("kind", SLOW)
def test_an_answer_that_does_not_come_is_asked_for_again(start_some: Start, kind: Kind) -> None:
    """The read timeout ends the wait; the next attempt brings the page."""
    app, tap = start_some(("people", "companies", "tags"), SHAPE, faults=[FaultRule([kind], at=[2, 5], seconds=4)])
    run = tap.sync(request_timeout_seconds=1)
    assert differences(app.world, "people", merged("people", run)) == {}
    assert sum(row["retries"] for row in run.audit().values()) >= 2


def test_all_kinds_in_turn_with_hints_on_how_long_to_wait(start_some: Start) -> None:
    """429s that say when to come back are obeyed."""
    kinds = [kind for kind in get_args(Kind) if kind not in SLOW]
    app, tap = start_some(STREAMS, SHAPE, faults=[FaultRule(kinds, every=4, retry_after=0.2)])
    run = tap.sync()
    for stream in SEARCHED:
        assert differences(app.world, stream, merged(stream, run)) == {}, stream


def test_a_stream_that_stays_broken_fails_by_name_and_the_others_go_on(start: Start) -> None:
    """Exit code 1, and what was safe stays safe."""
    app, tap = start(faults=[FaultRule(["500"], every=1, path="companies/search")])
    run = tap.sync(expect=1, retry_seconds=2)
    assert "1 of 21 streams are not complete: companies" in run.log
    assert not run.audit()["companies"]["complete"]
    assert "status 500" in run.audit()["companies"]["error"]
    assert differences(app.world, "people", merged("people", run)) == {}
    assert "Traceback" not in run.log
    app.behaviour.faults = []
    second = tap.sync(state=run.state)
    assert differences(app.world, "companies", merged("companies", second)) == {}


def test_a_key_revoked_mid_run_ends_it_and_the_next_run_completes(start_some: Start) -> None:
    """Exit code 1 at once; a good key and the state bring the rest."""
    app, tap = start_some(SEARCHED, {**SHAPE, "people": 5_400})
    app.revoke(API_KEY, after=25)
    first = tap.sync(expect=1)
    assert "refused the credentials (401)" in first.log
    assert API_KEY not in first.log
    asked = app.stats.requests
    assert asked <= 25 + 10  # what was under way when the key was revoked
    second = tap.sync(state=first.state, api_key=SECOND_KEY)
    for stream in SEARCHED:
        assert differences(app.world, stream, merged(stream, first, second)) == {}, stream

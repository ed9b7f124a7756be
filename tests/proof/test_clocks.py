"""The clock of the machine is wrong by a day, or its zone changes to another offset: nothing is missed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.proof.machine import DAY, MACHINES, STREAMS, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

#: When New York's clocks are set, in UTC: an hour is left out, and one comes twice; and minutes from then.
CHANGES = ((datetime(2027, 3, 14, 7, tzinfo=UTC), (-40, 20)), (datetime(2027, 11, 7, 6, tzinfo=UTC), (-40, 20, 80)))
#: Streams that are read; records of each of them are edited and made.
EDITED = range(3)
#: Copper's activities are found by their own date: an edit of an old one is seen by the next complete read only.
UNSEEN = ("activities",)


@pytest.fixture(params=["copper", "close", "copera"])
def machine(request: pytest.FixtureRequest, unmeasured: None) -> Iterator[Machine]:  # noqa: ARG001
    """Return an account of each CRM, loaded once."""
    made: Machine = MACHINES[request.param](STREAMS[request.param][: len(EDITED)])
    yield made
    made.close()


def change_and_run(machine: Machine) -> None:
    """Edit and make records of the first streams, and read what changed."""
    for which in EDITED:
        machine.change(which=which, verb="edit", count=2)
        machine.change(which=which, verb="create", count=1)
    machine.wait(61.0)
    machine.run_to_its_end(reconcile="false")


def test_a_machine_whose_clock_jumps_by_a_day_misses_nothing(machine: Machine) -> None:
    """Ahead, then behind, then right: what the CRM's own clock says is what counts."""
    for wrong in (DAY, -DAY, 0.0):
        machine.set_clock(wrong)
        change_and_run(machine)
    machine.check(without=UNSEEN)


def test_the_night_in_which_clocks_are_set_misses_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, in and after the hour that is left out or comes twice."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        for change, moments in CHANGES:
            for minutes in moments:
                machine.passed = change.timestamp() + minutes * 60 - time.time()
                change_and_run(machine)
        machine.check(without=UNSEEN)
    finally:
        monkeypatch.undo()
        time.tzset()

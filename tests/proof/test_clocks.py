"""The clock of the machine is wrong by a day, or its zone changes to another offset: nothing is missed."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.inbox.receiver import Receiver
from tap_crm.inbox.settings import InboxSettings
from tap_crm.inbox.spool import Spool
from tests.inbox.deliveries import kept
from tests.inbox.serving import COPPER, KEY, TOKEN, close_headers, copera_headers
from tests.proof.faults import TEN_MINUTES
from tests.proof.machine import DAY, MACHINES, STREAMS, Machine
from tests.proof.seam import AppServer
from tests.proof.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.proof.seam import Asked, Piece

#: When New York's clocks are set, in UTC: an hour is left out, and one comes twice; and minutes from then.
CHANGES = ((datetime(2027, 3, 14, 7, tzinfo=UTC), (-40, 20)), (datetime(2027, 11, 7, 6, tzinfo=UTC), (-40, 20, 80)))
#: Streams that are read; records of each of them are edited and made.
EDITED = range(3)
#: Copper's activities are found by their own date: an edit of an old one is seen by the next complete read only.
UNSEEN = ("activities",)


class Dated:
    """Answers as an account does, with a `Date` that is off by some seconds, or without one."""

    def __init__(self, off: float | None, app: Any) -> None:  # noqa: ANN401 - any sandbox
        self._off, self._server = off, AppServer(app)

    def __call__(self, asked: Asked) -> list[Piece]:
        """Answer."""
        whole, skew = self._server.respond(asked), self._server.app.behaviour.clock_skew
        date = None if self._off is None else formatdate(time.time() + skew + self._off, usegmt=True)
        return [whole.head(date=date) + whole.body]


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


@pytest.mark.parametrize("off", [None, TEN_MINUTES, -TEN_MINUTES])
def test_a_server_that_tells_a_wrong_time_or_none_misses_nothing(machine: Machine, off: float | None) -> None:
    """Its records have the right times; the machine is right, ten minutes ahead, and ten minutes behind."""
    machine.serve = partial(Dated, off)
    for wrong in (0.0, TEN_MINUTES, -TEN_MINUTES):
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


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_a_receiver_whose_clock_is_wrong_keeps_all_in_their_order(crm: str, tmp_path: Path) -> None:
    """Right, a day or ten minutes ahead or behind: what is proven is kept, and what comes later has a later place."""
    settings = InboxSettings(address="unused", token=TOKEN, signature_key=KEY)
    signed: dict[str, Callable[[bytes], dict[str, str]]] = {"close": close_headers, "copera": copera_headers}
    clock = VirtualTime()

    async def parts(body: bytes) -> AsyncIterator[bytes]:
        yield body

    async def sent(body: bytes) -> int:
        given = {name.lower(): value for name, value in (signed[crm](body) if crm in signed else COPPER).items()}
        receiver = Receiver(settings, spool, clock.time)
        await receiver.start()
        status = await receiver.receive(f"/{crm}/{TOKEN}", given, parts(body))
        await receiver.stop()
        return status

    wrong = (0.0, DAY, -DAY, TEN_MINUTES, -TEN_MINUTES, 0.0)
    address = str(tmp_path / "inbox.sqlite")
    with closing(Spool.open(address, now=lambda: datetime.fromtimestamp(clock.time(), UTC))) as spool:
        for clock.passed in wrong:
            assert asyncio.run(sent(f"{clock.passed}".encode())) == 200
        sent_ones = [f"{one}" for one in wrong]
        assert [body for body in kept(spool, crm) if body in sent_ones] == sent_ones  # others say: a while is missing

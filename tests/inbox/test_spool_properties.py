"""Whatever happens to an inbox in whatever order: no event is lost, none comes twice, and their order stays."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tap_crm.inbox.spool import Spool
from tests.inbox.deliveries import Clock, delivery

CRMS = st.sampled_from(["copper", "close"])


class Inbox(RuleBasedStateMachine):
    """An inbox, a reader of each CRM, and what they should have seen."""

    def __init__(self) -> None:
        """Open an empty one."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.spool = self.open()
        self.sent: dict[str, list[str]] = {"copper": [], "close": []}
        self.seen: dict[str, list[str]] = {"copper": [], "close": []}
        self.places = {"copper": 0, "close": 0}
        self.confirmed = {"copper": 0, "close": 0}
        self.given: list[int] = []

    def open(self) -> Spool:
        """Open it, maybe as another process."""
        return Spool.open(str(Path(self.folder.name) / "inbox.sqlite"), now=self.clock)

    def teardown(self) -> None:
        """Close it."""
        self.spool.close()
        self.folder.cleanup()

    @rule(crms=st.lists(CRMS, min_size=1, max_size=5), size=st.integers(0, 50))
    def append(self, crms: list[str], size: int) -> None:
        """Keep some deliveries in one commit."""
        deliveries = []
        for crm in crms:
            body = f"{sum(map(len, self.sent.values()))}:{'x' * size}"
            self.sent[crm].append(body)
            deliveries.append(delivery(body, crm, self.clock()))
        self.given.append(self.spool.append(deliveries))

    @rule(crm=CRMS)
    def note_gap(self, crm: str) -> None:
        """Note a gap: it has a place as events have."""
        self.given.append(self.spool.note_gap(crm, self.clock(), "a test"))

    @rule(crm=CRMS, limit=st.integers(1, 4))
    def read(self, crm: str, limit: int) -> None:
        """Go on reading where the reader stands."""
        for event in self.spool.read(crm, self.places[crm], limit):
            assert event.place > self.places[crm]
            self.places[crm] = event.place
            if event.kind == "delivery":
                self.seen[crm].append(event.body.decode())

    @rule(crm=CRMS)
    def forget_what_was_not_confirmed(self, crm: str) -> None:
        """The tap dies: its next run goes on at the last confirmed place, and sees what came since again."""
        self.places[crm] = self.confirmed[crm]
        again = {event.body.decode() for event in self.spool.read(crm, self.places[crm], 10_000)}
        self.seen[crm] = [body for body in self.seen[crm] if body not in again]

    @rule(crm=CRMS)
    def confirm(self, crm: str) -> None:
        """Confirm what was read."""
        self.spool.confirm(crm, self.places[crm])
        self.confirmed[crm] = max(self.confirmed[crm], self.places[crm])

    @rule(days=st.integers(-2, 5))
    def move_clock(self, days: int) -> None:
        """Let time pass; clocks also go back."""
        self.clock.move(days=days)

    @rule(days=st.integers(0, 3), most=st.integers(0, 200), at_once=st.integers(1, 3))
    def retain(self, days: int, most: int, at_once: int) -> None:
        """Remove what may be removed."""
        self.spool.retain(days, most, at_once)

    @rule()
    def open_again(self) -> None:
        """Go on in another process."""
        self.spool.close()
        self.spool = self.open()

    @invariant()
    def all_that_was_not_confirmed_is_there(self) -> None:
        """What a reader saw, and what still waits for it, is what was sent, in its order, each once."""
        for crm, sent in self.sent.items():
            waiting = self.spool.read(crm, self.places[crm], 10_000)
            assert self.seen[crm] + [event.body.decode() for event in waiting if event.kind == "delivery"] == sent

    @invariant()
    def places_rise(self) -> None:
        """None is given twice."""
        assert self.given == sorted(set(self.given))


TestInbox = Inbox.TestCase
TestInbox.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)

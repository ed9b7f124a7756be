"""Finds out what became of writes that were sent and not answered, before anything is sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from target_crm.sync.items import DELETED, REJECTED, UNKNOWN
from target_crm.sync.sending import pairs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_crm.contract import Field, Snapshot, Write
    from target_crm.journal.journal import Journal
    from target_crm.sync.ends import Ends
    from target_crm.sync.fields import Names
    from target_crm.sync.items import Item, StreamRun
    from target_crm.sync.looking import Looking
    from target_crm.sync.sending import Sending
    from target_crm.sync.steps import Steps

#: How often a record is sent at most.
MOST_ATTEMPTS = 3
#: What the CRM says it made so long before we sent it may be ours all the same: clocks differ.
CLOCKS_DIFFER = 300.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
NO_KEY = (
    "it was sent, no answer tells whether it took effect, and the CRM cannot be asked for it: there is no "
    "`external_id`. It is not sent again; look in the CRM, then `target-crm-journal drop` its key to let it be made"
)
NOT_CONCLUSIVE = "it was sent {attempts} times, and no answer tells whether it took effect"


class Uncertain:
    """The items of one run of which nobody knows whether they were written.

    Args:
        looking: asks the CRM.
        ends: takes those of which it is known.
        journal: knows which records are of other keys.
        names: returns what the names in an item's record mean.
        lookup_seconds: for how long an index may lag.
        sleep: waits; returns at once when the run is ending.
        now: epoch seconds.
    """

    def __init__(  # noqa: PLR0913 - it is made in one place
        self,
        looking: Looking,
        ends: Ends,
        journal: Journal,
        names: Callable[[Item], Names],
        *,
        lookup_seconds: float,
        sleep: Callable[[float], None],
        now: Callable[[], float],
    ) -> None:
        self._looking = looking
        self._ends = ends
        self._journal = journal
        self._names = names
        self._lookup_seconds = lookup_seconds
        self._sleep = sleep
        self._now = now
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        """Take an item; one that was sent before clocks were set back counts as sent just now."""
        if item.sent is not None:
            item.sent = min(item.sent, self._now())
        self.items.append(item)

    def holds(self, run: StreamRun, keys: set[str]) -> bool:
        """Tell whether one of these keys is uncertain, of this stream or of another one of its object."""
        return any(item.stream.spec.name == run.spec.name and item.key in keys for item in self.items)

    def settle_all(self, steps: Steps, sending: Sending) -> None:
        """Ask until all are settled."""
        wait = FIRST_WAIT
        while self.items:
            self.settle_some(steps, sending)
            if self.items:
                left = min(self._deadline(item) for item in self.items) - self._now()
                self._sleep(max(0.0, min(wait, left)))
                wait = min(2 * wait, LONGEST_WAIT)

    def settle_some(self, steps: Steps, sending: Sending) -> None:
        """Ask once, and send again what is certainly not there."""
        items, self.items = self.items, []
        while items:
            run = items[0].stream
            own = [item for item in items if item.stream is run]
            items = [item for item in items if item.stream is not run]
            try:
                self._settle(run, own, steps, sending)
            except errors.ReadError as error:
                if ends_the_run(error):
                    raise
                self._ends.stop(run, str(error))
                for item in [one for one in own if one in self._ends.live and one not in self.items]:
                    self._ends.leave_out(item, str(run.stopped))
        self._ends.settle()

    def _settle(self, run: StreamRun, items: Sequence[Item], steps: Steps, sending: Sending) -> None:
        there = [item for item in items if item.crm_id is not None]
        for item in there:
            item.found = None
        gone: set[Item] = set()
        again = steps.read(run, there)
        for item in items:
            if item.crm_id is None and item.is_deletion:
                self._ends.end(item, DELETED)
                gone.add(item)
        again = [item for item in again if item not in gone]
        sought = [item for item in items if item.crm_id is None and not item.is_deletion]
        for fields, group in self._by_fields(sought):
            again.extend(self._find(run, fields, group))
        sending.send(run, pairs_of(again, lambda item: self._planned(item, steps)))

    def _by_fields(self, items: Sequence[Item]) -> list[tuple[tuple[Field, ...], list[Item]]]:
        """Return the items by the fields that tell their record from all others; those without any are unknown."""
        groups: dict[tuple[Field, ...], list[Item]] = {}
        for item in items:
            fields = self._telling(item)
            if fields is None:
                self._ends.end(item, UNKNOWN, NO_KEY, leaves_open=True)
            else:
                groups.setdefault(fields, []).append(item)
        return list(groups.items())

    def _telling(self, item: Item) -> tuple[Field, ...] | None:
        names = self._names(item)
        if names.external is not None:
            return (names.external,)
        if item.stream.spec.composite:
            return names.matching(item.stream.spec.composite)
        unique = [field for field in item.wanted if field.name in item.stream.spec.unique and item.wanted[field]]
        return (unique[0],) if unique else None

    def _find(self, run: StreamRun, fields: tuple[Field, ...], items: Sequence[Item]) -> list[Item]:
        """Return the items that go on: found, or certainly not there."""
        since = min(item.sent or 0.0 for item in items) - CLOCKS_DIFFER
        found = self._looking.find(run, fields, items, since)
        going_on = []
        taken = self._of_others(run, items, list(found.values())) if run.spec.repeats else set()
        for item, records in found.items():
            own = [record for record in records if _may_be_ours(record, item) and str(record.id) not in taken]
            if run.spec.repeats:
                own = own[:1]
                taken.update(str(record.id) for record in own)
            if len(own) > 1:
                ids = ", ".join(sorted(str(record.id) for record in own))
                self._ends.end(item, REJECTED, f"the CRM has more than one record that matches: {ids}")
            elif own:
                item.find(own[0])
                item.made = True
                going_on.append(item)
            elif self._now() < self._deadline(item):
                self.items.append(item)
            else:
                going_on.append(item)
        return going_on

    def _of_others(self, run: StreamRun, items: Sequence[Item], found: Sequence[Sequence[Snapshot]]) -> set[str]:
        """Return the ids of those records that were found and are known to be of other keys."""
        keys = {item.key for item in items}
        owners = self._journal.keys_of(run.name, {str(record.id) for records in found for record in records})
        return {crm_id for crm_id, owner in owners.items() if owner not in keys}

    def _planned(self, item: Item, steps: Steps) -> Write | None:
        """Return what is still to be sent; None where nothing is, or where it was sent often enough."""
        write = steps.plan(item)
        if write is None or item.attempts < MOST_ATTEMPTS:
            return write
        self._ends.end(item, UNKNOWN, NOT_CONCLUSIVE.format(attempts=item.attempts), leaves_open=True)
        return None

    def _deadline(self, item: Item) -> float:
        return (item.sent or 0.0) + self._lookup_seconds


def ends_the_run(error: errors.ReadError) -> bool:
    """Tell whether other streams can be written no more either; else only the one that could not be asked for stops."""
    return isinstance(error, errors.CredentialsRefused) or (isinstance(error, errors.GaveUp) and error.is_over_all)


def _may_be_ours(record: Snapshot, item: Item) -> bool:
    """Tell whether a record was made since we sent ours."""
    return record.created is None or item.sent is None or record.created >= item.sent - CLOCKS_DIFFER

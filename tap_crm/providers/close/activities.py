"""Close's activities, a list for each type, bounded by creation only (developer.close.com: activities).

What the creation time does not tell comes from the event log: the ids of activities that were edited, or entered late
with an old date, since the last run. These are read again by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tap_crm import errors
from tap_crm.messages import Checkpoint, Page, Told
from tap_crm.providers.close.answers import USUAL_SIZE, ask_page, get, list_answer, page_sizes, rows_of
from tap_crm.providers.close.deletions import ToldDeletions
from tap_crm.providers.close.events import changes_since
from tap_crm.providers.close.lists import ListListing, ask_one
from tap_crm.reading.answer import Answer
from tap_crm.reading.keyset_changes import KeysetChanges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Item
    from tap_crm.transport.question import Question, Reply

#: Ids in one question: Close advises to keep an address below about 2,000 characters.
IDS_AT_ONCE = 30
_TIMES = ("date_created",)


@dataclass(frozen=True, slots=True)
class Activities:
    """A stream of one type of activity.

    Attributes:
        path: such as ``/activity/note/``.
        object_type: its name in the event log, such as ``activity.note``.
        is_told: False where Close's list of event types does not have it: the log may be silent on it.
    """

    path: str
    object_type: str
    is_told: bool = True
    reads_event_log: ClassVar[bool] = True

    def read(self, reading: Reading) -> None:
        """Read what was created since the bookmark, less the look-back; then what the event log tells of others."""
        told = changes_since(reading, self.object_type)
        changes, told_until = told or ({}, None)
        gone = ToldDeletions(reading, self.object_type) if self.is_told else None
        pending = {key for key, change in changes.items() if not change.deleted}

        def emit(item: Item) -> None:
            if pending and isinstance(item, Page) and item.rows is not None:
                pending.difference_update(str(row.key) for row in item.kept(item.rows))
            reading.emit(item)

        listing = ListListing(reading, self.path, _TIMES, USUAL_SIZE, ascending=False, label=reading.spec.name)
        complete = KeysetChanges(
            listing,
            by="date_created",
            along="date_created",
            emit=emit,
            ledger=reading.ledger,
            lanes=reading.lanes,
            # An empty answer is believed where the log would tell of what it hides.
            confirm_empty=lambda: told_until is None or not self.is_told,
            # In later runs a bookmark would pass what the log tells, which is read at the end.
            checkpoints=reading.bookmark is None,
            whole=listing,
            concludes=reading.concludes,
            steps=reading.in_steps,
        ).read(reading.since)
        self._read_by_id(reading, sorted(pending))
        if gone is not None:
            gone.emit()
        if reading.told_to is not None:
            reading.emit(Told(reading.told_to if told_until is None else told_until))
        reading.emit(Checkpoint(complete if told_until is None else min(complete, told_until)))

    def probe(self, reading: Reading) -> None:
        """Ask for one activity."""
        ask_one(reading, self.path)

    def _read_by_id(self, reading: Reading, keys: Sequence[str]) -> None:
        """Read activities by id, some at a time; those that are gone meanwhile are no error."""
        together = True
        step = page_sizes(reading).of(self.path, IDS_AT_ONCE)
        for start in range(0, len(keys), step):
            some = keys[start : start + step]
            missing = self._read_together(reading, some) if together else None
            if missing:  # gone, or the answer lacked them: what a second one lacks, too, is gone
                some, missing = missing, self._read_together(reading, missing)
            if missing is None:
                together = False
                self._read_one_by_one(reading, some)

    def _read_together(self, reading: Reading, keys: Sequence[str]) -> list[str] | None:
        """Read activities by their ids; returns those that did not come, None where ``id__in`` is of no use."""
        answer = self._ask_together(reading, keys)
        if answer is None:
            return None
        _emit_within_scope(reading, answer)
        found = {row.key for row in answer.rows}
        return [key for key in keys if key not in found]

    def _ask_together(self, reading: Reading, keys: Sequence[str]) -> Answer | None:
        """Return activities by their ids; None where the CRM does not heed or know ``id__in``."""

        def build(asked: int) -> Question:
            return get(self.path, f"{reading.spec.name}, by id", {"id__in": ",".join(keys), "_limit": asked})

        try:
            answer: Answer = ask_page(
                reading,
                self.path,
                USUAL_SIZE,
                build,
                lambda reply, asked: list_answer(reply, asked, 0, _TIMES),
            )
        except errors.Refused:
            return None
        heeded = all(row.key in keys for row in answer.rows) and answer.after is None
        return answer if heeded else None

    def _read_one_by_one(self, reading: Reading, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                answer = reading.ask(get(f"{self.path}{key}/", f"{reading.spec.name}, one by id"), _one)
            except errors.NotThere:
                continue
            _emit_within_scope(reading, answer)


def _emit_within_scope(reading: Reading, answer: Answer) -> None:
    """Emit the activities that a complete read would have, too: created since ``start_date``."""
    start = reading.settings.start_date
    created = [row.times[0] for row in answer.rows]
    keep = [at for at, time in enumerate(created) if start is None or time is None or time >= start]
    reading.ledger.add(pages=1, distinct=len(keep))
    if keep:
        reading.emit(answer.page(keep))


def _one(reply: Reply) -> Answer:
    """Return a single record as a page of one."""
    body = b"[" + reply.body + b"]"
    return Answer(rows_of(body, _TIMES), body, None, None, 1, reply.server_time, times=_TIMES)

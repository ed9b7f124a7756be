"""What Close's event log tells of deleted objects, for 30 days (developer.close.com: event log, merging leads).

Lists only lack what is deleted. Its event has the whole record for keys of administrators: that is emitted once more,
with the time of its deletion. An event without the record is not: a row of nulls would replace what was loaded. The
next reconcile finds those.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm import errors
from tap_crm.messages import Checkpoint, Page, Told, ToldGone
from tap_crm.providers.close.events import EventLog, event_log, is_read_anyway, log_since, plain
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.shaping.schema import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Emit, Item

#: Where a deleted lead says into which other one it was merged.
MERGED_INTO = "merged_into"
#: What a record has in any case; an event that lacks it does not hold the whole record.
_ALWAYS_THERE = "date_created"
DELETED, _MERGED = "deleted", "merged"


class _Meta(msgspec.Struct, frozen=True):
    merge_source_lead_id: str | None = None
    merge_destination_lead_id: str | None = None


class ToldEvent(msgspec.Struct, frozen=True):
    """What an event of the log, or a delivered one, says of an object."""

    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    date_updated: str | None = None
    previous_data: Any = None
    data: Any = None
    meta: Any = None


class _Events(msgspec.Struct, frozen=True):
    data: list[ToldEvent]


_EVENTS = msgspec.json.Decoder(_Events, float_hook=Decimal)


class ToldDeletions:
    """Objects of one kind that were deleted since the bookmark, with their last content.

    Args:
        reading: the read for which they are wanted.
        object_type: as the log calls it; ``task`` stands for all kinds of tasks.
        nested: fields of the record that are streams of their own.

    Attributes:
        until: the epoch second up to which the log tells; None where it tells nothing.
    """

    def __init__(self, reading: Reading, object_type: str, nested: frozenset[str] = frozenset()) -> None:
        self._reading, self._type, self._nested = reading, object_type, nested
        self._records: dict[str, dict[str, Any]] = {}
        self._at: dict[str, int] = {}
        self._gone: list[tuple[int, int | None]] = []
        self.until: int | None = None
        if reading.told_to is None:
            return
        try:
            self._learn(log_since(reading, reading.told_to))
        except (errors.Forbidden, errors.NotThere, errors.Refused) as error:
            reading.ledger.note(f"deletions are found by the reconcile only: {error}")

    def _learn(self, since: int) -> None:
        """Take from the log what was deleted; of an object, its newest event counts."""
        newest: dict[str, tuple[int, ToldEvent]] = {}
        merged: dict[str, str] = {}
        for at, event in self._events(since):
            source, destination = merge_of(event)
            if source is not None and destination is not None:
                merged[source] = destination
            if event.object_id is None:
                continue
            known = newest.get(event.object_id)
            if known is None or (known[0], known[1].action == DELETED) < (at, event.action == DELETED):
                newest[event.object_id] = (at, event)
        gone = {key: told for key, told in newest.items() if told[1].action == DELETED}
        if self._type == "lead" and gone.keys() - merged.keys():
            merged.update(self._merged_elsewhere(since))
        untold = [key for key, (_, event) in gone.items() if not has_the_record(event)]
        self._gone = [(at, None) for at, _ in (gone[key] for key in untold)]
        if untold:
            self._reading.ledger.note(
                f"{len(untold)} deletions were told without the record; the next reconcile marks them"
            )
        for key, (at, event) in gone.items():
            if key not in untold and not self._was_never_wanted(event.previous_data):
                self._at[key] = at
                self._gone.append((at, to_epoch(event.previous_data[_ALWAYS_THERE])))
                into = merged.get(key) if self._type == "lead" else None
                self._records[key] = last_content(key, at, event, self._nested, into)

    def _was_never_wanted(self, record: dict[str, Any]) -> bool:
        """Tell whether ``start_date`` kept the record from being loaded."""
        start = self._reading.settings.start_date
        at = to_epoch(record.get(self._reading.spec.replication_key or ""))
        return start is not None and at is not None and at < start

    def _events(self, since: int) -> Iterator[tuple[int, ToldEvent]]:
        """Yield what the log has of the kind: a log that is read anyway, or one of its deletions only."""
        reading = self._reading
        log = event_log(reading) if is_read_anyway(reading) or self._type == "task" else self._narrow(DELETED)
        yield from self._of_kind(log, since)
        self.until = log.began() - BEHIND_THE_CLOCK

    def _narrow(self, action: str) -> EventLog:
        only = {"object_type": self._type, "action": action}
        return self._reading.once_per_run.get(("events", self._type, action), lambda: EventLog(only=only))

    def _of_kind(self, log: EventLog, since: int) -> Iterator[tuple[int, ToldEvent]]:
        wanted = plain(self._type)
        for body, times in log.pages(self._reading, since):
            for event, at in zip(_EVENTS.decode(body).data, times, strict=True):
                kind = plain(event.object_type or "")
                is_wanted = kind.startswith(wanted) if wanted == "task" else kind == wanted
                if is_wanted and at is not None and at >= since:
                    yield at, event

    def _merged_elsewhere(self, since: int) -> Mapping[str, str]:
        """Return which leads were merged into which others, where the log of deletions does not say it."""
        if is_read_anyway(self._reading):
            return {}
        merges = (merge_of(event) for _, event in self._of_kind(self._narrow(_MERGED), since))
        return {source: into for source, into in merges if source is not None and into is not None}

    def watching(self, emit: Emit) -> Emit:
        """Return an emit that forgets what a page shows as changed after its deletion: it was restored.

        A checkpoint on the way does not pass what comes at the end: a run that dies would never tell it.
        """
        if not self._records:
            return emit
        first = min(self._at.values())

        def watch(item: Item) -> None:
            if isinstance(item, Checkpoint):
                item = Checkpoint(min(item.at, first - 1))
            if isinstance(item, Page):
                for row, (changed,) in item.told(["date_updated"]) or ():
                    if changed is not None and changed > self._at.get(str(row.key), changed):
                        self._records.pop(str(row.key), None)
            emit(item)

        return watch

    def emit(self) -> None:
        """Emit what was deleted; after all pages, which may be older."""
        before = self._reading.told_to or 0  # what the last run told is told again
        if self._records:
            self._reading.emit(Page(records=list(self._records.values())))
            self._reading.ledger.add(deletions=sum(self._at[key] > before for key in self._records))
        news = [created for at, created in self._gone if at > before]
        if news:
            self._reading.emit(ToldGone(news))
        if self._reading.told_to is not None:  # where the log was not readable, its place stays
            self._reading.emit(Told(self._reading.told_to if self.until is None else self.until))


def last_content(
    key: str, at: int, event: ToldEvent, nested: frozenset[str] = frozenset(), merged_into: str | None = None
) -> dict[str, Any]:
    """Return the record that an event tells to be deleted, as the stream has it.

    Args:
        key: of the record.
        at: when it was deleted, in epoch seconds.
        event: tells of it, and has the record.
        nested: fields of the record that are streams of their own.
        merged_into: the lead that it went into; None for none.
    """
    kept = {name: value for name, value in event.previous_data.items() if name not in nested}
    merged = {} if merged_into is None else {MERGED_INTO: merged_into}
    return {**kept, "id": key, DELETED_AT: from_epoch(at), **merged}


def has_the_record(event: ToldEvent) -> bool:
    """Tell whether an event that tells of a deletion has all that the record was."""
    record = event.previous_data
    return isinstance(record, dict) and record.get(_ALWAYS_THERE) is not None


def merge_of(event: ToldEvent) -> tuple[str | None, str | None]:
    """Return the lead that a merge ended and the one that it left, if the event is part of one."""
    try:
        meta = msgspec.convert(event.meta, _Meta)
    except msgspec.ValidationError:
        return None, None
    return meta.merge_source_lead_id, meta.merge_destination_lead_id


def told_until(complete: int, told: ToldDeletions) -> int:
    """Return up to where a stream is read: no further than the log was."""
    return complete if told.until is None else min(complete, told.until)

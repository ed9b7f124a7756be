"""Close's event log: the last 30 days, newest first (developer.close.com: event log).

It is read once per run, however many streams need it: the stream ``events`` to emit it, those of activities to learn
which of them were edited, or entered late with an old date, which no filter of their own tells.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, ClassVar

import msgspec

from tap_crm import errors
from tap_crm.config.settings import DAY
from tap_crm.contract.newest import Newest
from tap_crm.messages import Checkpoint, Page
from tap_crm.providers.close.answers import DATA, ask_page, get, moment
from tap_crm.providers.close.event_slices import (
    MOST_AT_ONCE,
    PAGES_AT_FIRST,
    PAGES_BEFORE_A_CUT,
    Slice,
    Unbounded,
    walk_side_by_side,
)
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.reading.no_news import NoNews
from tap_crm.shaping.moments import to_epoch
from tap_crm.transport.question import Doubtful
from tap_crm.transport.spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Question, Reply

PATH = "/event/"
#: The most that a page of the log has.
PAGE_SIZE = 50
#: Close keeps events for so long.
DAYS_KEPT = 30
#: Events become visible late and out of order: so many seconds before the bookmark are always read again.
OVERLAP = 300


class _Event(msgspec.Struct, frozen=True):
    """What an event says about an object."""

    id: str
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    date_updated: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    data: list[_Event]
    cursor_next: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Change:
    """The newest event of an object: when it came, in epoch seconds, and whether the object is gone since."""

    at: int
    deleted: bool


@dataclass(slots=True)
class _Stored:
    """Where a page of the log lies in the spool, the times of its events, and which of them it was asked for."""

    offset: int
    length: int
    times: list[int | None]
    part: Slice


@dataclass(slots=True, eq=False)
class EventLog:
    """The log of one run, read back as far as it is needed, kept in a file that is closed with it.

    Attributes:
        only: parameters that narrow it down; a log that several streams share has none.
    """

    only: Mapping[str, str] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _storing: threading.Lock = field(default_factory=threading.Lock)
    _file: IO[bytes] = field(default_factory=spooled)
    _pages: list[_Stored] = field(default_factory=list)
    _reached: float | None = None
    _began: int | None = None
    _changes: dict[str, dict[str, Change]] = field(default_factory=dict)
    _changes_since: float | None = None
    _closed: errors.ReadError | None = None
    _usual: int = PAGE_SIZE

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def pages(self, reading: Reading, since: int | None) -> Iterator[tuple[bytes, list[int | None]]]:
        """Yield every page down to ``since``: the answer, and the time of each event in it."""
        for body, times, _ in self.own_pages(reading, since):
            yield body, times

    def own_pages(self, reading: Reading, since: int | None) -> Iterator[tuple[bytes, list[int | None], Slice]]:
        """Yield every page, and the times that it was asked for: what it has of others is on other pages, too."""
        self.read_back(reading, since)
        for stored in list(self._pages):
            yield self._body(stored), stored.times, stored.part

    def changes(self, reading: Reading, object_type: str, since: int) -> dict[str, Change]:
        """Return what happened since then to the objects of a type, by their ids."""
        self.read_back(reading, since)
        with self._lock:  # another stream may index the log anew, further back
            if self._changes_since is None or since < self._changes_since:
                self._index(since)
            changes = self._changes.get(plain(object_type), {})
            return {key: change for key, change in changes.items() if change.at >= since}

    def is_silent(self, reading: Reading, prefix: str, since: int) -> bool:
        """Tell whether nothing happened since then to any object whose type begins so."""
        self.read_back(reading, since)
        with self._lock:
            if self._changes_since is None or since < self._changes_since:
                self._index(since)
            return not any(
                change.at >= since
                for object_type, changes in self._changes.items()
                if object_type.startswith(prefix)
                for change in changes.values()
            )

    def began(self) -> int:
        """Return the server's time when the log was first asked for."""
        assert self._began is not None  # noqa: S101 - it was read before
        return self._began

    def read_back(self, reading: Reading, since: int | None) -> None:
        """Read the log down to a second; what was read before is not asked for again.

        Raises:
            ReadError: the key may not read the log, or every retry failed. Who asks next is told so at once.
        """
        with self._lock:
            if self._reached is not None and since is not None and self._reached <= since:
                return
            if self._closed is not None:
                raise self._closed
            needed = _needed_since(reading)
            if not self.only:
                since = None if since is None or needed is None else min(since, needed)
            target = float("-inf") if since is None else float(since)
            if self._reached is not None and self._reached <= target:
                return
            try:
                self._walk_at_all(reading, since)
            except errors.ReadError as error:
                self._closed = error
                raise
            self._reached = target

    def _walk_at_all(self, reading: Reading, since: int | None) -> None:
        before = len(self._pages)
        try:
            self._walk(reading, since, reading.lanes)
        except Unbounded:
            reading.ledger.note("the event log does not heed times: it is read one page after the other")
            del self._pages[before:]
            self._walk(reading, since, 1)

    def _walk(self, reading: Reading, since: int | None, lanes: int) -> None:
        """Read what is not here yet: a few pages, then what is left in slices of time side by side."""
        whole = Slice(since, None if self._reached is None else int(self._reached) + 1)  # newer ones are here already
        if self.only or lanes == 1:
            self._walk_slice(reading, whole, None)
            return
        # A first run reads a month of it, others what came since: mostly a few pages, which are no work for slices.
        rest = self._walk_slice(reading, whole, PAGES_AT_FIRST if since is None else PAGES_BEFORE_A_CUT)
        if rest is not None:
            oldest = int(reading.transport.clock.now()) - DAYS_KEPT * DAY
            walk_side_by_side(
                rest.parts(lanes, oldest),
                MOST_AT_ONCE,
                lambda part: self._walk_slice(reading, part, PAGES_BEFORE_A_CUT),
            )

    def _walk_slice(self, reading: Reading, part: Slice, most: int | None) -> Slice | None:
        """Read a slice, so many pages at most; return what is left of it."""
        params: dict[str, str | int] = {**self.only}
        if part.low is not None:
            params["date_updated__gte"] = moment(part.low)
        if part.high is not None:
            params["date_updated__lt"] = moment(part.high)
        cursor: str | None = None
        no_news, last = NoNews("events"), [""]
        stored: list[_Stored] = []
        while True:
            answer, reply = self._ask(reading, params, cursor)
            page = self._store(reply, answer.data, part)
            stored.append(page)
            known = [at for at in page.times if at is not None]
            if cursor is None and most is not None and part.high is not None and max(known, default=0) > part.high:
                # The bound has no effect: newest first, the whole log down to the slice would be read once more.
                raise Unbounded
            cursor = answer.cursor_next or None
            if cursor is None or (part.low is not None and known and max(known) < part.low):
                return None
            no_news.follow(cursor)
            ids = [event.id for event in answer.data]
            no_news.heed(is_new=bool(ids) and ids != last)
            last = ids
            rest = part.below(min(known)) if most is not None and len(stored) >= most and known else None
            if rest is not None:
                for one in stored:
                    one.part = Slice(rest.high, part.high)
                return rest

    def _ask(self, reading: Reading, params: dict[str, str | int], cursor: str | None) -> tuple[_Answer, Reply]:
        """Ask for a page; an empty one is believed when it came twice."""
        # Filters go with every cursor. Bounds need not, and are not sure to be honoured: `_walk` stops by itself.
        sent = params if cursor is None else {**self.only, "_cursor": cursor}

        def build(asked: int) -> Question:
            return get(PATH, "events" if cursor is None else "events, next page", {**sent, "_limit": asked})

        def ask() -> tuple[_Answer, Reply]:
            reading.ledger.add(pages=1)
            return ask_page(reading, PATH, PAGE_SIZE, build, _parse, at_start=cursor is None)

        found = ask()
        if self._is_doubtful(found[0]):
            again = ask()
            if len(again[0].data) == len(found[0].data) > 0:
                self._usual = len(again[0].data)  # the CRM gives shorter pages than asked for
            found = max(found, again, key=lambda one: len(one[0].data))
        return found

    def _is_doubtful(self, answer: _Answer) -> bool:
        """Tell whether a page has no events, or fewer than others though there are more behind it."""
        if answer.cursor_next:
            return len(answer.data) < self._usual
        # That nothing of one kind happened is what most runs find; the reconcile would show it if it were not so.
        return not answer.data and not self.only

    def _store(self, reply: Reply, events: Sequence[_Event], part: Slice) -> _Stored:
        times = [to_epoch(event.date_updated) for event in events]
        with self._storing:
            now = int(reply.server_time)
            self._began = now if self._began is None else self._began
            self._file.seek(0, io.SEEK_END)
            page = _Stored(self._file.tell(), len(reply.body), times, part)
            self._pages.append(page)
            self._file.write(reply.body)
        return page

    def _body(self, stored: _Stored) -> bytes:
        with self._storing:
            self._file.seek(stored.offset)
            return self._file.read(stored.length)

    def _index(self, since: int) -> None:
        """Note the newest event of each object since then."""
        self._changes = {}
        self._changes_since = since
        for stored in self._pages:
            if all(at is not None and at < since for at in stored.times):
                continue
            for event, at in zip(_ANSWER.decode(self._body(stored)).data, stored.times, strict=True):
                if event.object_type is None or event.object_id is None:
                    continue
                changes = self._changes.setdefault(plain(event.object_type), {})
                known, change = changes.get(event.object_id), Change(at or 0, event.action == "deleted")
                if known is None or (known.at, known.deleted) < (change.at, change.deleted):
                    changes[event.object_id] = change


def _parse(reply: Reply, asked: int) -> tuple[_Answer, Reply]:  # noqa: ARG001 - pages may be shorter than asked for
    answer = _ANSWER.decode(reply.body)
    if any(not event.id for event in answer.data):
        raise Doubtful("an event has no id")
    return answer, reply


def plain(object_type: str) -> str:
    """Return the type of an object without what differs between Close's pages: ``activity.email_thread``."""
    return object_type.replace("_", "").replace(".", "").lower()


def event_log(reading: Reading) -> EventLog:
    """Return the log that the streams of this run share."""
    return reading.once_per_run.get(EventLog, EventLog)


@dataclass(frozen=True, slots=True)
class Events:
    """The stream ``events``."""

    path: ClassVar[str] = PATH
    reads_event_log: ClassVar[bool] = True

    def read(self, reading: Reading) -> None:
        """Emit the log from the bookmark on, less the overlap: events become visible late and out of order."""
        log = event_log(reading)
        since = reading.since
        for body, times, part in log.own_pages(reading, since):
            keep = [
                at
                for at, time in enumerate(times)
                if time is None or ((since is None or time >= since) and part.has(time))
            ]
            if keep:
                reading.ledger.add(distinct=len(keep))
                reading.emit(Page(body, None if len(keep) == len(times) else keep, within=DATA))
        reading.emit(Checkpoint(log.began() - BEHIND_THE_CLOCK))

    def probe(self, reading: Reading) -> None:
        """Ask for one event."""
        reading.ask(get(PATH, reading.spec.name, {"_limit": 1}), lambda reply: _parse(reply, 1))

    def newest(self, reading: Reading) -> Newest:
        """Ask for the last page of the log; an event that was consolidated comes again with a later time."""
        params: dict[str, str | int] = {"_limit": PAGE_SIZE}
        if reading.since is not None:
            params["date_updated__gte"] = moment(reading.since)
        answer, _ = reading.ask(get(PATH, "event log", params), lambda reply: _parse(reply, PAGE_SIZE))
        times = [to_epoch(event.date_updated) for event in answer.data]
        versions = frozenset((event.id, event.date_updated) for event in answer.data)
        return Newest(versions, max((at for at in times if at is not None), default=None))


def _needed_since(reading: Reading) -> int | None:
    """Return how far back the streams of this run need the log: so it is walked once, not once for each of them."""
    needs = [
        log_since(reading, told_to)
        for spec, told_to in reading.selected
        if told_to is not None and hasattr(spec.source, "reads_event_log")
    ]
    whole = any(isinstance(spec.source, Events) and told_to is None for spec, told_to in reading.selected)
    own = [] if reading.told_to is None else [log_since(reading, reading.told_to)]
    return None if whole else min([*needs, *own], default=None)


def is_read_anyway(reading: Reading) -> bool:
    """Tell whether a stream of this run cannot do without the log; others look into it then, too."""
    return any(getattr(spec.source, "reads_event_log", False) for spec, _ in reading.selected)


def log_since(reading: Reading, bookmark: int) -> int:
    """Return from when on the log is wanted, for a bookmark."""
    return bookmark - max(reading.settings.overlap_seconds, OVERLAP)


def changes_since(reading: Reading, object_type: str) -> tuple[dict[str, Change], int] | None:
    """Return what the log tells of a type since the bookmark, and up to which second it tells it.

    None where it tells nothing: on a first run, which reads everything anyway, or where the key may not read the log.
    """
    if reading.told_to is None:
        return None
    since = log_since(reading, reading.told_to)
    if since < reading.transport.clock.now() - DAYS_KEPT * DAY:
        reading.ledger.note("the last run is longer ago than the event log reaches: older edits were not told")
    log = event_log(reading)
    try:
        changes = log.changes(reading, object_type, since)
    except (errors.Forbidden, errors.NotThere) as error:
        reading.ledger.note(f"edits within the look-back only: {error}")
        return None
    return changes, log.began() - BEHIND_THE_CLOCK


def log_is_silent(reading: Reading, prefix: str) -> bool:
    """Tell whether the log, where this run reads it anyway, has nothing of some types since the bookmark.

    An answer without any record is then believed at once, although it comes without a count.
    """
    if reading.bookmark is None or not is_read_anyway(reading):
        return False
    since = log_since(reading, reading.bookmark)
    if since < reading.transport.clock.now() - DAYS_KEPT * DAY:
        return False
    try:
        return event_log(reading).is_silent(reading, prefix, since)
    except errors.CredentialsRefused:
        raise
    except errors.ReadError:
        return False

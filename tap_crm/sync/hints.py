"""What waits in the inbox, as hints: the ids of records of each stream that are worth another look.

Nothing that an event says is taken for true but that: it may be late, out of order, there twice, or wrong. Bodies are
read some at a time and forgotten; what stays is an id for each record, however many events tell of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from tap_crm import errors
from tap_crm.contract.hints import GAP
from tap_crm.sync.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tap_crm.contract.hints import Arrived, Hint, HintRules, Inbox, Key
    from tap_crm.contract.stream import Provider, StreamSpec

_log = logging.getLogger("tap-crm")

#: Events that are in the memory at a time.
AT_ONCE = 500
#: Records of one stream whose ids are kept. Of more it pays to read the stream, and nothing is said of what was missed.
MOST_KEYS = 100_000


class Bookmarked(Protocol):
    """A stream of a run, as far as it matters where it goes on."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def spec(self) -> StreamSpec:
        """Its declaration."""

    @property
    def is_incremental(self) -> bool:
        """Whether it is read by a bookmark."""

    def starting_bookmark(self) -> int | None:
        """Return the bookmark in epoch seconds; None where the stream is read in full."""


@dataclass(slots=True)
class StreamHints:
    """What the events behind a stream's place say of it.

    Attributes:
        after: its place: events up to there were heeded by earlier runs.
        newest: the place up to which this run heeds them.
        keys: of the records, each with the place of the last event that says it is deleted; 0 where none does.
        firsts: of the records, each with the place of the first event that told of it.
        is_cut: there are more records than are kept.
        is_torn: events behind its place are not there any more.
        gap: since then, in epoch seconds, events may be missing that never arrived; None where that is not so.
    """

    after: int
    newest: int
    keys: dict[Key, int] = field(default_factory=dict)
    firsts: dict[Key, int] = field(default_factory=dict)
    is_cut: bool = False
    is_torn: bool = False
    gap: int | None = None

    def add(self, hint: Hint, place: int) -> None:
        """Take a hint; of a record that is known only what is new."""
        is_new = hint.key not in self.keys
        if is_new and len(self.keys) >= MOST_KEYS:
            self.is_cut = True
            return
        if is_new:
            self.firsts[hint.key] = place
        if hint.deleted:
            self.keys[hint.key] = place
        else:
            self.keys.setdefault(hint.key, 0)

    def add_gap(self, since: int) -> None:
        """Note that events may be missing since a time; of several gaps, the first counts."""
        self.gap = since if self.gap is None else min(self.gap, since)


class Hints:
    """The hints of one run; made before anything is read, and not changed then.

    Args:
        inbox: where the events wait.
        provider: the CRM's name.
        rules: how its events are understood.

    Attributes:
        delay: seconds after a change within which its event should have come.
        identity: of the inbox.

    Raises:
        CrmError: the inbox cannot be read.
    """

    def __init__(self, inbox: Inbox, provider: str, rules: HintRules) -> None:
        self._inbox, self._provider, self._rules = inbox, provider, rules
        self.delay, self.identity = rules.delay, inbox.identity()
        self._of: dict[str, StreamHints] = {}
        self.not_understood = 0

    def collect(self, places: Mapping[str, int | None], others: Collection[str] = ()) -> None:
        """Read what waits.

        Args:
            places: of the streams that this run reads, up to where each has heeded events. None for one that needs
                nothing of what came before.
            others: the streams that have heeded the events of another inbox: what waited there last, nobody knows.

        Raises:
            CrmError: the inbox cannot be read.
        """
        known = {stream: place for stream, place in places.items() if stream in self._rules.streams}
        given, removed = self._inbox.newest(self._provider), self._inbox.removed(self._provider)
        newest = given
        if any(place is not None and place > given for place in known.values()):
            # Kept in the inbox, it is heeded once: no state says otherwise that it is known already.
            newest = max(given, self._inbox.note_gap(self._provider, datetime.now(UTC), "the inbox was put back"))
        for stream, place in known.items():
            found = self._of[stream] = StreamHints(newest if place is None else place, newest)
            # A place beyond all events is of what was there before a copy was put back.
            found.is_torn = stream in others or (place is not None and not removed <= place <= given)
        after = min((one.after for one in self._of.values()), default=newest)
        while after < newest:
            events = self._inbox.read(self._provider, after, AT_ONCE)
            if not events:
                break
            for event in events:
                if event.place <= newest:
                    self._take(event)
            after = events[-1].place
        if self.not_understood:
            _log.warning(
                "%d events in the inbox are not of the documented form, and were passed over", self.not_understood
            )

    def _take(self, event: Arrived) -> None:
        if event.kind == GAP:
            since = _moment(event.body)
            for one in self._of.values():
                if event.place > one.after and since is not None:
                    one.add_gap(since)
            return
        hints = self._rules.parse(event.body)
        if hints is None:
            self.not_understood += 1
            return
        for hint in hints:
            stream = self._of.get(hint.stream)
            if stream is not None and event.place > stream.after:
                stream.add(hint, event.place)

    def of(self, stream: str) -> StreamHints | None:
        """Return what events say of a stream; None where the CRM sends none of it."""
        return self._of.get(stream)

    def body(self, place: int) -> bytes | None:
        """Return the body of an event once more; None if it is not there any more, or the inbox cannot be read."""
        try:
            found = self._inbox.read(self._provider, place - 1, 1)
        except errors.CrmError as error:
            _log.warning("an event cannot be read once more: %s", error)
            return None
        return found[0].body if found and found[0].place == place else None

    def close(self) -> None:
        """Close the inbox; called when the run is over."""
        self._inbox.close()


def hints_of(
    open_inbox: Callable[[], Inbox], provider: Provider, streams: Iterable[Bookmarked], kept: Mapping[str, StreamState]
) -> Hints | None:
    """Return what waits for the streams of a run; what the state says to be used already is confirmed.

    Args:
        open_inbox: opens the inbox.
        provider: the CRM.
        streams: those that this run reads.
        kept: what the state that the run was given has of each; a target has confirmed it.

    Returns:
        None where the CRM sends no events.

    Raises:
        CrmError: the inbox cannot be opened or read.
    """
    rules = provider.hints
    if rules is None:
        return None
    states = {one.name: (one, kept.get(one.name) or StreamState()) for one in streams if one.name in rules.streams}
    inbox = open_inbox()
    try:
        found = Hints(inbox, provider.name, rules)
        others = {name for name, (_, state) in states.items() if _is_of_other(state, found.identity)}
        places = {name: _place(stream, state, is_other=name in others) for name, (stream, state) in states.items()}
        others = {name for name in others if places[name] is not None}
        _tell_other(others)
        found.collect(places, others)
        used = [place for name, place in places.items() if place is not None and is_looked_up(states[name][0])]
        least = min(used, default=0)
        if least:
            inbox.confirm(provider.name, least)
    except BaseException:
        inbox.close()
        raise
    return found


def is_looked_up(stream: Bookmarked) -> bool:
    """Tell whether events have single records of a stream read again: what is read whole each run needs none."""
    return stream.spec.by_id is not None and stream.is_incremental


def _is_of_other(state: StreamState, identity: str) -> bool:
    return state.hints is not None and state.hints.is_of_other(identity)


def _tell_other(streams: Collection[str]) -> None:
    if streams:
        _log.warning(
            "the inbox is another one than the state knows: all that waits in it is heeded, and what waited in the "
            "other one is looked for by a complete read, or in the CRM's log of changes: %s",
            ", ".join(sorted(streams)),
        )


def _place(stream: Bookmarked, state: StreamState, *, is_other: bool) -> int | None:
    """Return up to where a stream has heeded events; None where a full read brings what lies before the newest one.

    Args:
        stream: the stream.
        state: what the state has of it.
        is_other: whether its place is one of another inbox, and says nothing of this one.
    """
    if is_looked_up(stream) and stream.starting_bookmark() is None:
        return None
    if state.hints is not None and not is_other:
        return state.hints.place
    return 0 if is_looked_up(stream) else None


def _moment(body: bytes) -> int | None:
    """Return the time that the body of a gap names, in epoch seconds."""
    try:
        found = datetime.fromisoformat(body.decode().strip())
    except (ValueError, UnicodeDecodeError):
        return None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())

"""Judges what is known: whether each stream is complete and fresh, and what is to be done, the worst first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from tap_crm.report.advice import UNKNOWN, advice_on
from tap_crm.report.facts import DAY, Account, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Of answers that the CRM gives, so many say that the rate limit is reached, in percent: something else uses it, too.
MANY_REFUSED = 5
RENAMED = ("was renamed", "is of another kind now", "is the column of custom field")
#: Names that a line lists.
MOST_NAMES = 12


class Status(IntEnum):
    """What became of a stream, the worst first."""

    FAILED = 0
    STALE = 1
    UNFINISHED = 2
    LEFT = 3
    FRESH = 4

    @property
    def word(self) -> str:
        """What people are told."""
        return _WORDS[self]


_WORDS = {
    Status.FAILED: "not complete",
    Status.STALE: "old",
    Status.UNFINISHED: "goes on",
    Status.LEFT: "no longer read",
    Status.FRESH: "complete",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A stream, and what became of it."""

    stream: Stream
    status: Status


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do.

    Attributes:
        streams: whose.
        what: happened.
        do: what.
        since: when it began.
        why: mostly.
        is_urgent: rows are missing, or not known to be there; otherwise it is to be looked at.
    """

    streams: Sequence[str]
    what: str
    do: str
    since: float | None = None
    why: str = ""
    is_urgent: bool = False


def _urgent(streams: Sequence[str], what: str, do: str, since: float | None = None, why: str = "") -> Task:
    return Task(streams, what, do, since, why, is_urgent=True)


def _to_see(streams: Sequence[str], what: str, do: str, since: float | None = None) -> Task:
    return Task(streams, what, do, since)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of an account.

    Attributes:
        account: it.
        streams: each, the worst first.
        tasks: what to do, the urgent first.
        oldest: up to then the stream is loaded that is furthest behind; None where one was never complete.
    """

    account: Account
    streams: Sequence[Judged]
    tasks: Sequence[Task]
    oldest: float | None

    @property
    def is_good(self) -> bool:
        """Whether every stream that is read is complete and fresh."""
        return all(one.status in (Status.FRESH, Status.LEFT) for one in self.streams)

    def of(self, *statuses: Status) -> list[str]:
        """Return the names of the streams of which this became."""
        return [one.stream.name for one in self.streams if one.status in statuses]

    @property
    def read(self) -> int:
        """How many streams are read."""
        return sum(one.status is not Status.LEFT for one in self.streams)


def judge(account: Account, now: float, max_age: float, days: int) -> Verdict:
    """Judge an account.

    Args:
        account: what is known of it.
        now: the present, in epoch seconds.
        max_age: seconds; what is loaded up to a time longer ago is old.
        days: of history; a stream that no run has begun for longer, while others were, is no longer read.
    """
    latest = max((one.last.started or 0 for one in account.streams if one.last is not None), default=0.0)
    judged = [Judged(one, _status(one, now, max_age, days, latest)) for one in account.streams]
    judged.sort(key=lambda one: (one.status, one.stream.name))
    read = [one.stream for one in judged if one.status is not Status.LEFT]
    ages = [one.up_to for one in read]
    known = [one for one in ages if one is not None]
    oldest = min(known) if known and len(known) == len(ages) else None
    tasks = sorted(_tasks(account, judged, max_age), key=lambda one: not one.is_urgent)
    return Verdict(account, judged, tasks, oldest)


def _status(stream: Stream, now: float, max_age: float, days: int, latest: float) -> Status:
    last = stream.last
    if last is not None and last.started is not None and last.started < min(now, latest) - days * DAY:
        return Status.LEFT
    if last is not None and not last.complete and last.error is not None:
        return Status.FAILED
    if stream.up_to is None or stream.up_to < now - max_age:
        return Status.STALE
    is_left = last is not None and not last.complete
    return Status.UNFINISHED if is_left or stream.unfinished else Status.FRESH


def _tasks(account: Account, judged: Sequence[Judged], max_age: float) -> Iterator[Task]:
    yield from _failed(judged)
    yield from _old(account, judged, max_age)
    yield from _unfinished(account, judged)
    yield from _to_look_at(account, judged)


def _failed(judged: Sequence[Judged]) -> Iterator[Task]:
    by_error: dict[str, list[Stream]] = defaultdict(list)
    for one in judged:
        if one.status is Status.FAILED and one.stream.last is not None:
            by_error[one.stream.last.error or ""].append(one.stream)
    for error, streams in by_error.items():
        advice = advice_on(error)
        since = min((one.failing_since for one in streams if one.failing_since is not None), default=None)
        yield _urgent([one.name for one in streams], error, advice.do, since, advice.why)


def _old(account: Account, judged: Sequence[Judged], max_age: float) -> Iterator[Task]:
    old = [one.stream for one in judged if one.status is Status.STALE]
    if not old:
        return
    hours = f"{max_age / 3600:g} hours"
    never = [one.name for one in old if one.up_to is None]
    if never:
        what = "no complete read is known"
        yield _urgent(never, what, "run the tap, and look at the table that the run ends with")
    behind = [one for one in old if one.up_to is not None]
    if not behind:
        return
    since = min(one.up_to for one in behind if one.up_to is not None)
    names = [one.name for one in behind]
    if account.from_state or len(old) == sum(one.status is not Status.LEFT for one in judged):
        do = "look at the scheduler and at the log of its last run: a run that is stopped leaves no row in `sync_audit`"
        yield _urgent(names, f"nothing was loaded completely for more than {hours}", do, since)
    else:
        do = (
            "look at the table that the last run ends with, and at the catalog: the streams may be deselected, or left "
            "out since the key may not read them"
        )
        yield _urgent(names, f"not read completely for more than {hours}, while other streams were", do, since)


def _unfinished(account: Account, judged: Sequence[Judged]) -> Iterator[Task]:
    going_on = [one.stream.name for one in judged if one.status is Status.UNFINISHED]
    if going_on and account.from_state:
        yield _to_see(going_on, "a complete read is not over", "nothing: the next run goes on with it")
    elif going_on:
        do = "nothing: the next run goes on with them. If that stays so, raise `max_run_minutes` or `max_run_requests`"
        yield _to_see(going_on, "a limit of yours left them to the next run", do)


def _to_look_at(account: Account, judged: Sequence[Judged]) -> Iterator[Task]:
    read = [(one.stream, one.stream.last) for one in judged if one.stream.last is not None]
    hidden = [stream.name for stream, last in read if last.unexplained]
    if hidden:
        count = sum(last.unexplained for _, last in read)
        what = f"the CRM counts {count:,} records that it did not show"
        yield _to_see(hidden, what, "use an admin's key; if it stays so, ask the CRM's support")
    misfits = [stream.name for stream, last in read if last.misfits]
    if misfits:
        what = f"{sum(last.misfits for _, last in read):,} values did not fit their type: null, and kept in `_extra`"
        do = "look into `_extra`; if most dates are affected, set `date_order` to `dmy`"
        yield _to_see(misfits, what, do)
    missed = [stream.name for stream, last in read if last.missed_by_events]
    if missed:
        count = sum(last.missed_by_events for _, last in read)
        what = f"no event told of {count:,} changes; the poll has loaded them"
        yield _to_see(missed, what, "`tap-crm-inbox status` says what is not subscribed to; `repair` mends it")
    gone = [one.stream for one in judged if one.stream.gone]
    if gone:
        what = f"{sum(one.gone or 0 for one in gone):,} rows are deleted in the CRM and still in the tables"
        do = "the loader was not told which they are: mark or remove them by what `tap-crm-audit --print-sql` prints"
        yield _to_see([one.name for one in gone], what, do)
    if account.runs and (counts := account.runs[0].counts).rate_limited * 100 > MANY_REFUSED * counts.requests:
        what = f"the CRM refused {counts.rate_limited:,} of {counts.requests:,} requests of the last run (429)"
        yield _to_see([], what, "other integrations use the account's limit, too: set `requests_per_minute` lower")
    renamed = [one for one in account.remarks if is_renamed(one.text)]
    if renamed:
        what = "custom fields have other columns now, see below"
        yield _to_see(_different(one.stream for one in renamed), what, _do_about(renamed[0].text), renamed[0].at)


def is_renamed(text: str) -> bool:
    """Tell whether a note says that values arrive in another column."""
    return any(words in text for words in RENAMED)


def _do_about(text: str) -> str:
    found = advice_on(text)
    return "use the new column" if found is UNKNOWN else found.do


def _different(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))

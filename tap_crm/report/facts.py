"""What is known of loaded accounts, wherever it was found; times are epoch seconds, days are days since 1970."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Counts:
    """What runs read and cost; sums of rows of ``sync_audit``."""

    records: int = 0
    requests: int = 0
    deletions: int = 0
    rate_limited: int = 0
    retries: int = 0
    waited: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.records + other.records,
            self.requests + other.requests,
            self.deletions + other.deletions,
            self.rate_limited + other.rate_limited,
            self.retries + other.retries,
            self.waited + other.waited,
        )


@dataclass(frozen=True, slots=True)
class Read:
    """One row of ``sync_audit``: how one run read one stream."""

    run_id: str
    started: float | None
    mode: str | None = None
    read_to: float | None = None
    records: int = 0
    source_total: int | None = None
    unexplained: int = 0
    misfits: int = 0
    missed_by_events: int = 0
    complete: bool = False
    error: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """What is known of one stream.

    Attributes:
        name: its name.
        last: how the last run that began it read it; None where only a state is known.
        whole: how the last run that read it completely did.
        up_to: everything up to this time is loaded; None where nothing says so.
        gone_up_to: deletions are known up to this time; None where none was ever looked for.
        days: what runs read and cost, by day.
        rows: of its table, without those that are marked as deleted; None where they were not counted.
        marked: rows that are marked as deleted.
        gone: of the other rows, those that the last complete read did not find: the loader does not remove them.
        counted: rows that the last complete read found, as a state says.
        failed: runs that were not complete since the last one that was.
        failing_since: when the first of these began.
        unfinished: a complete read goes on in the next run.
    """

    name: str
    last: Read | None = None
    whole: Read | None = None
    up_to: float | None = None
    gone_up_to: float | None = None
    days: Mapping[int, Counts] = field(default_factory=dict)
    rows: int | None = None
    marked: int | None = None
    gone: int | None = None
    counted: int | None = None
    failed: int = 0
    failing_since: float | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run, over all of its streams.

    Attributes:
        id: as in ``sync_audit``.
        started: when its first stream was begun.
        finished: when its last one ended.
        streams: so many were begun.
        complete: so many of them were read completely.
        failed: so many of the others say why they were not.
        counts: what it read and cost.
    """

    id: str
    started: float
    finished: float | None
    streams: int
    complete: int
    failed: int
    counts: Counts

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(0.0, (self.finished or self.started) - self.started)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why runs did not read a stream completely."""

    stream: str
    error: str
    runs: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What a run noted of a stream."""

    stream: str
    text: str
    at: float | None


@dataclass(frozen=True, slots=True)
class Written:
    """Records that ``target-crm`` has written, or may have."""

    object: str
    outcome: str
    count: int
    last: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a CRM, as it was loaded.

    Attributes:
        name: of the schema, the account, or the file.
        provider: the CRM; None where nothing tells.
        place: where this was found, for people.
        streams: each of them.
        runs: those of the days that are shown, the newest first.
        failures: of these days, the newest first.
        remarks: likewise.
        written: by object and outcome.
        from_state: only a state is known: no run left an account of itself.
    """

    name: str
    provider: str | None
    place: str
    streams: Sequence[Stream]
    runs: Sequence[Run] = ()
    failures: Sequence[Failure] = ()
    remarks: Sequence[Remark] = ()
    written: Sequence[Written] = ()
    from_state: bool = False

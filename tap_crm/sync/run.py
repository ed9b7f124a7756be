"""One run: what its streams share, which of them were begun, and which failed."""

from __future__ import annotations

import logging
import math
import signal
import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tap_crm import errors
from tap_crm.contract.connection import connect
from tap_crm.contract.once_per_run import OncePerRun
from tap_crm.contract.signals import Signals
from tap_crm.shaping.moments import NO_ORDER
from tap_crm.sync.budget import Budget
from tap_crm.sync.read_ahead import ReadAhead
from tap_crm.sync.run_limit import RunLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_crm.config.settings import Settings
    from tap_crm.contract.stream import Deletions, Provider, Reading, StreamSpec
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit
    from tap_crm.shaping.account_column import AccountColumn
    from tap_crm.sync.hints import Hints
    from tap_crm.transport.session import Transport

_log = logging.getLogger("tap-crm")

#: Discovery and connection tests are watched by people: they get an answer sooner than a nightly job.
RETRY_SECONDS_WHEN_WATCHED = 30.0
#: Assumed until the first answer, in seconds.
USUAL_LATENCY = 0.2
MOST_LANES, LANES_WITHOUT_LIMIT = 6, 2
NOTHING_READABLE = "no stream could be read; check `api_url` and the rights of the key's user"


class NothingMoreToRead(BaseException):
    """The credentials were refused. No ``Exception``: the SDK would write that it did not expect it."""


class AuditedStream(Protocol):
    """A stream that a run has begun, and what became of it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def ledger(self) -> Ledger:
        """What it cost and brought."""

    @property
    def mode(self) -> str:
        """How it is read: ``full``, ``incremental`` or ``reconcile``."""

    @property
    def read_from(self) -> int | None:
        """Epoch seconds from which changes were asked for; None for all."""

    @property
    def read_to(self) -> int | None:
        """Epoch seconds up to which everything was read; None if that is not known."""

    @property
    def whole_since(self) -> str | None:
        """After a complete read, since when all rows that are there were written."""

    @property
    def started(self) -> float | None:
        """When it was begun, in epoch seconds."""

    @property
    def finished(self) -> float | None:
        """When it was over, in epoch seconds."""

    @property
    def complete(self) -> bool:
        """Whether everything was read and written."""


class RunStream(AuditedStream, Protocol):
    """A stream of the CRM in a run: what it is, and how it is read."""

    @property
    def spec(self) -> StreamSpec:
        """Its declaration."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are written when it is read: its own, and those of arrays of its records."""

    @property
    def is_incremental(self) -> bool:
        """Whether it is read by a bookmark."""

    @property
    def tells_deletions(self) -> Deletions:
        """How it is found out which rows are gone."""

    def starting_bookmark(self) -> int | None:
        """Return the bookmark in epoch seconds; None where the stream is read in full."""

    def reading(self, emit: Emit, since: int | None) -> Reading:
        """Return what a source is given to read the stream."""


class Display(Protocol):
    """Shows people how far a run is."""

    def begin(self, stream: str) -> None:
        """Begin a stream."""

    def advance(self, stream: str, records: int) -> None:
        """Count records that were written."""

    def end(self, stream: str, *, complete: bool) -> None:
        """Finish a stream."""

    def close(self) -> None:
        """Leave everything as it should be."""


class Run:
    """What the streams of one run share.

    Args:
        settings: the user's settings.
        provider: the CRM that is read.
        display: shows how far it is.

    Attributes:
        id: tells it from all others.
        account: the mark of the account that is read; None where the CRM does not tell it.
        account_column: the column with the account's id; None where rows have none, and before the account is known.
        selected_told: the streams that are read, each with the time up to which the CRM's log of changes was heeded.
        told_names: by stream, what the target calls columns whose type has changed, by what the sources do.
        hints: what the events in the inbox tell; None without one.
        loaded_before: the streams of which an earlier run wrote rows.
        offers_all: no catalog says which streams there are.
        begun: the streams that were begun.
        failures: what is to be said of each stream that is not complete.
        limit: what it may use before it ends by itself.
        unfinished: the streams that it left to the next run, when its limit was reached.
        moved: the streams whose bookmark moved.
        left_out: the streams that the key may not read, where no catalog asked for them.
    """

    def __init__(self, run_id: str, settings: Settings, provider: Provider, display: Display) -> None:
        self.id, self.settings, self.provider, self.display = run_id, settings, provider, display
        self.stopping = threading.Event()
        self.read_ahead = ReadAhead(self.stopping)
        self.once_per_run = OncePerRun()
        self.budget = Budget(settings.reconcile_max_requests)
        self.account: str | None = None
        self.account_column: AccountColumn | None = None
        self.selected_told: tuple[tuple[StreamSpec, int | None], ...] = ()
        self.told_names: Mapping[str, Mapping[str, str]] = {}
        self.hints: Hints | None = None
        self.loaded_before: frozenset[str] = frozenset()
        self.offers_all = True
        self.begun: list[AuditedStream] = []
        self.failures: dict[str, str] = {}
        self.limit = RunLimit(settings.max_run_minutes, settings.max_run_requests)
        self.unfinished: list[str] = []
        self.moved: set[str] = set()
        self.left_out: list[str] = []
        self._signals = Signals(self.stopping, self._settle, _log, "after the present page")
        self._refused: errors.CredentialsRefused | None = None
        self._isolates_failures = False

    @property
    def date_order(self) -> str:
        """How the account writes dates that come as text; not known of a CRM that has no setting for it."""
        return NO_ORDER if "date_order" in self.provider.unused else self.settings.date_order

    @cached_property
    def transport(self) -> Transport:
        """The one way to the CRM."""
        return connect(self.settings, self.provider, self.stopping)

    def lanes(self) -> int:
        """Return how many spans of a stream, walked at once, fill the rate limit at the latency seen so far."""
        interval = self.transport.pacing.interval
        if not interval:
            return LANES_WITHOUT_LIMIT
        needed = math.ceil((self.transport.latency or USUAL_LATENCY) / interval) + 1
        return max(2, min(MOST_LANES, needed))

    def retry_briefly(self) -> None:
        """Retry only for a short time from now on: somebody is watching."""
        self.transport.retry_seconds = min(self.transport.retry_seconds, RETRY_SECONDS_WHEN_WATCHED)

    @contextmanager
    def retrying_briefly(self, seconds: float = RETRY_SECONDS_WHEN_WATCHED) -> Iterator[None]:
        """Retry for no longer than so many seconds, within a block."""
        patience = self.transport.retry_seconds
        self.transport.retry_seconds = min(patience, seconds)
        try:
            yield
        finally:
            self.transport.retry_seconds = patience

    @contextmanager
    def going_on(self, readers: Mapping[str, Callable[[Emit], None]]) -> Iterator[None]:
        """Read the streams: within the block, one that fails does not stop the others, and signals are minded.

        Args:
            readers: by the names of the streams, in the order in which they will be written.
        """
        self._plan(readers)
        self._isolates_failures = True
        try:
            yield
        except NothingMoreToRead:
            pass
        finally:
            self._isolates_failures = False
            self.close()

    def _plan(self, readers: Mapping[str, Callable[[Emit], None]]) -> None:
        """Plan the readings: a log of changes is long, and under a limit of its own, so that it is begun first.

        Where the run may end before all is read, each stream has its turn.
        """
        paths = {spec.name: spec.path for spec, _ in self.selected_told}
        groups = {name: self.provider.group_of("GET", paths.get(name, "")) for name in readers}
        log = self.provider.change_log
        self.read_ahead.plan(readers, groups, () if log is None or self.limit.is_set else (log,))

    def close(self) -> None:
        """End what still reads, and give back what is held."""
        self.stopping.set()
        self._settle()
        self.once_per_run.close()
        if self.hints is not None:
            self.hints.close()
        self.display.close()

    def limit_used(self) -> float | None:
        """Return the share of the rate limit that was used since the first request; None without a limit."""
        transport = self.__dict__.get("transport")
        return None if transport is None else transport.pacing.used()

    @property
    def is_going_on(self) -> bool:
        """Whether the streams are being read, one after the other."""
        return self._isolates_failures

    # What becomes of streams

    def begin(self, stream: AuditedStream) -> None:
        """Note that a stream is being read."""
        if not self._isolates_failures:
            self.retry_briefly()
        self.begun.append(stream)
        self.display.begin(stream.name)

    def fail(self, stream: RunStream, error: errors.ReadError) -> None:
        """Note that a stream failed; outside of a whole run, raise. Refused credentials end the run at once."""
        not_offered = isinstance(error, (errors.Forbidden, errors.NotThere))
        is_new = stream.name not in self.loaded_before and not stream.ledger.records
        if self._isolates_failures and not_offered and self.offers_all and is_new and not stream.spec.declared:
            _log.warning("stream `%s` is left out: %s", stream.name, error)
            self.begun.remove(stream)
            self.left_out.append(stream.name)
            return
        self.note_failure(stream, error)
        if isinstance(error, errors.CredentialsRefused):
            self._refused = error
            raise NothingMoreToRead

    def note_failure(self, stream: AuditedStream, error: errors.CrmError) -> None:
        """Note that a stream is not complete; outside of a whole run, raise."""
        if not self._isolates_failures:
            raise error
        self.failures[stream.name] = str(error)
        _log.error("stream `%s` is not complete: %s", stream.name, error)

    def leave_unfinished(self, stream: RunStream) -> None:
        """Note that the next run goes on with a stream, since this one has used what it may use."""
        self.unfinished.append(stream.name)
        stream.ledger.note(f"not finished: {self.limit.reached}; the next run goes on")

    def conclude(self, selected: Sequence[AuditedStream]) -> None:
        """Say how the run ended, in the last line of its log.

        Raises:
            ReadError: not every selected stream is complete; what it says is that line.
        """
        if self._refused is not None:
            missing = [stream.name for stream in selected if not stream.complete]
            raise errors.CredentialsRefused(
                f"{self._refused}. So the run ended: {len(missing)} of {len(selected)} streams are not complete; "
                "the state is safe"
            )
        if selected and not self.begun:
            raise errors.ReadError(NOTHING_READABLE)
        if self.failures:
            wanted = {*self.failures, *(stream.name for stream in selected)}.difference(self.left_out)
            others = "The others are; the state" if len(self.failures) < len(wanted) else "The state"
            raise errors.ReadError(
                f"{len(self.failures)} of {len(wanted)} streams are not complete: {', '.join(self.failures)}. "
                f"{others} is safe, and the next run goes on from it."
            )
        if self.unfinished:
            self._conclude_unfinished(len(selected))
            return
        missing = [one.name for one in selected if not one.complete and one.name not in self.left_out]
        if missing:  # nothing has failed, and yet: what is not read is never called complete
            raise errors.ReadError(f"{len(missing)} streams were not read: {', '.join(missing)}; please report it")
        complete = sum(stream.complete for stream in selected)
        left_out = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        _log.info("complete: %d of %d streams%s", complete, len(selected) - len(self.left_out), left_out)

    def tell_stopped(self, code: int, selected: Sequence[AuditedStream]) -> None:
        """Say that a signal ended the run, in the last line of its log."""
        _log.warning(
            "stopped by %s: %d of %d streams are complete. The state is safe, and the next run goes on from it.",
            signal.Signals(code - 128).name,
            sum(stream.complete for stream in selected),
            len(selected),
        )

    def _conclude_unfinished(self, selected: int) -> None:
        """Say what is left to the next run; raise if its first stream came no further, as it would not there either."""
        left = f"{len(self.unfinished)} of {selected} streams are not finished: {', '.join(self.unfinished)}"
        first = self.begun[0].name
        if first in self.unfinished and first not in self.moved:
            raise errors.ReadError(
                f"{self.limit.reached} before the bookmark of `{first}`, which was read first, could move: the next "
                f"run would come no further; raise it. {left}"
            )
        _log.warning("%s, since %s. The state is safe, and the next run goes on from it.", left, self.limit.reached)

    # Signals and limits

    def check(self) -> None:
        """End the run if a signal asked for it, and the reading if the limit is reached.

        Raises:
            Terminated: a signal asked for it.
            LimitReached: nothing more is to be written either.
        """
        self._signals.check_signals()
        if self.limit.is_reached():
            self.read_ahead.end()

    def check_signals(self) -> None:
        """End the run if a signal asked for it; called between pages and while waiting for one.

        Raises:
            Terminated: one did.
        """
        self._signals.check_signals()

    def on_signal(self, number: int) -> None:
        """Leave a note of it, or end the process at once where nothing is being written."""
        self._signals.note(number, is_minded=self._isolates_failures)

    def _settle(self) -> None:
        """Wait until nothing is half done that could not be had again."""
        transport = self.__dict__.get("transport")
        if transport is not None:
            transport.settle()

"""One run: takes records and states, writes what differs, and says how it went.

It is long because the order of a run, from the first record to the last deletion, is in one place: which step comes
before which is what keeps a record from being lost or doubled.
"""

from __future__ import annotations

import logging
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from target_crm.journal.belonging import Belonging
from target_crm.sync.asking import Asking
from target_crm.sync.beside import Beside
from target_crm.sync.ends import Ends, told
from target_crm.sync.fields import Names, is_deleted
from target_crm.sync.items import CONFLICT, CREATED, REJECTED, SKIPPED, UNKNOWN, UPDATED, Item, Schema, StreamRun
from target_crm.sync.keys import fingerprint, grouped, key_of, waves
from target_crm.sync.looking import Looking
from target_crm.sync.run_file import DELETIONS, HELD, LATER, SECOND, RunFile, Waiting
from target_crm.sync.sending import Sending, pairs_of
from target_crm.sync.steps import Steps
from target_crm.sync.uncertain import Uncertain, ends_the_run

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from target_crm.clock import Clock
    from target_crm.config.settings import TargetSettings
    from target_crm.contract import Writer
    from target_crm.journal.journal import Journal
    from target_crm.report import Report
    from target_crm.sync.states import States

_log = logging.getLogger("target-crm")
#: Records that are found, read and compared together: so many that writing takes most of the time, not waiting for the
#: last answer before the next look-up.
TOGETHER = 1000
#: Of fewer deletions none are held back.
FEWEST_DELETIONS = 20
#: Records wait no longer than this for others, so that states pass.
LONGEST_WAIT = 30.0


class Engine:
    """A run.

    Args:
        writer: the CRM.
        settings: the user's.
        journal: what is known, and what is kept.
        report: where ends are told.
        states: what waits for ends.
        stopping: set when the run is to end.
        clock: tells the time, and waits.
    """

    def __init__(  # noqa: PLR0913 - it is made in one place
        self,
        *,
        writer: Writer,
        settings: TargetSettings,
        journal: Journal,
        report: Report,
        states: States,
        stopping: threading.Event,
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._journal = journal
        self._belonging = Belonging(journal)
        self._states = states
        self._stopping = stopping
        self._clock = clock
        self.streams: dict[str, StreamRun] = {}
        self._schemas: list[Schema] = []
        self._current: dict[str, int] = {}
        self._buffer: list[Item] = []
        self._flushed = time.monotonic()
        self._at_end = False
        self._is_probed = False
        self._memory = RunFile()
        self._holds: set[StreamRun] = set()
        self._has_second: set[StreamRun] = set()
        self._tripped: list[str] = []
        self._asking = Asking(writer, self._memory, dry=settings.dry_run)
        self._ends = Ends(journal, report, states, self._write_again, most_rejects=settings.max_rejects_percent)
        looking = Looking(self._asking, self._ends)
        self._uncertain = Uncertain(
            looking,
            self._ends,
            journal,
            self._names,
            lookup_seconds=settings.lookup_seconds,
            sleep=self._sleep,
            now=clock.now,
        )
        self._steps = Steps(
            writer=writer,
            journal=journal,
            ends=self._ends,
            looking=looking,
            names=self._names,
            may_come=self._may_come,
            hold=self._hold,
            is_awaited=self._is_awaited,
            memory=self._memory,
            beside=Beside(self._belonging, looking, self._memory),
        )
        self._sending = Sending(self._asking, journal, self._ends, self._uncertain.add, stopping, now=clock.now)

    # What comes in

    def declare(self, name: str, properties: Mapping[str, Any]) -> None:
        """Take the schema of a stream.

        Raises:
            ConfigError: the settings do not name it, or it cannot be written.
        """
        if name not in self.streams:
            settings = self._settings.stream(name)
            spec = self._writer.spec(name, settings)
            if spec.allow and not settings.allow:
                raise errors.ConfigError(
                    f"the stream `{name}` has effects on people ({spec.name}); it is written only with "
                    f"`streams.{name}.allow: true`"
                )
            run = StreamRun(name, settings, spec, settings.match or spec.keys)
            if settings.external_id is not None and len(run.match) > 1:
                raise errors.ConfigError(f"the setting `streams.{name}.external_id` needs one field in `match`")
            if settings.external_id is not None and not spec.takes_external_id:
                raise errors.ConfigError(
                    f"the setting `streams.{name}.external_id`: {spec.name} have no custom fields that could keep it"
                )
            run.has_rejects = self._journal.has_rejects(name)
            self.streams[name] = run
        if name not in self._current or self._schemas[self._current[name]].properties != properties:
            self._schemas.append(Schema(properties))
            self._current[name] = len(self._schemas) - 1

    def take(self, name: str, record: dict[str, Any]) -> None:
        """Take a record."""
        self._go_on()
        number = self._states.record()
        self._take(self.streams[name], number, record, self._current[name])
        if len(self._buffer) >= TOGETHER:
            self.flush()

    def state(self, value: Mapping[str, Any]) -> None:
        """Take a state: it passes when all records before it are settled."""
        self._states.state(value)
        if time.monotonic() - self._flushed > LONGEST_WAIT:
            self.flush()
        else:
            self._states.flush()

    def _take(self, run: StreamRun, number: int | None, record: dict[str, Any], schema: int) -> None:
        run.seen += 1
        key, shown = key_of(run, record, self._memory)
        item = Item(run, self._schemas[schema], number, key, shown, record)
        self._ends.begin(item)
        if is_deleted(record):
            self._take_deletion(item, schema)
        elif not key or "\0" in key:
            item.key = fingerprint(record)
            names = ", ".join(f"`{name}`" for name in run.match)
            why = "holds a zero character" if key else "is empty: the record cannot be told from others"
            self._ends.end(item, REJECTED, f"{names} {why}")
        else:
            self._keep(item)
            self._buffer.append(item)

    def _keep(self, item: Item) -> None:
        """Give up deletions of a record that came before it, and wait: it is there by now."""
        run = item.stream
        if not run.deletions:
            return
        for one in self._memory.take_back(DELETIONS, run.name, item.key):
            run.deletions -= 1
            deletion = self._waited(run, one, is_deletion=True)
            self._ends.end(deletion, SKIPPED, "a later record has this key, so it is not deleted")

    def _take_deletion(self, item: Item, schema: int) -> None:
        if item.stream.settings.on_delete == "ignore":
            item.key = item.key or fingerprint(item.record)
            self._ends.end(item, SKIPPED, "a deletion, and `on_delete` is ignore")
            return
        if not item.key or "\0" in item.key:
            item.key = fingerprint(item.record)
            self._ends.end(item, REJECTED, "a deletion without a key that could be one")
            return
        item.stream.deletions += 1
        self._spool(DELETIONS, item, schema)

    # What is done with it

    def flush(self) -> None:
        """Write what came in so far."""
        items, self._buffer = self._buffer, []
        self._flushed = time.monotonic()
        by_stream: dict[StreamRun, list[Item]] = {}
        for item in items:
            by_stream.setdefault(item.stream, []).append(item)
        for run in sorted(by_stream, key=lambda one: one.spec.order):
            for wave in waves(by_stream[run]):
                self._write(run, wave)
        self._ends.settle()
        if self._uncertain.items:
            self._uncertain.settle_some(self._steps, self._sending)

    def _write(self, run: StreamRun, items: list[Item]) -> None:
        """Write records of different keys."""
        self._go_on()
        if run.stopped is not None:
            for item in items:
                self._ends.leave_out(item, run.stopped)
            return
        try:
            self._probe(run)
            self._write_through(run, items)
        except errors.ReadError as error:
            if not self._is_probed or ends_the_run(error):
                raise
            self._ends.stop(run, str(error))
            for item in [one for one in items if one in self._ends.live and one not in self._uncertain.items]:
                self._ends.leave_out(item, str(run.stopped))
        self._ends.settle()

    def _write_through(self, run: StreamRun, items: list[Item]) -> None:
        """Take records from what they say to what became of them."""
        waiting = {item for item in items if run in self._holds and self._waits(item)}
        for item in waiting:
            self._hold(item)
        items = [item for item in items if item not in waiting]
        if self._uncertain.holds(run, {item.key for item in items}):
            self._uncertain.settle_all(self._steps, self._sending)
        items = [item for item in items if not self._is_behind_a_second_turn(item)]
        understood = self._steps.mean(items)
        clear, uncertain = self._steps.identify(run, understood)
        for item in uncertain:
            self._uncertain.add(item)
        pairs = pairs_of(self._steps.read(run, clear), self._steps.plan)
        self._ends.settle()
        self._sending.send(run, pairs)

    def _probe(self, run: StreamRun) -> None:
        """See whether the credentials are good, and which fields there are, before anything is done.

        Raises:
            ConfigError: the journal is of another account, or has written this stream to another object.
        """
        if not self._is_probed:
            self._writer.probe()
            self._belonging.bind_account(self._writer.accounts())
            self._is_probed = True
        if run.columns is None:
            columns = self._writer.columns(run.spec)
            self._belonging.bind_stream(run.name, self._writer.place(run.spec))
            run.columns = columns
            properties = self._schemas[self._current[run.name]].properties
            names = Names.of(run.spec, run.settings, run.columns, properties, run.name)
            if not run.is_by_id and names.external is None and run.settings.mode != "create":
                names.matching(run.match)

    def _names(self, item: Item) -> Names:
        run, schema = item.stream, item.schema
        if schema.names is None:
            assert run.columns is not None  # noqa: S101 - asked for before any record is looked at
            schema.names = Names.of(run.spec, run.settings, run.columns, schema.properties, run.name)
        return schema.names

    def _may_come(self, name: str, run: StreamRun, *, is_key: bool) -> bool:
        """Tell whether records of an object may still come in to which a stream refers, by a key that is no CRM's id.

        Of a record of its own object an id says that it is there.
        """
        if self._at_end:
            return False
        if name in ("", run.spec.name) and is_key:
            return True
        if name == run.spec.name:
            return False
        if not name:  # to any object: one of another stream, if there is one
            return len(self._settings.streams or {}) > 1 or len(self.streams) > 1
        if any(one.spec.name == name for one in self.streams.values()):
            return True
        return self._settings.writes_to(name)

    def _hold(self, item: Item) -> None:
        """Let a record wait for the end of the input, since it refers to one that may still come."""
        self._holds.add(item.stream)
        self._spool(HELD, item, self._schemas.index(item.schema))

    def _is_awaited(self, name: str, key: str) -> bool:
        """Tell whether a record of an object ("" for any) waits, or was rejected and is tried again."""
        return any(
            self._memory.waits(HELD, run.name, key)
            or (run.has_rejects and bool(self._journal.rejected_among(run.name, [key])))
            for run in self.streams.values()
            if name in ("", run.spec.name)
        )

    def _write_again(self, item: Item) -> None:
        """Let a record that was written wait for those to which it refers."""
        self._has_second.add(item.stream)
        self._spool(SECOND, item, self._schemas.index(item.schema))

    def _waits(self, item: Item) -> bool:
        return not item.is_deletion and self._memory.waits(HELD, item.stream.name, item.key)

    def _is_behind_a_second_turn(self, item: Item) -> bool:
        """Let a record wait that would come between the two turns of an earlier one of its key, which would win."""
        run = item.stream
        if run not in self._has_second or item.is_second or not self._memory.is_left(SECOND, run.name, item.key):
            return False
        self._spool(LATER, item, self._schemas.index(item.schema))
        return True

    def _spool(self, queue: str, item: Item, schema: int) -> None:
        if item.number is not None:
            self._states.hold(item.number)
        self._ends.wait(item)
        waiting = Waiting(
            item.stream.name, item.number, item.key, item.shown, item.record, schema, item.made, item.changes
        )
        self._memory.wait(queue, waiting)

    # The end

    def finish(self) -> None:
        """Write what is left: what waited, what earlier runs rejected, and deletions; settle what is uncertain.

        Raises:
            CrmError: nothing more could be written.
            Cancelled: the run is ending.
        """
        self.flush()
        self._at_end = True
        self._holds.clear()
        self._uncertain.settle_all(self._steps, self._sending)
        self._declare_rejected()
        for run in sorted(self.streams.values(), key=lambda one: one.spec.order):
            self._write_spooled(run, HELD, is_deletion=False)
        self._uncertain.settle_all(self._steps, self._sending)  # what earlier runs kept of these is not tried again
        self._retry()
        self._uncertain.settle_all(self._steps, self._sending)
        self._write_second_turns()
        for run in sorted(self.streams.values(), key=lambda one: -one.spec.order):
            self._delete(run)
        self._uncertain.settle_all(self._steps, self._sending)
        if not self._tripped and not any(run.stopped for run in self.streams.values()):
            self._states.release()
        self._states.flush()

    def _write_second_turns(self) -> None:
        """Write what waits for its second turn, and then what came later for the same keys, some of it in two turns."""
        queues: tuple[str, ...] = (SECOND,)
        while queues:
            for queue in queues:
                for run in sorted(self.streams.values(), key=lambda one: one.spec.order):
                    self._write_spooled(run, queue, is_deletion=False)
                self._uncertain.settle_all(self._steps, self._sending)
            is_left = any(self._memory.is_left(LATER, run.name) for run in self.streams.values())
            queues = (LATER, SECOND) if is_left else ()

    def _write_spooled(self, run: StreamRun, queue: str, *, is_deletion: bool) -> None:
        for part in grouped(self._spooled(run, queue, is_deletion=is_deletion), TOGETHER):
            for wave in waves(part):
                self._write(run, wave)

    def _spooled(self, run: StreamRun, queue: str, *, is_deletion: bool) -> Iterator[Item]:
        for one in self._memory.rest(queue, run.name):
            yield self._waited(run, one, is_deletion=is_deletion, is_second=queue == SECOND)

    def _waited(self, run: StreamRun, one: Waiting, *, is_deletion: bool, is_second: bool = False) -> Item:
        item = Item(run, self._schemas[one.schema], one.number, one.key, one.shown, one.record, is_deletion)
        item.is_second, item.made, item.changes = is_second, one.made, one.changes
        self._ends.begin(item)
        return item

    def _declare_rejected(self) -> None:
        """Take the schemas of streams of which only earlier runs had records: others may refer to these."""
        for name in self._journal.reject_streams():
            if name not in self.streams and self._settings.names(name):
                for kept in islice(self._journal.rejects(name), 1):
                    self.declare(name, kept.properties)

    def _retry(self) -> None:
        """Try again what earlier runs rejected, and did not come in this one."""
        for name in self._journal.reject_streams():
            if not self._settings.names(name):
                continue
            for kept in self._journal.rejects(name):
                if name in self.streams and self.streams[name].stopped is not None:
                    break
                if self._memory.waits(DELETIONS, name, kept.key):
                    continue  # it is to be deleted
                if name not in self._current or self._schemas[self._current[name]].properties != kept.properties:
                    self.declare(name, kept.properties)
                self._take(self.streams[name], None, kept.record, self._current[name])
                if len(self._buffer) >= TOGETHER:
                    self.flush()
        self.flush()

    def _delete(self, run: StreamRun) -> None:
        """Delete, unless that is too much."""
        if not run.deletions:
            return
        most = self._settings.max_deletions_percent
        if run.deletions >= FEWEST_DELETIONS and 100 * run.deletions > most * run.seen:
            reason = (
                f"{run.deletions} of {run.seen} records are deletions, more than `max_deletions_percent` ({most:g}), "
                "so none is done"
            )
            self._tripped.append(run.name)
            _log.error("%s: %s", run.name, reason)
            for item in self._spooled(run, DELETIONS, is_deletion=True):
                self._ends.end(item, SKIPPED, reason, passes=False)
            self._ends.settle()
            return
        self._write_spooled(run, DELETIONS, is_deletion=True)

    def abandon(self, reason: str) -> None:
        """Tell of the records that did not get their turn, since the run ends before its time."""
        for item in list(self._ends.live):
            self._ends.leave_out(item, reason)
        for run in self.streams.values():
            for queue, is_deletion in ((HELD, False), (LATER, False), (DELETIONS, True)):
                for item in self._spooled(run, queue, is_deletion=is_deletion):
                    self._ends.end(item, SKIPPED, reason, passes=False)
            for item in self._spooled(run, SECOND, is_deletion=False):
                outcome = CREATED if item.made else UPDATED
                self._ends.end(item, outcome, f"in part: {reason}", changes=True, passes=False)
        self._ends.settle()

    def close(self) -> None:
        """Give back what the run holds."""
        self._asking.close()
        self._memory.close()

    def failures(self) -> list[str]:
        """Return what went wrong, a sentence for each stream; none if the run is a success."""
        found = []
        for run in self.streams.values():
            parts = [f"{run.ends[end]} {end}" for end in (CONFLICT, UNKNOWN) if run.ends[end]]
            if run.ends[REJECTED] and self._settings.on_reject == "fail":
                parts.append(f"{run.ends[REJECTED]} rejected")
            if run.name in self._tripped:
                parts.append("deletions held back")
            if run.stopped is not None:
                parts.append("stopped")
            if parts:
                found.append(f"{run.name}: {', '.join(parts)}")
        return found

    def tell(self) -> None:
        """Write a line for each stream into the log."""
        for run in self.streams.values():
            _log.info("%s: %s%s", run.name, told(run), " (dry run: nothing was written)" if self._asking.dry else "")

    def _sleep(self, seconds: float) -> None:
        self._clock.wait(seconds, self._stopping)
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise errors.Cancelled

"""A stream that writes only what the target does not have yet: SCHEMA, the rows of whole lists, and STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_crm.singer.kept_stream import KeptStream
from tap_crm.sync.written import Written

if TYPE_CHECKING:
    from tap_crm.singer.command_line import CommandLine
    from tap_crm.singer.held import Held
    from tap_crm.sync.run import Run


class HeldStream(KeptStream):
    """A stream whose messages pass through a :class:`~tap_crm.singer.held.Held` while a run writes it.

    Attributes:
        tap: the tap that writes it.
        run: what the streams of a run share.
        as_written: all was read, and nothing was written, since the target has it.
    """

    tap: CommandLine
    run: Run
    as_written: bool = False
    _held: Held | None = None

    @property
    def is_compared(self) -> bool:
        """Whether its rows need not be written where they are the same as in the last complete read."""
        raise NotImplementedError

    @override
    def before_schema(self) -> None:
        """Keep back what follows, from the SCHEMA on; batch files are written as they come."""
        if self._held is None and self.run.is_going_on and not self.config.get("batch_config"):
            self._held = self.tap.writer.hold()

    def settle_schemas(self) -> None:
        """Send the SCHEMA of the stream and of its child tables, unless the target was told the same before."""
        held = self._held
        if held is None or not self.is_compared:
            self._forget_written()  # whatever is written now, nobody compares it
        if held is None:
            return
        is_told = self.kept.schema == held.form
        if not is_told:
            held.send_schemas()
            self.kept.schema = held.form
            self._keep()
            self.note_changed_state()
        if self.is_compared:
            now, settings = self.run.transport.clock.now(), self.run.settings
            waits = is_told and self._written.holds(self.kept.version, settings, now)
            held.compare(b"versions" if settings.tells_versions else b"", self._forget_written, waits=waits)

    @property
    def _written(self) -> Written:
        return self.kept.written or Written()

    def _forget_written(self) -> None:
        """Let the state say, before any row is written, that the target may have others than the last complete read.

        A run that dies from here on leaves it between the two.
        """
        if self._written.digest is not None:
            self.kept.written = Written()
            self._keep()
            self.note_changed_state()
            if self.run.is_going_on:
                self.write_state(waits=False)

    def settle_rows(self, *, whole: bool) -> bool:
        """Forget the rows that wait if the target has just these, and tell so; write them otherwise.

        Args:
            whole: the read has found all there is.
        """
        held = self._held
        if held is None or not held.waits:
            return False
        if whole and held.digest == self._written.digest:
            held.drop()
            self.as_written = True
        held.release()
        return self.as_written

    def note_written(self, version: int | None) -> None:
        """Keep what was written, after a complete read: with the next one that is the same, nothing is."""
        digest = None if self._held is None else self._held.digest
        if digest is not None:
            self.kept.written = Written(digest, version, int(self.run.transport.clock.now()))

    def release_held(self) -> None:
        """Write what was read of a list that will not be complete."""
        if self._held is not None:
            self._held.release()

    def end_held(self) -> None:
        """Keep nothing back any more: what waits still is what the target has, or what a run that ended has left."""
        held, self._held = self._held, None
        if held is None:
            return
        if self.kept.schema != held.form:  # it ended before it knew its child tables
            held.send_schemas()
        self.tap.writer.end_hold()

    # STATE

    def write_state_at_once(self) -> None:
        """Write STATE, whatever was written before."""
        self.note_changed_state()
        self.write_state(waits=False)

    @override
    def state_may_wait(self) -> bool:
        """Let a STATE wait behind which nothing new lies: the next one, and the last one of the run, have all of it."""
        return self.run.is_going_on and self.tap.writer.lets_state_wait()

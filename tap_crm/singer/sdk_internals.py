"""The only place that knows private names of ``singer_sdk``; everything else uses the public names given here.

Why there must be some: the SDK moves a bookmark to the greatest value it has seen, record by record, while a bookmark
here may move only when everything before it was read. ``tests/sdk/test_internals.py`` lists the names and looks them up
in the SDK that is installed, and ``tests/sdk`` holds both ways of writing against each other, line by line.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from tap_crm.singer.sdk_settings import fits_plainly

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from types import FrameType

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig

    #: A batch file's encoding, and the names of files.
    Batch = tuple[BaseBatchFileEncoding, list[str]]
    BatchSettings = BatchConfig


class SdkStream(Stream):
    """The SDK's stream, whose records, versions and state are written by whoever derives from this."""

    @abstractmethod
    def write_all(self, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        """Write the records of one read, and STATE where it is safe; yield what is to be put into batch files.

        Args:
            write_messages: False where only the records are wanted.
        """

    @override
    def _sync_records(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Replace the SDK's loop over records: it writes STATE every so many records, whatever was not read yet."""
        yield from self.write_all(write_messages=write_messages)

    @property
    def version(self) -> int | None:
        """The version that the SDK writes into RECORD messages; None for none. It has no public name for it."""
        return self._stream_version

    @version.setter
    def version(self, number: int | None) -> None:
        self._stream_version = number

    def note_changed_state(self) -> None:
        """Have the next :meth:`write_state` write, which writes nothing unless something changed."""
        self.state_manager.is_flushed = False

    def write_state(self, *, waits: bool = True) -> None:
        """Write STATE if it changed. The SDK's own writer, so that whatever it adds to a state is kept.

        Args:
            waits: it may be put off.
        """
        if waits:
            self._write_state_message()
        else:
            super()._write_state_message()

    def state_may_wait(self) -> bool:
        """Tell whether a STATE that changed is put off; whoever says so sees that it is written after all."""
        return False

    @override
    def _write_state_message(self) -> None:
        """Put off what may wait: the SDK would write STATE after each stream, whether or not it wrote anything."""
        if self.state_manager.is_flushed or not self.state_may_wait():
            super()._write_state_message()

    def before_schema(self) -> None:
        """Prepare for the first message of the stream."""

    @override
    def _write_schema_message(self) -> None:
        """Let the stream prepare: the SDK writes SCHEMA before it asks the stream for anything."""
        self.before_schema()
        super()._write_schema_message()

    def write_schema(self) -> None:
        """Write SCHEMA, under each name that stream maps give; the SDK does so for streams that it reads itself."""
        self._write_schema_message()

    def write_batch(self, batch: Batch) -> None:
        """Write BATCH, likewise."""
        encoding, manifest = batch
        self._write_batch_message(encoding, manifest)

    def write_version_end(self, version: int) -> None:
        """Write ACTIVATE_VERSION, under each name that stream maps give; the SDK knows them."""
        self._write_activate_version_message(version)

    def write_mapped(self, record: dict[str, Any]) -> int:
        """Write what stream maps make of a record; return 1, or 0 if they leave it out. The SDK has no other way."""
        messages = list(self._generate_record_messages(record))
        for message in messages:
            self._tap.write_message(message)
        self.note_changed_state()
        return min(1, len(messages))

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never before the records, whatever the SDK's setting says: a run that dies would empty the table.

        Whoever derives from this ends them: :meth:`write_version_end`.
        """
        return False

    @property
    def is_mapped_away(self) -> bool:
        """Whether the setting ``stream_maps`` removes the stream as a whole."""
        return all(isinstance(one, RemoveRecordTransform) for one in self.stream_maps)

    @property
    def is_test_run(self) -> bool:
        """Whether the SDK wants a few records only."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def end_test_run(self, written: int) -> None:
        """End a test run that has seen enough, by the SDK's own exceptions."""
        if self.is_test_run:
            self._check_max_record_limit(current_record_index=written)


class SdkTap(Tap):
    """The SDK's tap, with what it does on a signal, and with streams that can be left out."""

    @abstractmethod
    def on_signal(self, number: int) -> None:
        """Follow SIGTERM or SIGINT."""

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Replace the SDK's handler, which would write STATE in the middle of a line."""
        self.on_signal(signum)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Put in the defaults, without the SDK's validator where every setting plainly fits: it takes long to load."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        known: dict[str, dict[str, Any]] = schema["properties"]
        given = self._config
        if not {*schema.get("required", ())} <= given.keys() or not all(
            fits_plainly(value, known[name]) for name, value in given.items() if name in known
        ):
            return super()._validate_config(raise_errors=raise_errors)
        for name, part in known.items():
            if "default" in part:
                given.setdefault(name, part["default"])
        return []

    def leave_out(self, stream: str) -> None:
        """Take a stream out of those that are offered; the SDK gives no way but its own dictionary of them."""
        if self._streams is not None:
            del self._streams[stream]

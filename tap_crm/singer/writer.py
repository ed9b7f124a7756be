"""Writes Singer messages: whole lines, in large pieces, and a STATE always at once."""

from __future__ import annotations

import os
import select
import sys
import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from tap_crm.errors import TargetGone
from tap_crm.singer.held import Held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.simple import Message

FLUSH_AT = 1 << 20
#: Seconds between two STATE messages behind which nothing new lies.
STATE_EVERY = 30.0


class LineWriter(GenericSingerWriter[bytes, Any]):
    """The one writer of a run; used by the main thread only.

    Lines are collected and written whole. Nothing here can be torn by a signal: handlers only leave a note, and a
    write that was interrupted goes on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_other)
        self._lines: list[bytes] = []
        self._size = 0
        self._held: Held | None = None
        self._state_at = time.monotonic()
        self._wrote_since = False
        #: A STATE was put off, and none was written since.
        self.state_waits = False

    # What is kept back

    def hold(self) -> Held:
        """Return what keeps back the messages of one stream from now on, until :meth:`end_hold`."""
        self._held = Held(self.write_lines)
        return self._held

    def end_hold(self) -> None:
        """Write messages as they come again."""
        self._held = None

    def lets_state_wait(self) -> bool:
        """Tell whether a STATE can be put off: nothing was written since the last one, not long ago; it is minded."""
        if self._wrote_since or time.monotonic() - self._state_at >= STATE_EVERY:
            return False
        self.state_waits = True
        return True

    # What is written

    @override
    def serialize_message(self, message: Message) -> bytes:
        """Return the message as JSON."""
        if isinstance(message, (SchemaMessage, StateMessage)):  # turning it into a dict copies all that it carries
            values = {one.name: getattr(message, one.name) for one in fields(message)}
            return self._encoder.encode({name: value for name, value in values.items() if value is not None})
        return self._encoder.encode(message.to_dict())

    @override
    def write_message(self, message: Message) -> None:
        """Write a message of the SDK's own making."""
        line, held = self.serialize_message(message), self._held
        if isinstance(message, StateMessage):
            self.write_lines([line])
            self.flush()
            self._state_at, self._wrote_since, self.state_waits = time.monotonic(), False, False
        elif held is None:
            self.write_lines([line])
        elif isinstance(message, RecordMessage):
            held.rows(message.stream, [self._encoder.encode(message.record)], [line])
        elif message.type is SingerMessageType.SCHEMA:
            held.schema(message.stream, line)  # type: ignore[attr-defined]
        else:
            held.other(message.stream, line)  # type: ignore[attr-defined]

    def write_records(self, stream: str, version: int | None, records: Iterable[bytes]) -> None:
        """Write RECORD messages of records that are JSON already.

        Args:
            stream: whose they are.
            version: of the stream's rows; None for none.
            records: the records.
        """
        prefix = b'{"type":"RECORD","stream":%s,"record":' % msgspec.json.encode(stream)
        under = b"" if version is None else b',"version":%d' % version
        suffix = under + b',"time_extracted":"%s"}' % datetime.now(UTC).isoformat().encode()
        found = list(records)
        lines = [prefix + record + suffix for record in found]
        if self._held is None:
            self.write_lines(lines)
        else:
            self._held.rows(stream, found, lines)

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Write lines given without their line ends."""
        for line in lines:
            self._lines.append(line)
            self._size += len(line)
        self._wrote_since = True
        if self._size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system; returns when it took all."""
        if not self._lines:
            return
        block = b"\n".join([*self._lines, b""])
        self._lines, self._size = [], 0
        _write_out(block)


def _write_out(block: bytes) -> None:
    """Write to standard output, also where a test has replaced it by text in memory."""
    try:
        descriptor = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        sys.stdout.write(block.decode())
        return
    sys.stdout.flush()
    view = memoryview(block)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BrokenPipeError:
            raise TargetGone("the target stopped reading; its own log says why") from None
        except BlockingIOError:  # whoever shares the pipe may have made it non-blocking
            select.select([], [descriptor], [])


def _encode_other(value: object) -> object:
    """Encode what JSON has no form for, as the SDK does: times as ISO text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)

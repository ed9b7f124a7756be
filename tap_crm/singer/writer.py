"""Writes Singer messages: whole lines, in large pieces, and a STATE always at once."""

from __future__ import annotations

import os
import select
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import StateMessage
from typing_extensions import override

from tap_crm.errors import TargetGone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.simple import Message

FLUSH_AT = 1 << 20


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

    @override
    def serialize_message(self, message: Message) -> bytes:
        """Return the message as JSON."""
        if isinstance(message, StateMessage):  # turning it into a dict copies all of the state
            return self._encoder.encode({"type": message.type, "value": message.value})
        return self._encoder.encode(message.to_dict())

    @override
    def write_message(self, message: Message) -> None:
        """Write a message of the SDK's own making."""
        self.write_lines([self.serialize_message(message)])
        if message.type is SingerMessageType.STATE:
            self.flush()

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
        self.write_lines([prefix + record + suffix for record in records])

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Write lines given without their line ends."""
        for line in lines:
            self._lines.append(line)
            self._size += len(line)
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

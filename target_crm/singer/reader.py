"""Reads Singer messages; what is none ends the run with one line that shows nothing of it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding import GenericSingerReader
from typing_extensions import override

from tap_crm import errors
from target_crm.contract import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What a message must have besides its type.
_PARTS: dict[str, tuple[tuple[str, type], ...]] = {
    "SCHEMA": (("stream", str), ("schema", dict)),
    "RECORD": (("stream", str), ("record", dict)),
    "STATE": (("value", dict),),
    "ACTIVATE_VERSION": (("stream", str), ("version", int)),
}


class MessageReader(GenericSingerReader[bytes]):
    """Reads line by line.

    Attributes:
        is_idle: whether no message is being worked on: the next line is waited for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._decoder = msgspec.json.Decoder(float_hook=exact)
        self.line = 0
        self.is_idle = False

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return sys.stdin.buffer

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        try:
            found = self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise errors.ConfigError(f"line {self.line} of the input is no JSON; is the tap's output whole?") from None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise errors.ConfigError(f"line {self.line} of the input is no Singer message")
        return found

    @override
    def process_lines(
        self, file_input: IO[Any] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Hand each message to the callback of its type."""
        counts: Counter[str] = Counter()
        for given in self._waited_for(file_input or self.default_input):
            line = given.encode() if isinstance(given, str) else given
            self.line += 1
            if not line.strip():
                continue
            message = self.deserialize_json(line)
            kind = message["type"]
            self._check(kind, message)
            if kind in callbacks:
                callbacks[kind](message)
            counts[kind] += 1
        return counts

    def _waited_for(self, lines: IO[Any]) -> Iterator[Any]:
        while True:
            self.is_idle = True
            try:
                line = lines.readline()
            finally:
                self.is_idle = False
            if not line:
                return
            yield line

    def _check(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "BATCH":
            raise errors.ConfigError(
                f"line {self.line} of the input is a BATCH message; remove `batch_config` from the tap's settings"
            )
        for name, wanted in _PARTS.get(kind, ()):
            if not isinstance(message.get(name), wanted):
                raise errors.ConfigError(f"line {self.line} of the input: a {kind} message without `{name}`")
        if kind == "SCHEMA" and not isinstance(message["schema"].get("properties"), dict):
            raise errors.ConfigError(f"line {self.line} of the input: a SCHEMA without `properties`")

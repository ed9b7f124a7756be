"""The records of a list as lines of JSON: written while the list is read, each record once."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from tap_crm import errors
from tap_crm.contract.once_per_run import OncePerRun
from tap_crm.contract.stream import Reading, StreamSpec
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.providers.common.endpoint_answers import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.config.settings import Settings
    from tap_crm.messages import Item
    from tap_crm.transport.session import Transport

DECODER = msgspec.json.Decoder(float_hook=Decimal)
ENCODER = msgspec.json.Encoder(decimal_format="number")


class _End:
    """The list is read: well, or with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def lines_of(spec: StreamSpec, settings: Settings, transport: Transport) -> Iterator[bytes]:
    """Yield the records of a stream, in the order in which they come.

    Raises:
        ReadError: the CRM did not give them all.
    """
    lines: SimpleQueue[bytes | _End] = SimpleQueue()

    def read() -> None:
        try:
            _read(spec, settings, transport, lines)
        except Exception as error:  # noqa: BLE001 - it is raised again where the lines are taken
            lines.put(_End(error))
        else:
            lines.put(_End())

    Thread(target=read, name="call", daemon=True).start()
    while not isinstance(line := lines.get(), _End):
        yield line
    if line.error is not None:
        raise line.error


def _read(spec: StreamSpec, settings: Settings, transport: Transport, lines: SimpleQueue[bytes | _End]) -> None:
    """Read a stream, and put its records into a queue."""
    written: set[bytes] = set()

    def take(item: Item) -> None:
        for line in _lines_of_page(item):
            fingerprint = blake2b(line, digest_size=16).digest()
            if fingerprint not in written:  # a list that moves while it is read is read in part twice
                written.add(fingerprint)
                lines.put(line)

    ledger = Ledger()
    reading = Reading(
        spec=spec,
        transport=transport,
        settings=settings,
        since=None,
        emit=take,
        ledger=ledger,
        lanes=1,
        once_per_run=OncePerRun(),
    )
    spec.source.read(reading)
    if ledger.unexplained:
        raise errors.Incomplete(f"{spec.name}: the CRM counts {ledger.unexplained} more records than it gives")


def _lines_of_page(item: Item) -> Iterator[bytes]:
    if isinstance(item, Page):
        for record in item.decoded():
            yield ENCODER.encode(record[RECORD])

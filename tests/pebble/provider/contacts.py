"""Pebble's contacts: a list by cursor, from a change time on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tap_crm.messages import Checkpoint, Row
from tap_crm.reading.answer import Answer
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.shaping.moments import to_epoch
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from tap_crm.contract.stream import Reading
    from tap_crm.reading.answer import Continuation
    from tap_crm.reading.listing import Bound
    from tap_crm.transport.question import Reply

PAGE_SIZE = 100


class _Answer(msgspec.Struct, frozen=True):
    contacts: msgspec.Raw
    next: str | None


class _Contact(msgspec.Struct, frozen=True):
    id: int
    updated_at: str


_ANSWERS, _CONTACTS = msgspec.json.Decoder(_Answer), msgspec.json.Decoder(list[_Contact])


@dataclass(frozen=True, slots=True)
class ContactListing:
    """All contacts, by their last change."""

    reading: Reading
    times: tuple[str, ...] = ("updated_at",)
    ascending: bool = True
    reach: int | None = None
    tells_end: bool = True
    knows_until: bool = False

    @property
    def label(self) -> str:
        """The stream's name."""
        return self.reading.spec.name

    def orders(self, by: str) -> tuple[str, ...]:
        """Return the one order."""
        return (by,)

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:  # noqa: ARG002
        """Return the contacts from a time on, or those behind a cursor."""
        params: dict[str, str | int] = {"limit": PAGE_SIZE}
        for bound in bounds:
            params["updated_since"] = bound.low or 0
        if after is not None:
            params["cursor"] = after
        question = Question("GET", "/contacts", f"{self.label}{', next page' if after else ''}", params=params)
        answer: Answer = self.reading.ask(question, self._parse)
        return answer

    def _parse(self, reply: Reply) -> Answer:
        answer = _ANSWERS.decode(reply.body)
        body = bytes(answer.contacts)
        rows = tuple(Row(one.id, (to_epoch(one.updated_at),)) for one in _CONTACTS.decode(body))
        return Answer(rows, body, answer.next, None, PAGE_SIZE, reply.server_time, times=self.times)


@dataclass(frozen=True, slots=True)
class Contacts:
    """The stream: incremental by the change time."""

    def read(self, reading: Reading) -> None:
        """Read what changed since the bookmark, or all there is."""
        complete = KeysetChanges(
            ContactListing(reading),
            by="updated_at",
            along="updated_at",
            emit=reading.emit,
            ledger=reading.ledger,
            concludes=reading.concludes,
            index_lag=reading.settings.overlap_seconds,
        ).read(reading.since)
        reading.emit(Checkpoint(complete))

    def probe(self, reading: Reading) -> None:
        """Ask for the first page."""
        ContactListing(reading).ask((), "updated_at", None)

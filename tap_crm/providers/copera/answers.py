"""What Copera's answers have in common: bare arrays, named lists, single objects; offsets with a total."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec

from tap_crm.reading.listing import Row
from tap_crm.reading.part import Part
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

Record: TypeAlias = dict[str, Any]
Answered = TypeVar("Answered")

_ANY = msgspec.json.Decoder(float_hook=Decimal)


def decoded(reply: Reply) -> object:
    """Return a body as it is."""
    return _ANY.decode(reply.body)


def records_in(body: object, key: str | None = "_id") -> list[Record]:
    """Return a list of records that all have their key.

    Raises:
        Doubtful: it is none; asked again, never taken for an empty list.
    """
    if not isinstance(body, list) or not all(isinstance(record, dict) for record in body):
        raise Doubtful("the answer is not the documented list")
    if key is not None and not all(record.get(key) for record in body):
        raise Doubtful(f"a record has no {key}")
    return body


def one_record(reply: Reply) -> Record:
    """Return an answer that is one object with an id."""
    body = decoded(reply)
    if not isinstance(body, dict) or not body.get("_id"):
        raise Doubtful("the answer is not the documented object")
    return body


def some_list(body: object) -> list[Record]:
    """Return the records of an envelope whose list has no documented name: its one array, or the answer itself."""
    if isinstance(body, dict):
        lists = [value for value in body.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise Doubtful("the answer holds no list, or several")
        body = lists[0]
    return records_in(body, None)


def content_of(reply: Reply) -> str:
    """Return the markdown text of a row, a cell or a document."""
    body = decoded(reply)
    if not isinstance(body, dict) or not isinstance(body.get("content"), str):
        raise Doubtful("the answer is not the documented text")
    content: str = body["content"]
    return content


def get(path: str, label: str, params: Mapping[str, str | int] | None = None) -> Question:
    """Return a question."""
    return Question("GET", path, label, params=params or {})


def ask_list(reading: Reading, path: str, label: str, unwrap: Callable[[object], list[Record]]) -> list[Record]:
    """Return the records of an answer that is everything there is."""
    return ask_twice(reading, get(path, label), lambda reply: unwrap(decoded(reply)), lambda found: not found)


def ask_twice(
    reading: Reading, question: Question, parse: Callable[[Reply], Answered], is_empty: Callable[[Answered], bool]
) -> Answered:
    """Return an answer; that there is nothing is believed if it is said twice."""
    reading.ledger.add(pages=1)
    found: Answered = reading.ask(question, parse)
    if is_empty(found):
        reading.ledger.add(pages=1)
        found = reading.ask(question, parse)
    return found


@dataclass(frozen=True, slots=True)
class OffsetList:
    """A list by ``limit`` and ``offset`` that tells its total: channels, members, teams."""

    reading: Reading
    path: str
    name: str
    size: int

    @property
    def label(self) -> str:
        """The stream's name."""
        return self.reading.spec.name

    def ask_from(self, skip: int) -> Part:
        """Return records from a position on."""
        params: dict[str, str | int] = {"limit": self.size, "offset": skip}
        part: Part = self.reading.ask(get(self.path, f"{self.label}, from {skip + 1}", params), self._parse(skip))
        return part

    def _parse(self, skip: int) -> Callable[[Reply], Part]:
        def parse(reply: Reply) -> Part:
            body = decoded(reply)
            envelope = body if isinstance(body, dict) else {}
            records = records_in(envelope.get(self.name))
            total = envelope.get("total")
            counted = total if isinstance(total, int) and not isinstance(total, bool) else None
            end = skip + len(records)
            more = end < counted if counted is not None else len(records) >= self.size
            rows = tuple(Row(record["_id"], ()) for record in records)
            after = skip + max(1, len(records)) if more else None
            return Part(rows, msgspec.json.encode(records), after, counted, self.size, reply.server_time)

        return parse

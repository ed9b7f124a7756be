"""Streams that one answer gives: a list without pages, or a single object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tap_crm.providers.common.records import decoded, record_in, records_in, with_keys
from tap_crm.reading.emptiness import WHOLE
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.transport.question import Reply

T = TypeVar("T")


def ask_once(reading: Reading, question: Question, parse: Callable[[Reply], T]) -> T:
    """Return an answer, counted as a page."""
    reading.ledger.add(pages=1)
    found: T = reading.ask(question, parse)
    return found


def ask_twice_if_empty(
    reading: Reading,
    question: Question,
    parse: Callable[[Reply], T],
    is_empty: Callable[[T], bool] = lambda found: not found,
    *,
    is_doubtful: bool = True,
) -> T:
    """Return an answer; that there is nothing is believed if it is said twice, or is not doubtful."""
    found = ask_once(reading, question, parse)
    return ask_once(reading, question, parse) if is_doubtful and is_empty(found) else found


def ask_whole_list(
    reading: Reading, question: Question, parse: Callable[[Reply], list[Record]], name: str = WHOLE
) -> list[Record]:
    """Return the records of a list that is one answer; one that is empty, or short, is asked for again.

    ``name`` tells the lists apart of a stream that has several.
    """
    doubtful = reading.lists.is_doubtful(name)
    records = ask_twice_if_empty(reading, question, parse, is_doubtful=doubtful)
    if reading.lists.is_short(len(records), name):
        records = max(records, ask_once(reading, question, parse), key=len)
    reading.lists.note(name, len(records))
    return records


@dataclass(frozen=True, slots=True)
class WholeList:
    """One GET that answers with everything.

    Attributes:
        unwrap: returns the records of a decoded body, or raises ``Doubtful``.
    """

    path: str
    unwrap: Callable[[Any], list[Record]] = records_in
    params: Mapping[str, str | int] = field(default_factory=dict)

    def records(self, reading: Reading) -> list[Record]:
        """Return the list, each record with its keys."""
        question = Question("GET", self.path, reading.spec.name, params=self.params)
        keys = reading.spec.primary_key
        return ask_whole_list(reading, question, lambda reply: with_keys(self.unwrap(decoded(reply)), *keys))

    def read(self, reading: Reading) -> None:
        """Read the list."""
        emit_all(reading, self.records(reading))

    def probe(self, reading: Reading) -> None:
        """Read the list: it is one request."""
        self.records(reading)


@dataclass(frozen=True, slots=True)
class OneRecord:
    """A stream of one record, such as the account; asked for once per run, also for its id.

    Attributes:
        key: of the record.
    """

    path: str
    key: str

    def record(self, reading: Reading) -> Record:
        """Return it."""
        question = Question("GET", self.path, self.path.strip("/").partition("/")[0])
        return reading.once_per_run.get(
            self, lambda: ask_once(reading, question, lambda reply: record_in(decoded(reply), self.key))
        )

    def read(self, reading: Reading) -> None:
        """Read it."""
        emit_all(reading, [self.record(reading)])

    def probe(self, reading: Reading) -> None:
        """Read it: it is one request."""
        self.record(reading)

    def ids(self, reading: Reading) -> list[str]:
        """Return its id."""
        return [str(self.record(reading)[self.key])]


def emit_all(reading: Reading, records: list[Record]) -> None:
    """Emit the records of an answer that is everything there is: their number is the CRM's count."""
    reading.ledger.source_total = len(records)
    reading.emit_records(records)

"""What Copera's answers have in common: lists under a name, texts; offsets with a total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.messages import Row
from tap_crm.providers.common.records import decoded, encoded, records_in
from tap_crm.providers.common.whole_list import ask_twice_if_empty
from tap_crm.reading.answer import Answer
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.transport.question import Reply


def some_list(body: object) -> list[Record]:
    """Return the records of an envelope whose list has no documented name: its one array, or the answer itself."""
    if isinstance(body, dict):
        lists = [value for value in body.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise Doubtful("the answer holds no list, or several")
        body = lists[0]
    return records_in(body)


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
    return ask_twice_if_empty(reading, get(path, label), lambda reply: unwrap(decoded(reply)))


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

    def ask_from(self, skip: int) -> Answer:
        """Return records from a position on."""
        params: dict[str, str | int] = {"limit": self.size, "offset": skip}
        answer: Answer = self.reading.ask(get(self.path, f"{self.label}, from {skip + 1}", params), self._parse(skip))
        return answer

    def _parse(self, skip: int) -> Callable[[Reply], Answer]:
        def parse(reply: Reply) -> Answer:
            body = decoded(reply)
            records = records_in(body.get(self.name) if isinstance(body, dict) else None, "_id")
            total = body.get("total")
            counted = total if isinstance(total, int) and not isinstance(total, bool) else None
            end = skip + len(records)
            # A full one is not the last on the word of the count alone, which may be that of the answer.
            more = len(records) >= self.size or (counted is not None and end < counted)
            rows = tuple(Row(record["_id"], ()) for record in records)
            after = skip + max(1, len(records)) if more else None
            return Answer(rows, encoded(records), after, counted, self.size, reply.server_time)

        return parse

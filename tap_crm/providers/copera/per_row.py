"""What Copera gives per row or per document only: comments, texts. A request for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_crm import errors
from tap_crm.messages import Row
from tap_crm.providers.common.per_parent import PARENTS_AT_ONCE, PerParent
from tap_crm.providers.common.records import Record, decoded, encoded, is_key, records_in
from tap_crm.providers.common.whole_list import ask_twice_if_empty
from tap_crm.providers.copera.account import account
from tap_crm.providers.copera.answers import content_of, get
from tap_crm.providers.copera.rows import PATIENCE, items_in
from tap_crm.providers.copera.trees import DOCUMENTS
from tap_crm.reading.answer import Answer
from tap_crm.reading.cursor import CursorReader
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_crm.contract.stream import Reading
    from tap_crm.reading.answer import Continuation
    from tap_crm.transport.question import Reply

#: How often a page of comments is asked for that holds none, and says that there are some.
ATTEMPTS_AT_A_CONTRADICTION = 4
RICH_TEXT = ("DESCRIPTION", "PARAGRAPH", "RICH_TEXT")
Place: TypeAlias = dict[str, Any]
#: The same as what tells places apart.
Key: TypeAlias = tuple[tuple[str, Any], ...]


def per_place(
    parents: Callable[[Reading], Iterator[Place]],
    ask: Callable[[Reading, Place], list[Record]],
    probing: Callable[[Reading], object] = account,
) -> PerParent[Key]:
    """Return a stream that costs a request for each place.

    Args:
        parents: yields the places.
        ask: returns the records of one place.
        probing: asks one question that shows whether the token sees places.
    """

    def read(reading: Reading, take: Callable[[Iterable[Key]], None]) -> None:
        places = iter(parents(reading))
        while some := [tuple(place.items()) for place in islice(places, PARENTS_AT_ONCE)]:
            take(some)

    def children(reading: Reading, key: Key) -> list[Record]:
        reading.ledger.add(pages=1)
        return ask(reading, dict(key))

    return PerParent(read, children, probing, cost="row or document, 50 of them a minute")


def rows(reading: Reading) -> Iterator[Place]:
    """Yield the place of every row of every table."""
    for table in account(reading).tables:
        path = f"/board/{table['board']}/table/{table['_id']}/rows"
        question = Question("GET", path, f"{reading.spec.name}: rows", spooled=True, patience=PATIENCE)
        for key in ask_twice_if_empty(reading, question, _row_ids):
            yield {"board": table["board"], "table": table["_id"], "row": key}


def _row_ids(reply: Reply) -> list[str]:
    found = [row.get("_id") if isinstance(row, dict) else None for row in items_in(reply)]
    if not all(map(is_key, found)):
        raise Doubtful("a row has no _id")
    if reply.file is not None:
        reply.file.close()
    return [str(key) for key in found]


def rich_text_cells(reading: Reading) -> Iterator[Place]:
    """Yield the place of every cell of a rich-text column."""
    texts = {
        table["_id"]: [
            column["columnId"] for column in table["columns"] if str(column.get("type")).upper() in RICH_TEXT
        ]
        for table in account(reading).tables
    }
    for place in rows(reading):
        for column in texts[place["table"]]:
            yield {**place, "columnId": column}


def documents(reading: Reading) -> Iterator[Place]:
    """Yield every document."""
    for node in DOCUMENTS.nodes(reading):
        yield {"document": node["_id"], "title": node.get("title"), "updatedAt": node.get("updatedAt")}


def _row_path(place: Place) -> str:
    return f"/board/{place['board']}/table/{place['table']}/row/{place['row']}"


@dataclass(frozen=True, slots=True)
class _Comments:
    """The comments of a row."""

    reading: Reading
    place: Place
    label: str = "row_comments"

    def ask_after(self, cursor: Continuation | None) -> Answer:
        """Return a page; one that contradicts itself is asked for again.

        Raises:
            Incomplete: there is said to be more, and no way leads on.
        """
        params = {} if cursor is None else {"after": cursor}
        question = get(f"{_row_path(self.place)}/comments", "row_comments of a row", params)
        for _ in range(ATTEMPTS_AT_A_CONTRADICTION):
            found: tuple[Answer, bool] = self.reading.ask(question, self._parse)
            answer, contradicts_itself = found
            if not contradicts_itself:
                return answer
        if answer.after is None:
            raise errors.Incomplete(
                "row_comments: the CRM says that a row has more comments, and gives none; run again later"
            )
        return answer

    def _parse(self, reply: Reply) -> tuple[Answer, bool]:
        """Return a page, and whether it holds nothing though it says that there is something."""
        body = decoded(reply)
        if not isinstance(body, dict):
            raise Doubtful("the answer is not the documented list")
        page = body.get("pageInfo") or {}
        items = records_in(body.get("items"), "_id")
        has_next = bool(page.get("hasNextPage"))
        last = page.get("endCursor") or (items[-1]["_id"] if items else None)
        after = str(last) if has_next and last else None
        rows = tuple(Row(item["_id"], ()) for item in items)
        records = encoded([{**self.place, **item} for item in items])
        answer = Answer(rows, records, after, None, len(items), reply.server_time)
        return answer, not items and bool(has_next or page.get("endCursor"))


def row_comments(reading: Reading, place: Place) -> list[Record]:
    """Emit the comments of a row, page after page."""
    CursorReader(_Comments(reading, place), reading.emit, reading.ledger).read()
    return []


def row_description(reading: Reading, place: Place) -> list[Record]:
    """Return the description of a row, if it has one."""
    return _text(reading, f"{_row_path(place)}/md", "row_descriptions of a row", place)


def rich_text_cell(reading: Reading, place: Place) -> list[Record]:
    """Return the full text of a cell, if it has one."""
    path = f"{_row_path(place)}/column/{place['columnId']}/md"
    return _text(reading, path, "rich_text_cells of a row", place)


def document_content(reading: Reading, place: Place) -> list[Record]:
    """Return the text of a document, an empty one too."""
    content = reading.ask(get(f"/docs/{place['document']}/md", "document_contents of a document"), content_of)
    return [{**place, "content": content}]


def _text(reading: Reading, path: str, label: str, place: Place) -> list[Record]:
    content = reading.ask(get(path, label), content_of)
    return [{**place, "content": content}] if content else []

"""What Copera gives per row or per document only: comments, texts. A request for each of them."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_crm import errors
from tap_crm.providers.copera.account import account
from tap_crm.providers.copera.answers import Record, ask_twice, content_of, decoded, get, records_in
from tap_crm.providers.copera.rows import PATIENCE, items_in
from tap_crm.providers.copera.trees import DOCUMENTS
from tap_crm.reading.no_news import NoNews
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

_log = logging.getLogger("tap-crm.copera")

#: Parents whose children are asked for before they are written: bounds the memory.
PARENTS_AT_ONCE = 64
#: How often a page of comments is asked for that holds none, and says that there are some.
LOOKS_AT_A_CONTRADICTION = 4
RICH_TEXT = ("DESCRIPTION", "PARAGRAPH", "RICH_TEXT")
Place: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PerParent:
    """A stream that costs a request for each parent.

    Attributes:
        parents: yields where each parent is.
        ask: returns the records of one parent.
        probing: asks one question that shows whether the token sees parents.
    """

    parents: Callable[[Reading], Iterator[Place]]
    ask: Callable[[Reading, Place], list[Record]]
    probing: Callable[[Reading], object] = account

    def read(self, reading: Reading) -> None:
        """Ask for every parent, some at a time."""
        _log.warning("%s: costs a request for each row or document, 50 of them a minute", reading.spec.name)
        parents = iter(self.parents(reading))
        with ThreadPoolExecutor(max(2, reading.lanes), thread_name_prefix=reading.spec.name) as pool:
            while some := list(islice(parents, PARENTS_AT_ONCE)):
                found = pool.map(lambda place: self._children(reading, place), some)
                records = [record for children in found for record in children]
                reading.emit_records(records)

    def _children(self, reading: Reading, place: Place) -> list[Record]:
        reading.ledger.add(pages=1)
        try:
            return self.ask(reading, place)
        except errors.NotThere:
            return []  # deleted since it was listed

    def probe(self, reading: Reading) -> None:
        """Ask for parents: each question about what they have needs one."""
        self.probing(reading)


def rows(reading: Reading) -> Iterator[Place]:
    """Yield the place of every row of every table."""
    for table in account(reading).tables:
        path = f"/board/{table['board']}/table/{table['_id']}/rows"
        question = Question("GET", path, f"{reading.spec.name}: rows", spooled=True, patience=PATIENCE)
        for key in ask_twice(reading, question, _row_ids, lambda found: not found):
            yield {"board": table["board"], "table": table["_id"], "row": key}


def _row_ids(reply: Reply) -> list[str]:
    found = [str(row.get("_id") or "") if isinstance(row, dict) else "" for row in items_in(reply, "item")]
    if not all(found):
        raise Doubtful("a row has no _id")
    if reply.file is not None:
        reply.file.close()
    return found


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


def row_comments(reading: Reading, place: Place) -> list[Record]:
    """Return the comments of a row, page after page.

    Raises:
        Incomplete: there is said to be more, and no way leads on.
    """
    found: dict[str, Record] = {}
    after: str | None = None
    used: set[str] = set()
    no_news = NoNews(reading.spec.name)
    while True:
        items, following = _ask_comments(reading, place, after)
        before = len(found)
        found.update((comment["_id"], {**place, **comment}) for comment in items)
        if following is None:
            return list(found.values())
        if following in used:
            raise errors.Incomplete("row_comments: the CRM's cursor leads back to a page that was read")
        used.add(following)
        no_news.heed(is_new=len(found) > before)
        after = following


def _ask_comments(reading: Reading, place: Place, after: str | None) -> tuple[list[Record], str | None]:
    """Return a page, and the cursor to the next one; a page that contradicts itself is asked for again."""
    params = {} if after is None else {"after": after}
    question = get(f"{_row_path(place)}/comments", "row_comments of a row", params)
    for _ in range(LOOKS_AT_A_CONTRADICTION):
        items, following, contradicts_itself = reading.ask(question, _comments)
        if not contradicts_itself:
            return items, following
    if following is None:
        raise errors.Incomplete(
            "row_comments: the CRM says that a row has more comments, and gives none; run again later"
        )
    return items, following


def _comments(reply: Reply) -> tuple[list[Record], str | None, bool]:
    """Return the comments of a page, the cursor to the next one, and whether it holds none though there are some."""
    body = decoded(reply)
    if not isinstance(body, dict):
        raise Doubtful("the answer is not the documented list")
    page = body.get("pageInfo") or {}
    items = records_in(body.get("items"))
    has_next = bool(page.get("hasNextPage"))
    last = page.get("endCursor") or (items[-1]["_id"] if items else None)
    return items, str(last) if has_next and last else None, not items and bool(has_next or page.get("endCursor"))


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

"""How the list of an endpoint that a user declared goes on: not at all, by position, by cursor, or page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.providers.common.records import encoded
from tap_crm.reading.answer import Answer

if TYPE_CHECKING:
    from tap_crm.contract.stream import PagingParams
    from tap_crm.providers.common.endpoint_answers import Asker
    from tap_crm.reading.answer import Continuation


@dataclass(slots=True)
class OneAnswer:
    """A list in one answer.

    Attributes:
        asker: asks the endpoint.
    """

    asker: Asker

    @property
    def label(self) -> str:
        """For messages: the stream's name."""
        return self.asker.label

    def ask_from(self, skip: int) -> Answer:  # noqa: ARG002 - there is one answer
        """Return the whole list."""
        records, _, reply = self.asker.ask({})
        return Answer(self.asker.rows(records), encoded(records), None, None, len(records), reply.server_time)


@dataclass(slots=True)
class _Paged:
    """A list in several answers.

    Attributes:
        asker: asks the endpoint.
        params: by what the list goes on.
    """

    asker: Asker
    params: PagingParams

    @property
    def label(self) -> str:
        """For messages: the stream's name."""
        return self.asker.label

    @property
    def page_size(self) -> int:
        """How many rows a full page has, where that is known."""
        return self.params.size or 1

    def _sized(self) -> dict[str, Any]:
        return {} if self.params.size is None else {self.params.size_param: self.params.size}


@dataclass(slots=True)
class Positions(_Paged):
    """A list that is asked from a position on.

    One that tells neither its total nor whether there is more ends where an answer brings nothing new: lists in one
    answer do not heed a position, or refuse it.
    """

    _seen: set[int | str] = field(default_factory=set)
    _tells_more: bool = False

    def ask_from(self, skip: int) -> Answer:
        """Return records from a position on."""
        position = {self.params.param: skip} if skip else {}
        try:
            records, body, reply = self.asker.ask({**position, **self._sized()})
        except errors.Refused:
            if not skip or self._tells_more:
                raise
            return Answer((), b"[]", None, None, 1, self.asker.began)
        total, rows = self.asker.total(body, reply), self.asker.rows(records)
        news = not self._seen.issuperset(row.key for row in rows)
        self._seen.update(row.key for row in rows)
        said = body.get("has_more") if isinstance(body, dict) else None
        self._tells_more = self._tells_more or isinstance(said, bool) or total is not None
        is_full = news and self.params.size is not None and len(records) >= self.params.size
        counted = news if total is None else is_full or skip + len(records) < total
        more = said if isinstance(said, bool) else counted
        after = skip + max(1, len(records)) if more else None
        size = self.params.size or len(records)
        return Answer(rows, encoded(records), after, total, size, reply.server_time)


@dataclass(slots=True)
class Cursors(_Paged):
    """A list of which each answer says where the next one begins."""

    def ask_after(self, cursor: Continuation | None) -> Answer:
        """Return the records behind a cursor; the first ones for None."""
        more = self._sized()
        if cursor is not None:
            more[self.params.param] = cursor
        records, body, reply = self.asker.ask(more)
        rows, following = self.asker.rows(records), _at(body, self.params.cursor_path)
        total, size = self.asker.total(body, reply), self.params.size or len(records)
        return Answer(rows, encoded(records), following, total, size, reply.server_time)


@dataclass(slots=True)
class Pages(_Paged):
    """A list with page numbers."""

    def ask_page(self, number: int, size: int, order: str | None) -> Answer:  # noqa: ARG002 - it comes as it is
        """Return a page, counted from 1."""
        records, body, reply = self.asker.ask({self.params.param: number, **self._sized()})
        start, total = (number - 1) * size, self.asker.total(body, reply)
        more = bool(records) if total is None else start + size < total
        rows, written = self.asker.rows(records), encoded(records)
        return Answer(rows, written, start + size if more else None, total, size, reply.server_time, start)


def _at(body: object, path: str) -> Continuation | None:
    """Return the next cursor of an answer; None where there is none."""
    found = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, (str, int)) and found != "" and not isinstance(found, bool) else None

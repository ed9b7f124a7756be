"""The answer that holds a whole table, sent piece by piece if it is large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.copera.cell_forms import as_kept
from sandbox.copera.filters import filtered, found_by_text, sorted_rows
from sandbox.copera.visibility import sees, sees_all
from sandbox.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.copera.behaviour import RowsCut
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.schema import BoardTable, Row
    from sandbox.copera.service import Service

_PIECE = 256 * 1024
_LARGE = 4 * 1024 * 1024


class RowsAnswer(Answer):
    """An answer whose body is in pieces, which are never joined."""

    def __init__(self, pieces: list[bytes | Row], *, chunked: bool) -> None:
        super().__init__(200, b"")
        self._pieces = pieces
        self.chunked = chunked
        self.cut: RowsCut | None = None
        commas = max(len(pieces) - 1, 0)
        self.length = 2 + commas + sum(len(one) if isinstance(one, bytes) else one.size for one in pieces)

    @property
    def size(self) -> int:
        """Bytes that are sent, which are fewer than there are if the answer is cut."""
        if self.cut is None:
            return self.length
        at = self.cut.at
        wanted = at * self.length if 0 <= at < 1 else at if at >= 1 else self.length + at
        return max(0, min(int(wanted), self.length))

    @property
    def declared(self) -> int | None:
        """The Content-Length, if there is one."""
        if self.cut is None:
            return None if self.chunked else self.length
        return {"short_message": self.size, "closed": self.length}.get(self.cut.how)

    @property
    def closes(self) -> bool:
        """Whether the connection is closed where the answer is cut."""
        return self.cut is not None and self.cut.how.endswith("closed")

    def parts(self) -> Iterator[bytes]:
        """Give the body in pieces of a few hundred kilobytes, up to where it is cut."""
        left = self.size
        for part in self._all():
            if len(part) >= left:
                yield part[:left]
                return
            left -= len(part)
            yield part

    def _all(self) -> Iterator[bytes]:
        batch, size, before = [b"["], 1, b""
        for one in self._pieces:
            if before:
                batch.append(before)
            before = b","
            if isinstance(one, bytes):
                batch.append(one)
                size += len(one)
            else:
                batch += (one.raw, one.tail)
                size += one.size
            if size > _PIECE:
                yield b"".join(batch)
                batch, size = [], 0
        yield b"".join([*batch, b"]"])

    def whole(self) -> Answer:
        """Join the body, for those who break it."""
        return Answer(200, b"".join(self._all()))


def rows_answer(service: Service, asked: CheckedRequest, table: BoardTable) -> Answer:
    """Give all rows of a table that the token sees and that were asked for."""
    knobs, rows = service.behaviour, list(table.rows.values())
    if not sees_all(service):
        rows = [one for one in rows if sees(service, asked.token, table, one)]
    if knobs.row_order != "created":
        rows.reverse()
    if knobs.row_order == "shuffled":
        service.rng.shuffle(rows)
    pieces: list[bytes | Row] = list(rows)
    if not as_kept(knobs) or any(asked.given.values()):
        searched = asked.given["q"] or asked.given["filter"]
        account = service.account
        known = [account.searched_record(one) if searched else account.plain_record(one) for one in rows]
        records = [one for one in known if one is not None]
        records = found_by_text(records, table, asked.given["q"])
        records = filtered(records, table, asked.given["filter"], service.now())
        records = sorted_rows(records, table, asked.given["sort"])
        pieces = [msgspec.json.encode(service.account.in_form(one)) for one in records]
    answer = RowsAnswer(pieces, chunked=knobs.transfer == "chunked")
    answer.cut = service.due_cut(table.id)
    if answer.cut or answer.chunked or answer.length > _LARGE:
        return answer
    return answer.whole()

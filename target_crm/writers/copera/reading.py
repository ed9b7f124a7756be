"""Finds and reads Copera's rows and comments for writing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.providers.copera.answers import content_of, get
from tap_crm.providers.copera.rows import PATIENCE, items_in
from tap_crm.transport.question import Question
from target_crm.contract import NEW
from target_crm.kinds.plain import Number
from target_crm.writers.common import one_or_none
from target_crm.writers.copera.answers import check_row, row_of, snapshot
from target_crm.writers.copera.kinds import ID, IN_A_PATH, CellText, RichText
from target_crm.writers.copera.objects import DESCRIPTION
from target_crm.writers.copera.place import row_path, table_path
from target_crm.writers.copera.whole import Whole, has

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_crm.providers.copera.tables import Table
    from tap_crm.transport.question import Reply
    from target_crm.contract import Columns, Field, Id, ObjectSpec, Snapshot
    from target_crm.writers.copera.tables import Tables
    from target_crm.writers.copera.whole import Values
    from target_crm.writers.definitions import Ask, Definitions

#: Fewer rows than this are asked for one by one.
FEW = 4
#: Conditions of one filter (developer.copera.ai: rows).
CONDITIONS = 20
_SINGLE_AT_ONCE = 4


class Rows:
    """Reads rows.

    Args:
        ask: asks the CRM.
        tables: the workspace's.
        definitions: keep what is read once per run.
        columns: returns an object's fields in this account.
    """

    def __init__(
        self,
        ask: Ask,
        tables: Tables,
        definitions: Definitions,
        columns: Callable[[ObjectSpec], Columns],
    ) -> None:
        self._ask = ask
        self._tables = tables
        self._definitions = definitions
        self._columns = columns
        #: By object, the fields with long texts that records of this run have: only those are read whole.
        self.texts: dict[str, set[Field]] = {}

    def whole(self, spec: ObjectSpec) -> Whole:
        """Return all rows of a table: asked for when they are needed first."""
        make = lambda: Whole(self._columns(spec), lambda take: self._all(spec, take))  # noqa: E731
        return self._definitions.once_per_run.get(("whole", spec.name), make)

    def place(self, spec: ObjectSpec) -> tuple[str, str]:
        """Return the ids of the board and the table."""
        table = self._tables.of(spec.name)
        return table.record["board"], table.record["_id"]

    def _all(self, spec: ObjectSpec, take: Callable[[Iterable[dict[str, Any]]], None]) -> None:
        """Hand over all rows; that there are none is believed if it is said twice."""

        def parse(reply: Reply) -> int:
            count = 0

            def counted() -> Iterator[dict[str, Any]]:
                nonlocal count
                for row in _rows(reply):
                    count += 1
                    yield row

            take(counted())
            return count

        question = self._question(spec, {})
        if not self._ask(question, parse):
            self._ask(question, parse)

    def _question(self, spec: ObjectSpec, params: Mapping[str, str | int]) -> Question:
        path = f"{table_path(*self.place(spec))}/rows"
        return Question("GET", path, f"{spec.name}: rows", params=params, spooled=True, patience=PATIENCE)

    def _list(self, spec: ObjectSpec, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask(self._question(spec, params), lambda reply: list(_rows(reply)))
        return found

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> dict[Id, Snapshot]:
        """Return the rows with these ids; those that changed since the table was read, one by one."""
        wanted = [str(one) for one in ids if str(one) and not str(one).startswith(NEW)]
        whole = self.whole(spec)
        found: dict[Id, Snapshot] = {}
        if whole.is_read or len(wanted) >= FEW:
            known = whole.by_ids(key for key in wanted if since.get(key, 0.0) != float("inf"))
            found.update({key: one for key, one in known.items() if (one.changed or 0.0) >= since.get(key, 0.0)})
        left = [key for key in wanted if key not in found]
        found.update({key: record for key, record in self._one_by_one(spec, left) if record is not None})
        return found

    def _one_by_one(self, spec: ObjectSpec, ids: Sequence[str]) -> list[tuple[str, Snapshot | None]]:
        if len(ids) < 2:  # noqa: PLR2004 - nothing is side by side
            return [(key, self.one(spec, key)) for key in ids]
        with ThreadPoolExecutor(_SINGLE_AT_ONCE) as pool:
            return list(zip(ids, pool.map(lambda key: self.one(spec, key), ids), strict=True))

    def one(self, spec: ObjectSpec, key: str) -> Snapshot | None:
        """Return one row, with the whole of its long texts; None if it is gone."""
        row = self.row(*self.place(spec), key)
        if row is None:
            return None
        texts = {field.name: self.text(spec, key, field) for field in self.texts.get(spec.name, ())}
        return snapshot(row, self._columns(spec), texts=texts)

    def row(self, board: str, table: str, key: str) -> dict[str, Any] | None:
        """Return a row as the API has it; None if there is none in this table.

        Raises:
            Refused: the CRM refuses to look for what is an id: whether there is such a row is not known.
        """
        if not IN_A_PATH.fullmatch(key):  # it would be the address of something else
            return None
        try:
            return one_or_none(self._ask, get(row_path(board, table, key), "one row"), row_of)
        except errors.Refused:
            if ID.fullmatch(key):
                raise
            return None  # what is no id at all is refused (developer.copera.ai: errors)

    def text(self, spec: ObjectSpec, key: str, field: Field) -> str:
        """Return the whole of a long text; "" where there is none."""
        try:
            found: str = self._ask(get(self.text_path(spec, key, field), f"{spec.name}: text of a row"), content_of)
        except errors.NotThere:
            return ""
        return found

    def text_path(self, spec: ObjectSpec, key: str, field: Field) -> str:
        """Return the path of a long text: of a cell, or of the row's description."""
        path = row_path(*self.place(spec), key)
        return f"{path}/md" if field.name == DESCRIPTION else f"{path}/column/{field.custom}/md"

    def find(
        self, spec: ObjectSpec, fields: Sequence[Field], wanted: Sequence[Values], since: float | None
    ) -> list[Sequence[Snapshot]]:
        """Return for each tuple of values the rows that have them.

        A few are asked for by a filter; that one is not there is believed only if the whole table has none.
        """
        whole = self.whole(spec)
        found: dict[int, Sequence[Snapshot]] = {}
        if len(wanted) <= CONDITIONS and (since is not None or not whole.is_read):
            found = self._filtered(spec, fields, wanted)
        if since is not None and len(found) < len(wanted):
            whole.anew()
        left = [at for at in range(len(wanted)) if not found.get(at)]
        others = dict(zip(left, whole.find(fields, [wanted[at] for at in left]), strict=True)) if left else {}
        return [found.get(at) or others[at] for at in range(len(wanted))]

    def _filtered(
        self, spec: ObjectSpec, fields: Sequence[Field], wanted: Sequence[Values]
    ) -> dict[int, Sequence[Snapshot]]:
        """Return by position the rows that a filter finds; how a filter compares is not documented for every kind."""
        field = fields[0]
        if field.custom is None or not isinstance(field.kind, (CellText, Number)):
            return {}
        conditions = [
            {"column_id": field.custom, "operator": "equals", "value": field.kind.write(values[0])}
            for values in wanted
            if values[0] is not None
        ]
        if not conditions:
            return {}
        try:
            rows = self._list(spec, {"filter": json.dumps({"match": "or", "conditions": conditions})})
        except errors.Refused:
            return {}
        records = [snapshot(row, self._columns(spec), is_indexed=True) for row in rows]
        matching = {at: [one for one in records if has(one, fields, values)] for at, values in enumerate(wanted)}
        return {at: some for at, some in matching.items() if some}

    def table_of_row(self, key: str, given: tuple[str | None, str | None]) -> Table | None:
        """Return the table that has a row: the given one if it has, else any.

        Raises:
            Refused: none has it, as far as the CRM says; one of them it refuses to tell of.
        """
        refused: errors.Refused | None = None
        for one in sorted(self._tables.all(), key=lambda one: (one.record["board"], one.record["_id"]) != given):
            try:
                if self.row(one.record["board"], one.record["_id"], key) is not None:
                    return one
            except errors.Refused as refusal:
                refused = refusal
        if refused is not None:
            raise refused
        return None


def _rows(reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the rows of an answer, as they are in its file.

    Raises:
        Doubtful: something in it is no row, or it is not whole; perhaps after having yielded some.
    """
    for row in items_in(reply):
        check_row(row)
        yield row
    if reply.file is not None:
        reply.file.close()


def text_fields(fields: Iterable[Field]) -> set[Field]:
    """Return the fields with long texts, of which rows show a preview."""
    return {field for field in fields if isinstance(field.kind, RichText)}

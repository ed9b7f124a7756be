"""The requests that write rows (developer.copera.ai: rows; copera-cli: markdown of rows and cells)."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.transport.question import Question
from target_crm.contract import NotTaken, Written
from target_crm.writers.common import after_effect, has_all, is_blank, not_restored, sent_again
from target_crm.writers.copera.answers import is_queued, row_of, row_or_nothing, snapshot
from target_crm.writers.copera.kinds import RowLinks
from target_crm.writers.copera.objects import DESCRIPTION
from target_crm.writers.copera.place import row_path, table_path
from target_crm.writers.copera.reading import text_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_crm.transport.question import Reply
    from target_crm.contract import Answer, Columns, Field, ObjectSpec, Snapshot, Write
    from target_crm.writers.copera.reading import Rows
    from target_crm.writers.definitions import Ask

#: Seconds until a row that is in conflict is sent again; what a conflict is, is not documented.
CONFLICT_WAITS = (1.0, 2.0)
#: Seconds until a queued text is looked for again.
TEXT_WAITS = (0.5, 1.0, 2.0, 4.0)


class Requests:
    """Sends.

    Args:
        ask: asks the CRM.
        rows: reads again where an answer says too little.
        columns: returns a table's fields.
        sleep: waits.
    """

    def __init__(
        self,
        ask: Ask,
        rows: Rows,
        columns: Callable[[ObjectSpec], Columns],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ask = ask
        self._rows = rows
        self._columns = columns
        self._sleep = sleep
        #: Tables of which an update empties the cells that it does not name.
        self._forgetful: set[str] = set()

    def create(self, spec: ObjectSpec, write: Write) -> Answer:
        """Make a row, with its texts as markdown."""
        body: dict[str, Any] = {"columns": _cells(write.values)}
        for field, value in write.values.items():
            if field.name == DESCRIPTION and value is not None:
                body[DESCRIPTION] = value
        question = Question(
            "POST", f"{table_path(*self._rows.place(spec))}/row", f"{spec.name}: POST", body=body, writes=True
        )
        row = self._send(question, row_of)
        self._rows.whole(spec).note(row)
        texts = text_fields(field for field, value in write.values.items() if value is not None)
        shown = {field.name: self._settled(spec, row["_id"], field, write.values[field]) for field in texts}
        return Written(row["_id"], snapshot(row, self._columns(spec), texts=shown))

    def update(self, spec: ObjectSpec, write: Write) -> Answer:
        """Change cells, then texts, each by its own route."""
        key = str(write.id)
        texts = text_fields(write.values)
        cells = {field: value for field, value in write.values.items() if field not in texts}
        self._rows.whole(spec).forget(key)
        record = self._cells(spec, write, cells) if cells else None
        if isinstance(record, NotTaken):
            return record
        shown: dict[str, str] = {}
        for field in sorted(texts, key=lambda one: one.name):
            try:
                self._write_text(spec, key, field, write.values[field])
            except errors.EffectUnknown:
                pass  # it is read, and named if it is not there
            except (errors.ReadError, errors.Cancelled):
                if not cells and not shown:
                    raise  # nothing is written yet
            shown[field.name] = self._settled(spec, key, field, write.values[field])
        if record is None:
            with after_effect(f"{spec.name}: text of a row"):
                row = self._rows.row(*self._rows.place(spec), key)
            if row is None:
                return NotTaken("the CRM has no such row any more", gone=True)
            return Written(key, snapshot(row, self._columns(spec), texts=shown))
        values = {name: {"preview": record.values.get(name), "text": text} for name, text in shown.items()}
        return Written(key, _with(record, values))

    def delete(self, spec: ObjectSpec, write: Write) -> Answer:
        """Delete a row; one that answers well and is still there counts as not taken."""
        place, key = self._rows.place(spec), str(write.id)
        self._send(Question("DELETE", row_path(*place, key), f"{spec.name}: DELETE", writes=True), lambda _: None)
        self._rows.whole(spec).forget(key)
        with after_effect(f"{spec.name}: DELETE"):
            is_there = self._rows.row(*place, key) is not None
        if is_there:
            return NotTaken("the CRM answered well and ignored the deletion")
        return Written(key)

    def _cells(self, spec: ObjectSpec, write: Write, cells: Mapping[Field, Any]) -> Snapshot | NotTaken | None:
        """Change cells; what empties one is not documented, nor that the others stay: both are looked after.

        Returns:
            The row; None if it is gone.
        """
        record = self._changed(spec, write, cells)
        if record is None:
            return None
        emptied = [field for field, value in cells.items() if value is None]
        lost = _lost(self._columns(spec), write, record)
        try:
            if lost:  # or the answer does not name them
                now = self._now(spec, write)
                if now is None:
                    return record
                record, lost = now, _lost(self._columns(spec), write, now)
            if lost:
                self._forgetful.add(spec.name)
        except (errors.ReadError, errors.Cancelled):
            return record  # the cells are written: what is not as it was sent is seen in this answer
        kept = [field for field in emptied if not is_blank(field.value_in(record.values))]
        if not kept and not lost:
            return record
        try:
            return sent_again(lambda: self._patch(spec, write, [*_cells(cells, otherwise=kept), *_cells(lost)]))
        except (errors.ReadError, errors.Cancelled, errors.EffectUnknown):
            pass  # the row tells
        now = None
        with suppress(errors.ReadError, errors.Cancelled):
            now = self._now(spec, write)
        return not_restored(lost) if lost and (now is None or not has_all(now, lost)) else now or record

    def _changed(self, spec: ObjectSpec, write: Write, cells: Mapping[Field, Any]) -> Snapshot | None:
        """Send cells, with all others where these would be emptied else; return the row, read where no answer has it.

        Raises:
            EffectUnknown: neither an answer nor the row tells that they were taken.
        """
        others = _cells(_held(self._columns(spec), write)) if spec.name in self._forgetful else []
        first, *ways = ([*way, *others] for way in _ways(cells))
        try:
            try:
                record = self._patch(spec, write, first)
            except errors.Refused as refusal:
                record = self._in_another_way(spec, write, ways, refusal)
        except errors.EffectUnknown as doubt:
            try:
                record = self._now(spec, write)
            except (errors.ReadError, errors.Cancelled):
                raise doubt from None
            if record is None or not has_all(record, cells):
                raise
            return record
        if record is None:
            with after_effect(f"{spec.name}: PATCH"):
                record = self._now(spec, write)
        return record

    def _in_another_way(
        self, spec: ObjectSpec, write: Write, ways: Sequence[Sequence[Mapping[str, Any]]], refusal: errors.Refused
    ) -> Snapshot | None:
        for way in ways:
            with suppress(errors.Refused):
                return self._patch(spec, write, way)
        raise refusal

    def _now(self, spec: ObjectSpec, write: Write) -> Snapshot | None:
        """Read the row; None if it is gone."""
        row = self._rows.row(*self._rows.place(spec), str(write.id))
        return None if row is None else snapshot(row, self._columns(spec))

    def _patch(self, spec: ObjectSpec, write: Write, cells: Sequence[Mapping[str, Any]]) -> Snapshot | None:
        path = row_path(*self._rows.place(spec), str(write.id))
        question = Question("PATCH", path, f"{spec.name}: PATCH", body={"columns": cells}, writes=True)
        row = self._send(question, row_or_nothing)
        return None if row is None else snapshot(row, self._columns(spec))

    def _write_text(self, spec: ObjectSpec, key: str, field: Field, value: str | None) -> None:
        body = {"operation": "replace", "content": value or ""}
        path = self._rows.text_path(spec, key, field)
        self._send(Question("POST", path, f"{spec.name}: text of a row", body=body, writes=True), is_queued)

    def _settled(self, spec: ObjectSpec, key: str, field: Field, value: str | None) -> str:
        """Return a text that was queued, once it is there; it is written once more if it does not come."""
        text = ""
        for number, wait in enumerate((*TEXT_WAITS, 0.0)):
            try:
                text = self._rows.text(spec, key, field)
                if field.kind is None or field.kind.holds(field.kind.read(text), value):
                    return text
                if number == len(TEXT_WAITS) - 1:
                    self._write_text(spec, key, field, value)
            except (errors.ReadError, errors.EffectUnknown, errors.Cancelled):
                return text  # what is written besides is written: the core reads again, and names this text
            self._sleep(wait)
        return text

    def _send(self, question: Question, parse: Callable[[Reply], Any]) -> Any:  # noqa: ANN401
        for wait in CONFLICT_WAITS:
            try:
                return self._ask(question, parse)
            except errors.InConflict:
                self._sleep(wait)
        return self._ask(question, parse)


def _with(record: Snapshot, values: Mapping[str, Any]) -> Snapshot:
    return replace(record, values={**record.values, **values})


def _cells(values: Mapping[Field, Any], otherwise: Sequence[Field] = ()) -> list[dict[str, Any]]:
    """Return cells as the API takes them; those in ``otherwise`` are emptied in another way than at first."""
    return [
        {
            "columnId": field.custom,
            "value": _other(field, field.kind.write(value)) if field in otherwise else field.kind.write(value),
        }
        for field, value in values.items()
        if field.custom is not None and field.kind is not None
    ]


def _ways(values: Mapping[Field, Any]) -> list[list[dict[str, Any]]]:
    """Return the ways in which these cells may be sent: all that are emptied by null, or by an empty text."""
    fixed = {field.custom for field, value in values.items() if value is not None or isinstance(field.kind, RowLinks)}
    found = [_cells(values)]
    for empty in (None, ""):
        way = [cell if cell["columnId"] in fixed else {**cell, "value": empty} for cell in found[0]]
        if way not in found:
            found.append(way)
    return found


def _other(field: Field, empty: Any) -> Any:  # noqa: ANN401
    """Return the other way to empty a cell; links have one only (university.copera.ai: boards-how-it-works)."""
    if isinstance(field.kind, RowLinks):
        return empty
    return "" if empty is None else None


def _lost(columns: Columns, write: Write, record: Snapshot) -> dict[Field, Any]:
    """Return the cells that were not sent and are empty now, with what they held, if that are all of them.

    Some of them may well have been emptied by an automation of the board's, which is none of our business.
    """
    filled = _held(columns, write)
    gone = all(is_blank(field.value_in(record.values)) for field in filled)
    return filled if gone else {}


def _held(columns: Columns, write: Write) -> dict[Field, Any]:
    """Return the cells that are not sent and held something before, with that."""
    if write.present is None:
        return {}
    texts = text_fields(columns.by_id.values())
    held = {
        field: field.value_in(write.present.values)
        for field in columns.by_id.values()
        if field.kind is not None and not field.only_new and field not in write.values and field not in texts
    }
    return {field: value for field, value in held.items() if not is_blank(value)}

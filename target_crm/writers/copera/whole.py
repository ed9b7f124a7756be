"""All rows of a table, from one request: for finding and comparing, without a request per row."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec

from target_crm.kinds.contact_points import are_same_phones
from target_crm.kinds.options import Choice
from target_crm.writers.copera.answers import snapshot, value_of
from target_crm.writers.copera.kinds import CellText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_crm.contract import Columns, Field, Snapshot

Values = tuple[Any, ...]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(dict[str, Any])
_LOCAL_DIGITS = 7


class Whole:
    """The rows as they were when they were read, and as they were written since; who writes over one reads it again.

    Args:
        columns: the table's.
        read: asks for all rows.
    """

    def __init__(self, columns: Columns, read: Callable[[], Iterable[dict[str, Any]]]) -> None:
        self._columns = columns
        self._read = read
        self._lock = threading.RLock()
        self._rows: dict[str, bytes] | None = None
        self._stale: set[str] = set()
        self._by_value: dict[str, dict[str, set[str]]] = {}
        self._shown: dict[str, list[Choice]] = {}

    @property
    def is_read(self) -> bool:
        """Whether the table was asked for."""
        return self._rows is not None

    def anew(self) -> None:
        """Ask for all rows again."""
        with self._lock:
            self._rows = {row["_id"]: _ENCODER.encode(row) for row in self._read()}
            self._stale.clear()
            self._by_value.clear()

    def _known(self) -> dict[str, bytes]:
        if self._rows is None:
            self.anew()
        assert self._rows is not None  # noqa: S101 - just read
        return self._rows

    def note(self, row: Mapping[str, Any]) -> None:
        """Take a row as an answer has it; it is read again before it is compared."""
        self.forget(row["_id"])
        with self._lock:
            if self._rows is None:
                return
            self._rows[row["_id"]] = _ENCODER.encode(row)
            values = snapshot(row, self._columns).values
            for name, index in self._by_value.items():
                for key in keys_of(self._columns.fields[name], value_of(values, self._columns.fields[name])):
                    index.setdefault(key, set()).add(row["_id"])

    def forget(self, key: str) -> None:
        """Note that a row is not any more as it was."""
        with self._lock:
            self._stale.add(key)

    def by_ids(self, ids: Iterable[str]) -> dict[str, Snapshot]:
        """Return the rows with these ids that are as they were read."""
        with self._lock:
            rows = self._known()
            return {key: self._snapshot(rows[key]) for key in ids if key in rows and key not in self._stale}

    def find(self, fields: Sequence[Field], values: Values) -> list[Snapshot]:
        """Return the rows that have these values."""
        with self._lock:
            rows, index = self._known(), self._index(fields[0])
            ids = sorted(set().union(*(index.get(key, set()) for key in keys_of(fields[0], values[0]))))
            found = [self._snapshot(rows[key]) for key in ids if key in rows]
        return [one for one in found if has(one, fields, values)]

    def shown(self, column: str) -> Sequence[Choice]:
        """Return what Copera shows for the rows that a column links to, with their ids."""
        with self._lock:
            if column not in self._shown:
                labels: dict[str, set[str]] = {}
                for text in self._known().values():
                    for cell in _DECODER.decode(text)["columns"]:
                        if isinstance(cell, dict) and cell.get("columnId") == column:
                            _take_labels(cell, labels)
                self._shown[column] = [Choice(key, tuple(sorted(said))) for key, said in labels.items()]
            return self._shown[column]

    def _snapshot(self, text: bytes) -> Snapshot:
        return snapshot(_DECODER.decode(text), self._columns, is_indexed=True)

    def _index(self, field: Field) -> dict[str, set[str]]:
        if field.name not in self._by_value:
            index: dict[str, set[str]] = {}
            for key, text in self._known().items():
                for one in keys_of(field, value_of(self._snapshot(text).values, field)):
                    index.setdefault(one, set()).add(key)
            self._by_value[field.name] = index
        return self._by_value[field.name]


def _take_labels(cell: Mapping[str, Any], labels: dict[str, set[str]]) -> None:
    ids, shown = cell.get("value"), cell.get("linkValue")
    if isinstance(ids, list) and isinstance(shown, list) and len(ids) == len(shown):
        for key, label in zip(ids, shown, strict=True):
            if label not in (None, ""):
                labels.setdefault(str(key), set()).add(str(label))


def keys_of(field: Field, value: Any) -> list[str]:  # noqa: ANN401
    """Return the texts by which a value is looked up: those that are the same have one in common."""
    if value is None:
        return []
    if isinstance(value, tuple):
        return [str(one) for one in value]
    kind = field.kind
    if isinstance(kind, CellText):
        text = kind.same(str(value))
        return [text[-_LOCAL_DIGITS:] if kind.are_same is are_same_phones else text]
    return [str(value if kind is None else kind.write(value))]


def has(record: Snapshot, fields: Sequence[Field], values: Values) -> bool:
    """Tell whether a row has these values; of lists one entry in common is enough."""
    for field, value in zip(fields, values, strict=True):
        present = value_of(record.values, field)
        if value is None or present is None or field.kind is None:
            return False
        shares = isinstance(present, tuple) and isinstance(value, tuple) and set(present) & set(value)
        if not shares and not field.kind.holds(present, value):
            return False
    return True

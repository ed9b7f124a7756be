"""All rows of a table, from one request, in a file: for finding and comparing, without a request per row."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec

from target_crm.writers.copera.answers import snapshot
from target_crm.writers.copera.kinds import CellText
from target_crm.writers.records_file import RecordsFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_crm.contract import Columns, Field, Snapshot

Values = tuple[Any, ...]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(dict[str, Any])


class Whole:
    """The rows as they were when they were read, and as they were written since; who writes over one reads it again.

    Args:
        columns: the table's.
        read: asks for all rows, and hands them over one by one; from the first one on again if it had to ask again.
    """

    def __init__(self, columns: Columns, read: Callable[[Callable[[Iterable[dict[str, Any]]], None]], None]) -> None:
        self._columns = columns
        self._read = read
        self._lock = threading.RLock()
        self._file: RecordsFile | None = None
        self._stale: set[str] = set()
        self._indexed: set[str] = set()
        self._links: set[str] = set()

    @property
    def is_read(self) -> bool:
        """Whether the table was asked for."""
        return self._file is not None

    def anew(self) -> None:
        """Ask for all rows again."""
        with self._lock:
            file = RecordsFile()

            def take(rows: Iterable[dict[str, Any]]) -> None:
                file.clear()
                file.keep((row["_id"], _ENCODER.encode(row)) for row in rows)

            self._read(take)
            if self._file is not None:
                self._file.close()
            self._file = file
            self._stale.clear()
            self._indexed.clear()
            self._links.clear()

    def _known(self) -> RecordsFile:
        if self._file is None:
            self.anew()
        assert self._file is not None  # noqa: S101 - just read
        return self._file

    def note(self, row: Mapping[str, Any]) -> None:
        """Take a row as an answer has it; it is read again before it is compared."""
        self.forget(row["_id"])
        with self._lock:
            if self._file is None:
                return
            self._file.keep([(row["_id"], _ENCODER.encode(row))])
            for name in self._indexed:
                self._file.index(name, self._pairs(self._columns.fields[name], [row]))

    def forget(self, key: str) -> None:
        """Note that a row is not any more as it was."""
        with self._lock:
            self._stale.add(key)

    def by_ids(self, ids: Iterable[str]) -> dict[str, Snapshot]:
        """Return the rows with these ids that are as they were read."""
        with self._lock:
            found = self._known().by_ids([key for key in ids if key not in self._stale])
        return {key: self._snapshot(text) for key, text in found.items()}

    def find(self, fields: Sequence[Field], wanted: Sequence[Values]) -> list[list[Snapshot]]:
        """Return for each tuple of values the rows that have them."""
        keys = [keys_of(fields[0], values[0]) for values in wanted]
        with self._lock:
            file = self._with_index(fields[0])
            ids = file.ids_by(fields[0].name, sorted({key for part in keys for key in part}))
            rows = file.by_ids(sorted(set().union(*ids.values())))
        known = {key: self._snapshot(text) for key, text in rows.items()}
        found = []
        for part, values in zip(keys, wanted, strict=True):
            own = sorted(set().union(*(ids.get(key, set()) for key in part)))
            found.append([known[key] for key in own if key in known and has(known[key], fields, values)])
        return found

    def shown(self, column: str) -> Shown:
        """Return what Copera shows for the rows that a column links to."""
        with self._lock:
            file, name = self._known(), f"shown in {column}"
            if name not in self._links:
                self._links.add(name)
                for _, text in file.records():
                    file.index(name, _labels(_DECODER.decode(text), column))
        return Shown(file, name)

    def linked(self, column: str) -> str | None:
        """Return the id of a row to which a column links; None if there is none."""
        with self._lock:
            for _, text in self._known().records():
                for cell in _DECODER.decode(text)["columns"]:
                    ids = cell.get("value") if isinstance(cell, dict) and cell.get("columnId") == column else None
                    if isinstance(ids, list) and ids:
                        return str(ids[0])
        return None

    def _snapshot(self, text: bytes) -> Snapshot:
        return snapshot(_DECODER.decode(text), self._columns, is_indexed=True)

    def _with_index(self, field: Field) -> RecordsFile:
        file = self._known()
        if field.name not in self._indexed:
            file.index(field.name, self._pairs(field, (_DECODER.decode(text) for _, text in file.records())))
            self._indexed.add(field.name)
        return file

    def _pairs(self, field: Field, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        for row in rows:
            for key in keys_of(field, field.value_in(snapshot(row, self._columns).values)):
                yield key, row["_id"]


class Shown:
    """What is shown for the rows that a column links to, as it was when the table was read.

    Args:
        file: where that is.
        name: under which it is there.
    """

    def __init__(self, file: RecordsFile, name: str) -> None:
        self._file = file
        self._name = name

    def ids(self, label: str) -> set[str]:
        """Return the ids of the rows that are shown so, whatever its capitals are."""
        return self._file.ids_by(self._name, [label.casefold()]).get(label.casefold(), set())

    def labels(self, ids: Sequence[str]) -> dict[str, set[str]]:
        """Return by id what is shown for rows, without capitals; nothing for those that are not linked to."""
        return self._file.values_of(self._name, ids)


def _labels(row: Mapping[str, Any], column: str) -> Iterator[tuple[str, str]]:
    for cell in row["columns"]:
        if not isinstance(cell, dict) or cell.get("columnId") != column:
            continue
        ids, shown = cell.get("value"), cell.get("linkValue")
        if isinstance(ids, list) and isinstance(shown, list) and len(ids) == len(shown):
            yield from ((str(label).casefold(), str(key)) for key, label in zip(ids, shown, strict=True) if label)


def keys_of(field: Field, value: Any) -> list[str]:  # noqa: ANN401
    """Return the texts by which a value is looked up: those that are the same have one in common."""
    if value is None:
        return []
    if isinstance(value, tuple):
        return [str(one) for one in value]
    kind = field.kind
    if isinstance(kind, CellText):
        return [kind.near(str(value))]
    return [str(value if kind is None else kind.write(value))]


def has(record: Snapshot, fields: Sequence[Field], values: Values) -> bool:
    """Tell whether a row has these values; of lists one entry in common is enough."""
    for field, value in zip(fields, values, strict=True):
        present = field.value_in(record.values)
        if value is None or present is None or field.kind is None:
            return False
        shares = isinstance(present, tuple) and isinstance(value, tuple) and set(present) & set(value)
        if not shares and not field.kind.holds(present, value):
            return False
    return True

"""All records of an object, read once per run into a file: where Close can be asked for them in no other way."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.schema import DELETED_AT
from target_crm.writers.close.answers import record_of, snapshot, text_of
from target_crm.writers.close.matching import keys_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_crm.contract import Columns, Field, ObjectSpec
    from target_crm.writers.definitions import Definitions

#: Names in one question: what SQLite takes.
_AT_ONCE = 500


class Whole:
    """The records of one object as they were when they were read; whoever writes over one reads it again.

    Args:
        spec: the object.
        columns: its fields in this account.
        definitions: reads it.
    """

    def __init__(self, spec: ObjectSpec, columns: Columns, definitions: Definitions) -> None:
        self._spec = spec
        self._columns = columns
        self._lock = threading.Lock()
        self._file = sqlite3.connect("", check_same_thread=False)  # a temporary file of this process alone
        self._file.execute("CREATE TABLE records (id TEXT PRIMARY KEY, record BLOB)")
        self._file.execute("CREATE TABLE keys (field TEXT, value TEXT, id TEXT)")
        self._file.execute("CREATE INDEX by_value ON keys (field, value)")
        self._indexed: set[str] = set()
        definitions.each(spec.name, self._take)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _take(self, records: Sequence[dict[str, Any]]) -> None:
        rows = [(one["id"], text_of(one)) for one in records if one.get("id") and not one.get(DELETED_AT)]
        with self._lock:
            self._file.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", rows)

    def by_ids(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the records with these ids."""
        found: list[dict[str, Any]] = []
        with self._lock:
            for start in range(0, len(ids), _AT_ONCE):
                part = ids[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = self._file.execute(f"SELECT record FROM records WHERE id IN ({marks})", part)  # noqa: S608
                found.extend(record_of(text) for (text,) in rows)
        return found

    def by_values(self, field: Field, values: Iterable[Any]) -> list[dict[str, Any]]:
        """Return the records that may have one of these values in a field."""
        keys = sorted({key for value in values for key in keys_of(field, value)})
        ids: set[str] = set()
        with self._lock:
            self._index(field)
            for start in range(0, len(keys), _AT_ONCE):
                part = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                question = f"SELECT id FROM keys WHERE field = ? AND value IN ({marks})"  # noqa: S608
                ids.update(key for (key,) in self._file.execute(question, (field.name, *part)))
        return self.by_ids(sorted(ids))

    def _index(self, field: Field) -> None:
        if field.name in self._indexed:
            return
        rows: list[tuple[str, str, str]] = []
        for key, text in self._file.execute("SELECT id, record FROM records"):
            values = snapshot(record_of(text), self._spec, self._columns).values
            rows.extend((field.name, one, key) for one in keys_of(field, value_of(values, field)))
        self._file.executemany("INSERT INTO keys VALUES (?, ?, ?)", rows)
        self._indexed.add(field.name)

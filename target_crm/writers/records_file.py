"""Records of an object in a file that only this process sees: found by ids and by values, with flat memory."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Names in one question: what SQLite takes.
_AT_ONCE = 500
_TABLES = (
    "CREATE TABLE records (id TEXT PRIMARY KEY, record BLOB) WITHOUT ROWID",
    "CREATE TABLE keys (field TEXT, value TEXT, id TEXT, PRIMARY KEY (field, value, id)) WITHOUT ROWID",
    "CREATE INDEX by_id ON keys (field, id)",
)


class RecordsFile:
    """A temporary file, gone when the process is; its methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._file = sqlite3.connect("", check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = OFF")
        for table in _TABLES:
            self._file.execute(table)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._file.execute("DELETE FROM records")
            self._file.execute("DELETE FROM keys")

    def keep(self, records: Iterable[tuple[str, bytes]]) -> None:
        """Keep records by their ids; a later one takes the place of an earlier one."""
        with self._lock:
            self._file.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", records)

    def index(self, field: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Note values of a field, each with the id of a record that has it."""
        with self._lock:
            self._file.executemany(
                "INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", ((field, value, key) for value, key in pairs)
            )

    def by_ids(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the records that are kept under these ids."""
        return dict(self._rows("SELECT id, record FROM records WHERE id IN ({marks})", "", ids))

    def ids_by(self, field: str, values: Sequence[str]) -> dict[str, set[str]]:
        """Return by value of a field the ids of the records that have it."""
        found: dict[str, set[str]] = {}
        for value, key in self._rows(
            "SELECT value, id FROM keys WHERE field = ? AND value IN ({marks})", field, values
        ):
            found.setdefault(value, set()).add(key)
        return found

    def values_of(self, field: str, ids: Sequence[str]) -> dict[str, set[str]]:
        """Return by id the values of a field that were noted."""
        found: dict[str, set[str]] = {}
        for key, value in self._rows("SELECT id, value FROM keys WHERE field = ? AND id IN ({marks})", field, ids):
            found.setdefault(key, set()).add(value)
        return found

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Yield all records with their ids, in parts: others may ask meanwhile."""
        last = ""
        while True:
            with self._lock:
                question = "SELECT id, record FROM records WHERE id > ? ORDER BY id LIMIT ?"
                part = self._file.execute(question, (last, _AT_ONCE)).fetchall()
            if not part:
                return
            yield from part
            last = part[-1][0]

    def _rows(self, question: str, field: str, names: Sequence[str]) -> Iterator[tuple[Any, Any]]:
        first = (field,) if field else ()
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            with self._lock:
                marked = question.format(marks=",".join("?" * len(part)))
                rows = self._file.execute(marked, (*first, *part)).fetchall()
            yield from rows

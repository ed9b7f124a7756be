"""What a run has to remember of each record: in a file that only this process sees, so that memory stays flat."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from target_crm.contract import Snapshot, exact

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES = (
    "CREATE TABLE waiting (id INTEGER PRIMARY KEY, queue TEXT, stream TEXT, key TEXT, record BLOB)",
    "CREATE INDEX waiting_of ON waiting (queue, stream, id)",
    "CREATE INDEX waiting_by_key ON waiting (queue, stream, key)",
    "CREATE TABLE claims (stream TEXT, crm_id TEXT, key TEXT, PRIMARY KEY (stream, crm_id)) WITHOUT ROWID",
    "CREATE TABLE repeats (stream TEXT, content TEXT, times INTEGER, PRIMARY KEY (stream, content)) WITHOUT ROWID",
    "CREATE TABLE imagined (object TEXT, id TEXT, record BLOB, PRIMARY KEY (object, id)) WITHOUT ROWID",
)
#: Queues of records that wait for the end of the input: for those to which they refer; for their second turn, since
#: these refer to them, too; for the second turn of an earlier record of the same key; and deletions.
HELD, SECOND, LATER, DELETIONS = "held", "second", "later", "deletions"


class Waiting(msgspec.Struct):
    """A record that waits; one that is written a second time has what the first time changed."""

    stream: str
    number: int | None
    key: str
    shown: Any
    record: dict[str, Any]
    schema: int
    made: bool = False
    changes: dict[str, tuple[Any, Any]] = {}


class Imagined(msgspec.Struct):
    """A record as it would be after a write that a dry run did not send."""

    id: int | str
    values: dict[str, Any]
    changed: float | None


class RunFile:
    """A temporary file, gone when the process is."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = OFF")
        for table in _TABLES:
            self._file.execute(table)
        self._encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
        self._waiting = msgspec.json.Decoder(Waiting, float_hook=exact)
        self._imagined = msgspec.json.Decoder(Imagined)
        self._taken: dict[tuple[str, str], int] = {}

    def close(self) -> None:
        """Forget all."""
        self._file.close()

    # Records that wait for the end of the input

    def wait(self, queue: str, one: Waiting) -> None:
        """Keep a record in a queue."""
        row = (queue, one.stream, one.key, self._encoder.encode(one))
        self._file.execute("INSERT INTO waiting (queue, stream, key, record) VALUES (?, ?, ?, ?)", row)

    def rest(self, queue: str, stream: str) -> Iterator[Waiting]:
        """Yield the records of a stream that wait in a queue and were not yielded before, in their order.

        Those that begin to wait meanwhile are left for the next time.
        """
        question = (
            "SELECT id, record FROM waiting WHERE queue = ? AND stream = ? AND id > ? AND id <= ? ORDER BY id LIMIT 1"
        )
        (newest,) = self._file.execute("SELECT coalesce(max(id), 0) FROM waiting").fetchone()
        while True:
            last = self._taken.get((queue, stream), 0)
            found = self._file.execute(question, (queue, stream, last, newest)).fetchone()
            if found is None:
                return
            self._taken[queue, stream] = found[0]
            yield self._waiting.decode(found[1])

    def waits(self, queue: str, stream: str, key: str) -> bool:
        """Tell whether a record of this key waits in a queue."""
        question = "SELECT 1 FROM waiting WHERE queue = ? AND stream = ? AND key = ? LIMIT 1"
        return self._file.execute(question, (queue, stream, key)).fetchone() is not None

    def is_left(self, queue: str, stream: str, key: str = "") -> bool:
        """Tell whether a record of this key, or of any, waits in a queue and was not yielded yet."""
        question = "SELECT 1 FROM waiting WHERE queue = ? AND stream = ? AND id > ? AND ? IN (key, '') LIMIT 1"
        last = self._taken.get((queue, stream), 0)
        return self._file.execute(question, (queue, stream, last, key)).fetchone() is not None

    def take_back(self, queue: str, stream: str, key: str) -> list[Waiting]:
        """Return the records of this key that wait in a queue, and let them wait no more."""
        question = "DELETE FROM waiting WHERE queue = ? AND stream = ? AND key = ? RETURNING record"
        return [self._waiting.decode(row[0]) for row in self._file.execute(question, (queue, stream, key)).fetchall()]

    # Which key a record of the CRM is

    def claim(self, stream: str, crm_id: str, key: str) -> str:
        """Note that a record of the CRM is the one of a key; return the key that had it first."""
        self._file.execute("INSERT OR IGNORE INTO claims VALUES (?, ?, ?)", (stream, crm_id, key))
        question = "SELECT key FROM claims WHERE stream = ? AND crm_id = ?"
        return str(self._file.execute(question, (stream, crm_id)).fetchone()[0])

    def count(self, stream: str, content: str) -> int:
        """Return how often a record of this content came, this time included."""
        question = (
            "INSERT INTO repeats VALUES (?, ?, 1) ON CONFLICT (stream, content) DO UPDATE SET times = times + 1 "
            "RETURNING times"
        )
        return int(self._file.execute(question, (stream, content)).fetchone()[0])

    # What a dry run would have written

    def imagine(self, name: str, key: str, record: Snapshot | None) -> None:
        """Keep a record of an object as it would be; None for one that would be deleted."""
        kept = None if record is None else Imagined(record.id, dict(record.values), record.changed)
        row = (name, key, None if kept is None else self._encoder.encode(kept))
        self._file.execute("INSERT OR REPLACE INTO imagined VALUES (?, ?, ?)", row)

    def imagined(self, name: str, key: str) -> tuple[bool, Snapshot | None]:
        """Return whether a record would be another one, and that; None if it would be deleted."""
        question = "SELECT record FROM imagined WHERE object = ? AND id = ?"
        found = self._file.execute(question, (name, key)).fetchone()
        if found is None or found[0] is None:
            return found is not None, None
        one = self._imagined.decode(found[0])
        return True, Snapshot(one.id, one.values, one.changed)

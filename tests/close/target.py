"""A model of a target: what a loader's tables hold after a run's messages, rows that it would mark included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.singer import Key, Record, Run

DELETED_AT = "_sdc_deleted_at"
#: What the tap adds to records, and no CRM has.
ADDED = (DELETED_AT, "merged_into")


@dataclass
class Row:
    """A row: its record, its version, and whether an ACTIVATE_VERSION ended it."""

    record: Record
    version: int | None
    ended: bool = False

    @property
    def lives(self) -> bool:
        """Whether the row is not marked as deleted."""
        return not self.ended and self.record.get(DELETED_AT) is None


@dataclass
class Target:
    """Tables, filled by the messages of runs in their order.

    Attributes:
        tables: the rows of each stream, by their keys.
        activated: the versions of each stream that were activated, in order.
        ended: the keys of rows that an ACTIVATE_VERSION marked, by stream, also where a later record revived them.
    """

    tables: dict[str, dict[Key, Row]] = field(default_factory=dict)
    activated: dict[str, list[int]] = field(default_factory=dict)
    ended: dict[str, set[Key]] = field(default_factory=dict)
    _keys: dict[str, list[str]] = field(default_factory=dict)

    def load(self, *runs: Run) -> Target:
        """Apply what runs wrote; returns itself."""
        for run in runs:
            for message in run.messages:
                self._apply(message)
        return self

    def _apply(self, message: dict[str, Any]) -> None:
        stream = message.get("stream", "")
        if message["type"] == "SCHEMA":
            self._keys[stream] = message["key_properties"]
        elif message["type"] == "RECORD":
            record = message["record"]
            key = tuple(record[name] for name in self._keys[stream])
            self.tables.setdefault(stream, {})[key] = Row(record, message.get("version"))
        elif message["type"] == "ACTIVATE_VERSION":
            self._activate(stream, message["version"])

    def _activate(self, stream: str, version: int) -> None:
        self.activated.setdefault(stream, []).append(version)
        for key, row in self.tables.get(stream, {}).items():
            if row.lives and (row.version or 0) < version:
                row.ended = True
                self.ended.setdefault(stream, set()).add(key)

    def living(self, stream: str) -> dict[Key, Record]:
        """Return the records that are not marked, without what the tap adds."""
        return {
            key: {name: value for name, value in row.record.items() if name not in ADDED}
            for key, row in self.tables.get(stream, {}).items()
            if row.lives
        }

    def marked(self, stream: str) -> dict[Key, Record]:
        """Return the records that are marked as deleted."""
        return {key: row.record for key, row in self.tables.get(stream, {}).items() if not row.lives}


def told(run: Run, stream: str) -> dict[str, Record]:
    """Return the records that a run emitted as deleted, by their ids."""
    return {record["id"]: record for record in run.records(stream) if record.get(DELETED_AT) is not None}

"""A target that keeps versions: what its tables hold after the messages of some runs, and what it marked as deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.singer import Key, Record, Run

#: The column by which a row says that it is gone.
DELETED_AT = "_sdc_deleted_at"


@dataclass(slots=True)
class Row:
    """A row of a table: the last record of its key, that record's version, and whether it is marked as deleted."""

    record: Record
    version: int | None
    marked: bool


@dataclass(frozen=True, slots=True)
class Marking:
    """What one ACTIVATE_VERSION marked."""

    stream: str
    version: int
    keys: frozenset[Key]


class Target:
    """Takes messages in their order.

    A record replaces the row of its key, a mark included. ACTIVATE_VERSION marks rows of smaller versions, and of none.

    Args:
        runs: what they wrote is taken at once.
        loses: whether what a run wrote after its last STATE is lost.

    Attributes:
        tables: rows by stream and key.
        markings: what each ACTIVATE_VERSION marked.
    """

    def __init__(self, *runs: Run, loses: bool = False) -> None:
        self.loses = loses
        self.tables: dict[str, dict[Key, Row]] = {}
        self.markings: list[Marking] = []
        self._keys: dict[str, list[str]] = {}
        self.take(*runs)

    def take(self, *runs: Run) -> Target:
        """Take what runs wrote; returns itself."""
        for run in runs:
            messages = run.messages
            if self.loses:
                states = [at for at, message in enumerate(messages) if message["type"] == "STATE"]
                messages = messages[: states[-1] + 1] if states else []
            for message in messages:
                self._take(message)
        return self

    def _take(self, message: dict[str, Any]) -> None:
        kind, stream = message["type"], message.get("stream", "")
        if kind == "SCHEMA":
            self._keys[stream] = message["key_properties"]
        elif kind == "RECORD":
            record = message["record"]
            key = tuple(record[name] for name in self._keys[stream])
            row = Row(record, message.get("version"), record.get(DELETED_AT) is not None)
            self.tables.setdefault(stream, {})[key] = row
        elif kind == "ACTIVATE_VERSION":
            self._activate(stream, message["version"])

    def _activate(self, stream: str, version: int) -> None:
        table = self.tables.get(stream, {})
        old = [key for key, row in table.items() if not row.marked and (row.version is None or row.version < version)]
        for key in old:
            table[key].marked = True
        self.markings.append(Marking(stream, version, frozenset(old)))

    def living(self, stream: str) -> dict[Key, Record]:
        """Return the records that are not marked."""
        rows = self.tables.get(stream, {}).items()
        return {key: {k: v for k, v in row.record.items() if k != DELETED_AT} for key, row in rows if not row.marked}

    def marked(self, stream: str) -> set[Key]:
        """Return the keys of the rows that are marked."""
        return {key for key, row in self.tables.get(stream, {}).items() if row.marked}

    def ever_marked(self, *streams: str) -> set[Key]:
        """Return the keys that any ACTIVATE_VERSION marked, also those that came back; of all streams by default."""
        return {key for one in self.markings if not streams or one.stream in streams for key in one.keys}

    def activated(self, stream: str) -> list[int]:
        """Return the versions of a stream that were activated, in order."""
        return [marking.version for marking in self.markings if marking.stream == stream]


class Targets:
    """Two targets of the same runs: one gets whatever was written, the other only what precedes the last STATE.

    Attributes:
        both: they.
        runs: what they took.
    """

    def __init__(self, *runs: Run) -> None:
        self.both = (Target(), Target(loses=True))
        self.runs: list[Run] = []
        self.take(*runs)

    def take(self, *runs: Run) -> None:
        """Take what runs wrote."""
        self.runs += runs
        for target in self.both:
            target.take(*runs)

    def living(self, stream: str) -> tuple[dict[Key, Record], ...]:
        """Return the living records of either."""
        return tuple(target.living(stream) for target in self.both)

    def marked(self, stream: str) -> set[Key]:
        """Return the keys that are marked in either."""
        return set().union(*(target.marked(stream) for target in self.both))

    def forget_markings(self) -> None:
        """Forget what was marked when; rows that are marked stay so."""
        for target in self.both:
            target.markings.clear()

    def wrongly_marked(self, stream: str, alive: Iterable[Key]) -> set[Key]:
        """Return the keys of rows that live, and that either has marked at any time."""
        return set(alive) & set().union(*(target.ever_marked(stream) for target in self.both))


def activated(run: Run) -> dict[str, int]:
    """Return the version of each stream that a run activated."""
    return {one["stream"]: one["version"] for one in run.messages if one["type"] == "ACTIVATE_VERSION"}


def versions(run: Run, stream: str) -> set[int | None]:
    """Return the versions of a stream's records."""
    about = (one for one in run.messages if one["type"] == "RECORD" and one["stream"] == stream)
    return {one.get("version") for one in about}


def told(run: Run, stream: str) -> dict[str, Record]:
    """Return the records that a run emitted as deleted, by their ids."""
    return {record["id"]: record for record in run.records(stream) if record.get(DELETED_AT) is not None}


def aged(state: dict[str, Any], *streams: str, to: str = "2020-01-01T00:00:00Z") -> dict[str, Any]:
    """Return the state of a run as if these streams (all if none is named) had been read completely long ago."""
    bookmarks = {name: dict(kept) for name, kept in state["bookmarks"].items()}
    for name, kept in bookmarks.items():
        if (not streams or name in streams) and "reconciled_at" in kept:
            kept["reconciled_at"] = to
    return {**state, "bookmarks": bookmarks}

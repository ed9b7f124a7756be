"""Holds the records of the CRM against the rows of a table."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm.audit.keys import Key, by_number
from tap_crm.audit.tables import BEFORE_START, MARKED, NO_TIME, LoadedRows

if TYPE_CHECKING:
    from collections.abc import Iterable

EQUAL, DIFFERENT, UNKNOWN, LEFT_OUT = "equal", "different", "unknown", "left out"
_UNSEEN = -(2**63)


@dataclass(slots=True)
class Comparison:
    """What was found of one stream.

    Attributes:
        stream: its name.
        verdict: one of the four above.
        crm: records in the CRM; None if they could not be read.
        table: rows of the table, without those that are marked as deleted; None without a table.
        deleted: rows that are marked as deleted.
        missing: records that the table lacks, or has as deleted.
        surplus: rows that the CRM lacks, and rows beyond one for each record.
        stale: rows of an older version than the CRM's; None where there are no times of change to compare.
        newer: records that were made or changed after the table was loaded, and that it lacks in this version.
        loaded_to: epoch seconds up to which the table is complete by `sync_audit`; None if that is not known.
        reason: why it is different beyond the ids, or why it is not known.
        missing_ids, marked_ids, surplus_ids, stale_ids: the first ids; those of marked rows are missing ones, too.
        notes: what else is to be known.
    """

    stream: str
    verdict: str = EQUAL
    crm: int | None = None
    table: int | None = None
    deleted: int = 0
    missing: int = 0
    surplus: int = 0
    stale: int | None = 0
    newer: int = 0
    loaded_to: int | None = None
    reason: str | None = None
    missing_ids: list[Key] = field(default_factory=list)
    marked_ids: list[Key] = field(default_factory=list)
    surplus_ids: list[Key] = field(default_factory=list)
    stale_ids: list[Key] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Match:
    """Takes the records of a stream, one by one, and says then what differs.

    Args:
        loaded: what the table holds.
        until: epoch seconds up to which it is loaded; None if that is not known: then nothing counts as newer.
        is_log: what the CRM has forgotten belongs into the table all the same.
    """

    def __init__(self, loaded: LoadedRows, until: int | None, *, is_log: bool = False) -> None:
        self._loaded, self._until, self._is_log = loaded, until, is_log
        self._seen = array("q", [_UNSEEN]) * len(loaded.flags)
        self._absent: dict[Key, bool] = {}

    def add(self, key: Key, changed: int | None, created: int | None) -> None:
        """Take a record; of several with one key, the latest change counts."""
        position = self._loaded.positions.get(key)
        if position is None:
            self._absent[key] = self._is_newer(changed, created)
        else:
            self._seen[position] = max(self._seen[position], NO_TIME if changed is None else changed)

    def _is_newer(self, *times: int | None) -> bool:
        until = self._until
        return until is not None and any(time is not None and time > until for time in times)

    def result(self, stream: str, limit: int) -> Comparison:
        """Return what differs, with so many ids of each difference."""
        loaded = self._loaded
        missing = [key for key, is_newer in self._absent.items() if not is_newer]
        newer = len(self._absent) - len(missing)
        surplus = [] if self._is_log else list(loaded.duplicates)
        stale: list[Key] = []
        marked: list[Key] = []
        records, ahead = len(self._absent), 0
        for key, position in loaded.positions.items():
            seen, time, flags = self._seen[position], loaded.times[position], loaded.flags[position]
            records += seen != _UNSEEN
            if seen == _UNSEEN:
                if not flags & (MARKED | BEFORE_START) and not self._is_log:
                    surplus.append(key)
            elif flags & MARKED or (loaded.has_times and time < seen):
                if self._is_newer(seen):
                    newer += 1
                else:
                    (marked if flags & MARKED else stale).append(key)
            elif loaded.has_times and time > seen > NO_TIME:
                ahead += 1
        missing += marked
        return Comparison(
            stream,
            DIFFERENT if missing or surplus or stale else EQUAL,
            crm=records,
            table=loaded.rows,
            deleted=loaded.marked,
            missing=len(missing),
            surplus=len(surplus),
            stale=len(stale) if loaded.has_times else None,
            newer=newer,
            loaded_to=self._until,
            missing_ids=_first(missing, limit),
            marked_ids=_first(marked, limit),
            surplus_ids=_first(surplus, limit),
            stale_ids=_first(stale, limit),
            notes=_notes(loaded, ahead),
        )


def _notes(loaded: LoadedRows, ahead: int) -> list[str]:
    notes = []
    if loaded.before_start:
        notes.append(f"rows older than `start_date`, for which the CRM was not asked: {loaded.before_start:,}")
    if ahead:
        notes.append(
            f"rows with a later change time than the CRM tells: {ahead:,}; if these are many, the loader may have "
            "shifted the times by a time zone"
        )
    return notes


def _first(keys: Iterable[Key], limit: int) -> list[Key]:
    return sorted(keys, key=by_number)[:limit]

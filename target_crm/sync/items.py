"""One record on its way to the CRM, and the stream that it is of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_crm.config.settings import StreamSettings
    from target_crm.contract import Columns, Field, Id, ObjectSpec, Snapshot
    from target_crm.journal.entries import Known
    from target_crm.sync.fields import Names

CREATED, UPDATED, UNCHANGED, DELETED = "created", "updated", "unchanged", "deleted"
SKIPPED, CONFLICT, REJECTED, UNKNOWN = "skipped", "conflict", "rejected", "unknown"


@dataclass(slots=True, eq=False)
class StreamRun:
    """A stream in this run.

    Attributes:
        name: the stream's.
        settings: how it is written.
        spec: the object that it is written to.
        match: the fields of the record that are its key.
        ends: how many records ended how.
        seen: how many records came in, earlier rejects included.
        deletions: how many of them are deletions to be done.
        stopped: why no more of it is written; None while it is.
        columns: the object's fields in this account; None until the CRM was asked.
        has_rejects: whether the journal keeps records of it that an earlier run, or this one, rejected.
    """

    name: str
    settings: StreamSettings
    spec: ObjectSpec
    match: tuple[str, ...]
    ends: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    deletions: int = 0
    stopped: str | None = None
    columns: Columns | None = None
    has_rejects: bool = False

    @property
    def is_by_id(self) -> bool:
        """Whether the key is the CRM's own."""
        keys = tuple(self.settings.fields.get(name, name) for name in self.match)
        return keys == self.spec.keys and self.settings.external_id is None and not self.spec.composite

    def typed_id(self, crm_id: str) -> Id:
        """Return the CRM's id as the CRM types it."""
        return self.spec.typed_id(crm_id)


@dataclass(slots=True, eq=False)
class Schema:
    """The schema of a stream's records, as it came, and what its names mean, once the CRM was asked."""

    properties: Mapping[str, Any]
    names: Names | None = None


@dataclass(slots=True, eq=False)
class Item:
    """One record.

    Attributes:
        number: its place in the input; None for one that an earlier run rejected.
        key: as the journal has it.
        shown: the key as the report shows it.
        wanted: what the record says, by field, in the form of the field's kind.
        own_time: the time of change that the record carries, epoch seconds.
        crm_id: the CRM's id, as text; None while it is not known.
        found: the CRM's record.
        known: what the journal knows of the key.
        changes: what the report shows of the difference.
        intents: ids of writes of which it is not settled what became of them.
        attempts: how often it was sent.
        sent: when it was sent last, epoch seconds; None if it was not.
        meant: when it was about to be sent first, epoch seconds, maybe in an earlier run; None if it was not.
        before: the CRM's time of change of the record as it was before anything was sent; None where that is not known.
        made: it was made by a write of this journal that is being settled.
        waits_for_others: it was written without fields that refer to records which are written later.
        is_second: it is written a second time, with these fields.
    """

    stream: StreamRun
    schema: Schema
    number: int | None
    key: str
    shown: Any
    record: dict[str, Any]
    is_deletion: bool = False
    wanted: dict[Field, Any] = field(default_factory=dict)
    own_time: float | None = None
    crm_id: str | None = None
    found: Snapshot | None = None
    known: Known | None = None
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    intents: list[int] = field(default_factory=list)
    attempts: int = 0
    sent: float | None = None
    meant: float | None = None
    before: float | None = None
    made: bool = False
    waits_for_others: bool = False
    is_second: bool = False

    def note_sent(self, intent: int, now: float) -> None:
        """Note that it is about to be sent, once more or for the first time."""
        if self.meant is None:
            self.meant = now
            self.before = None if self.found is None else self.found.changed
        self.intents.append(intent)
        self.attempts += 1
        self.sent = now

    def find(self, record: Snapshot) -> None:
        """Note that this is the CRM's record of it."""
        self.found = record
        self.crm_id = str(record.id)

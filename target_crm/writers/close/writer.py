"""Writes to Close: one request a record, since Close has no bulk request that answers for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.providers import PROVIDERS
from target_crm.contract import CREATE, DELETE, Skipped, Unwritable
from target_crm.kinds.html_text import plain_text, words_of
from target_crm.writers.close.columns import columns
from target_crm.writers.close.events import Events
from target_crm.writers.close.finding import Finding
from target_crm.writers.close.lists import Lists
from target_crm.writers.close.objects import COMMENTS, NOT_WRITTEN, TASK_TYPES, UNSUBSCRIBED, Objects
from target_crm.writers.close.requests import Requests
from target_crm.writers.common import check_needed, named_spec
from target_crm.writers.definitions import Definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from tap_crm.transport.session import Transport
    from target_crm.config.settings import StreamSettings, TargetSettings
    from target_crm.contract import Answer, Columns, Field, Id, ObjectSpec, Snapshot, Write

#: What a new record needs. Without `lead_id` Close makes a new lead (developer.close.com: contacts, opportunities).
_NEEDED = {
    "leads": (),
    "contacts": ("lead_id",),
    "opportunities": ("lead_id",),
    "custom_objects": ("lead_id", "custom_object_type_id", "name"),
    "tasks": ("lead_id",),
    "notes": ("lead_id",),
    "calls": ("lead_id",),
    "custom_activities": ("lead_id", "custom_activity_type_id"),
    COMMENTS: ("object_id", "body"),
    UNSUBSCRIBED: ("email",),
}
_NOTES = frozenset({"note", "note_html"})
_MAKES_A_LEAD = ("contacts", "opportunities")
_WITHOUT_LEAD = "; without `lead_id` Close would make a new lead"


class CloseWriter:
    """See :class:`target_crm.contract.Writer`.

    Args:
        definitions: the account's.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._objects = Objects(definitions)
        self._lists = Lists(definitions.ask)
        self._events = Events(definitions.ask, definitions)
        self._finding = Finding(definitions.ask, self._lists, self._events, definitions, self.columns)
        self._requests = Requests(definitions.ask, self._finding, self.columns)

    def names(self) -> Sequence[str]:
        """Return the names of the objects that can be written."""
        return list(self._objects.specs)

    def spec(self, stream: str, settings: StreamSettings) -> ObjectSpec:
        """Return the object that a stream is written to."""
        return named_spec(self._objects.specs, stream, settings, "Close", NOT_WRITTEN)

    def probe(self) -> None:
        """Ask whose key this is (developer.close.com: me)."""
        self._events.user()

    def accounts(self) -> Sequence[str]:
        """Return marks of the accounts that the credentials may stand for."""
        return self._definitions.accounts()

    def place(self, spec: ObjectSpec) -> str:
        """Return the object's name."""
        return spec.name

    def columns(self, spec: ObjectSpec) -> Columns:
        """Return the object's fields in this account."""
        return self._definitions.once_per_run.get(
            ("columns", spec.name), lambda: columns(spec, self._definitions, self._objects)
        )

    def screen(self, spec: ObjectSpec, wanted: MutableMapping[Field, Any]) -> None:
        """Leave out what Close writes by itself, and what another field says already."""
        by_name = {field.name: field for field, value in wanted.items() if value is not None}
        if "_type" in by_name and spec.name == "tasks" and wanted[by_name["_type"]] not in TASK_TYPES:
            raise Skipped(f"tasks of the type `{wanted[by_name['_type']]}` are Close's own and cannot be written")
        if {"note", "note_html"} <= by_name.keys():
            html, note = wanted[by_name["note_html"]], wanted[by_name["note"]]
            if words_of(plain_text(html)) == words_of(note):
                del wanted[by_name["note"]]  # Close derives it (developer.close.com: notes)

    def check(self, spec: ObjectSpec, write: Write, said: Mapping[Field, Any]) -> None:
        """Check what a new record needs, and that its two forms of a note do not contradict each other."""
        notes = {field.name for field, value in said.items() if field.name in _NOTES and value is not None}
        if notes == _NOTES and any(field.name in _NOTES for field in write.values):
            raise Unwritable(
                "`note` and `note_html` disagree, and Close derives one of the other; leave one of them out by `fields`"
            )
        makes_a_lead = spec.name in _MAKES_A_LEAD
        check_needed(
            write,
            f"a new record of {spec.name}",
            _NEEDED[spec.name],
            lambda missing: _WITHOUT_LEAD if makes_a_lead and "lead_id" in missing else "",
        )

    def find(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[tuple[Any, ...]],
        since: float | None = None,
        said: Sequence[Mapping[Field, Any]] = (),
    ) -> Sequence[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them."""
        return self._finding.find(spec, fields, wanted, since, said)

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> Mapping[Id, Snapshot]:
        """Return the records with these ids as they are now."""
        return self._finding.read(spec, ids, since)

    def leads_to(self, spec: ObjectSpec, field: Field) -> str | None:  # noqa: ARG002
        """Return None: the documentation tells it of every field."""
        return None

    def send(self, spec: ObjectSpec, writes: Sequence[Write]) -> Sequence[Answer]:
        """Send writes of one action."""
        send = {CREATE: self._requests.create, DELETE: self._requests.delete}
        return [send.get(write.action, self._requests.update)(spec, write) for write in writes]


def make_close_writer(settings: TargetSettings, transport: Callable[[], Transport]) -> CloseWriter:
    """Return what writes to Close; nothing is asked."""
    definitions = Definitions(PROVIDERS["close"], settings.connection, transport)
    return CloseWriter(definitions)

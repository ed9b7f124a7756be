"""Writes to Close: one request a record, since Close has no bulk request that answers for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.config.nearest import did_you_mean
from tap_crm.ledger import Ledger
from tap_crm.providers import PROVIDERS
from target_crm.contract import CREATE, DELETE, Skipped, Unwritable
from target_crm.kinds.html_text import plain_text, words_of
from target_crm.writers.close.columns import columns
from target_crm.writers.close.events import Events
from target_crm.writers.close.finding import Finding
from target_crm.writers.close.lists import Lists
from target_crm.writers.close.objects import COMMENTS, NOT_WRITTEN, TASK_TYPES, UNSUBSCRIBED, Objects
from target_crm.writers.close.requests import Requests
from target_crm.writers.definitions import Definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from tap_crm.transport.question import Question, Reply
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


class CloseWriter:
    """See :class:`target_crm.contract.Writer`.

    Args:
        definitions: the account's.
        transport: opens the way to Close when it is needed first.
    """

    def __init__(self, definitions: Definitions, transport: Callable[[], Transport]) -> None:
        self._definitions = definitions
        self._transport = transport
        self._objects = Objects(definitions)
        self._lists = Lists(self._ask)
        self._events = Events(self._ask, definitions)
        self._finding = Finding(self._ask, self._lists, self._events, definitions, self.columns)
        self._requests = Requests(self._ask, self._finding, self.columns)

    def _ask(self, question: Question, parse: Callable[[Reply], Any]) -> Any:  # noqa: ANN401
        return self._transport().ask(question, parse, Ledger())

    def names(self) -> Sequence[str]:
        """Return the names of the objects that can be written."""
        return list(self._objects.specs)

    def spec(self, stream: str, settings: StreamSettings) -> ObjectSpec:
        """Return the object that a stream is written to."""
        name = stream if settings.object is None else settings.object
        if not isinstance(name, str):
            raise errors.ConfigError(f"the setting `streams.{stream}.object` must be a name: Close has no boards")
        if name not in self._objects.specs:
            why = f": {NOT_WRITTEN[name]}" if name in NOT_WRITTEN else ""
            known = ", ".join(self._objects.specs)
            raise errors.ConfigError(
                f"the stream `{stream}` cannot be written: `{name}` is no object of Close that this target writes"
                f"{why}; there are: {known}{did_you_mean(name, self._objects.specs)}"
            )
        return self._objects.specs[name]

    def probe(self) -> None:
        """Ask whose key this is (developer.close.com: me)."""
        self._events.user()

    def columns(self, spec: ObjectSpec) -> Columns:
        """Return the object's fields in this account."""
        return self._definitions.once.get(
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
        if write.action != CREATE:
            return
        given = {field.name for field, value in write.values.items() if value is not None}
        missing = [f"`{name}`" for name in _NEEDED[spec.name] if name not in given]
        if missing:
            makes = "; without `lead_id` Close would make a new lead"
            why = makes if "`lead_id`" in missing and spec.name in _MAKES_A_LEAD else ""
            raise Unwritable(f"a new record of {spec.name} needs {' and '.join(missing)}{why}")

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

    def send(self, spec: ObjectSpec, writes: Sequence[Write]) -> Sequence[Answer]:
        """Send writes of one action."""
        send = {CREATE: self._requests.create, DELETE: self._requests.delete}
        return [send.get(write.action, self._requests.update)(spec, write) for write in writes]


def make_close_writer(settings: TargetSettings, transport: Callable[[], Transport]) -> CloseWriter:
    """Return what writes to Close; nothing is asked."""
    definitions = Definitions(PROVIDERS["close"], settings.connection, transport)
    return CloseWriter(definitions, transport)

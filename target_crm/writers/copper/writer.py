"""Writes to Copper: in bulk where it can be, one by one elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.providers import PROVIDERS
from tap_crm.providers.copper.lists import ACCOUNT
from target_crm.contract import CREATE, DELETE, InDoubt, NotTaken, Skipped, Snapshot, Unwritable, Written
from target_crm.writers.common import check_needed, named_spec
from target_crm.writers.copper.columns import columns
from target_crm.writers.copper.objects import RELATED, Objects
from target_crm.writers.copper.relations import Relations
from target_crm.writers.copper.requests import Requests
from target_crm.writers.copper.search import Search
from target_crm.writers.definitions import Definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_crm.transport.session import Transport
    from target_crm.config.settings import StreamSettings, TargetSettings
    from target_crm.contract import Answer, Columns, Field, Id, ObjectSpec, Write

#: What a new record needs (developer.copper.com: create-a-new-… of each object).
_NEEDED = {
    "companies": ("name",),
    "leads": ("name",),
    "projects": ("name",),
    "tasks": ("name",),
    "opportunities": ("name", "primary_contact_id"),
    "activities": ("parent", "type", "details"),
    RELATED: ("parent_type", "parent_id", "type", "id"),
}
_NAMED = ("people", "leads")
_NAMES = ("name", "first_name", "last_name")


class CopperWriter:
    """See :class:`target_crm.contract.Writer`.

    Args:
        definitions: the account's.
        date_order: how the account writes dates that are text.
    """

    def __init__(self, definitions: Definitions, date_order: str) -> None:
        self._definitions = definitions
        self._objects = Objects(definitions, date_order)
        self._search = Search(definitions.ask, definitions, self.columns)
        self._requests = Requests(definitions.ask, self._search, self.columns, definitions, date_order)
        self._relations = Relations(definitions.ask, self._search)

    def names(self) -> Sequence[str]:
        """Return the names of the objects that can be written."""
        return list(self._objects.specs)

    def spec(self, stream: str, settings: StreamSettings) -> ObjectSpec:
        """Return the object that a stream is written to."""
        return named_spec(self._objects.specs, stream, settings, "Copper", {})

    def probe(self) -> None:
        """Ask for the account (developer.copper.com: account/fetch-account-details)."""
        ACCOUNT.probe(self._definitions.reading("account"))

    def accounts(self) -> Sequence[str]:
        """Return marks of the accounts that the credentials may stand for."""
        return self._definitions.accounts()

    def place(self, spec: ObjectSpec) -> str:
        """Return the object's name."""
        return spec.name

    def columns(self, spec: ObjectSpec) -> Columns:
        """Return the object's fields in this account."""
        return self._definitions.once_per_run.get(("columns", spec.name), lambda: self._columns(spec))

    def _columns(self, spec: ObjectSpec) -> Columns:
        return columns(spec, self._definitions)

    def screen(self, spec: ObjectSpec, wanted: Mapping[Field, Any]) -> None:
        """Leave out what the CRM writes by itself, and refuse names that contradict each other."""
        by_name = {field.name: value for field, value in wanted.items() if value is not None}
        if spec.name == "activities" and by_name.get("type", ("user", 0))[0] == "system":
            raise Skipped("activities of system types cannot be written")
        if spec.name in _NAMED and "name" in by_name:
            whole = by_name["name"].casefold()
            for part in ("first_name", "last_name"):
                if by_name.get(part, "").casefold() not in whole:
                    raise Unwritable(f"`name` and `{part}` disagree; leave one of them out by `fields`")

    def check(self, spec: ObjectSpec, write: Write, said: Mapping[Field, Any]) -> None:  # noqa: ARG002
        """Check what a new record needs."""
        if spec.name != "people":
            check_needed(write, f"a new record of {spec.name}", _NEEDED[spec.name])
        elif write.action == CREATE and not any(
            field.name in _NAMES and value is not None for field, value in write.values.items()
        ):
            raise Unwritable("a new person needs `name`, or `first_name` and `last_name`")

    def find(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[tuple[Any, ...]],
        since: float | None = None,
        said: Sequence[Mapping[Field, Any]] = (),  # noqa: ARG002 - no list of children is needed
    ) -> Sequence[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them."""
        if spec.name == RELATED:
            return self._relations.find(fields, wanted)
        return self._search.find(spec, fields, wanted, since)

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> Mapping[Id, Snapshot]:
        """Return the records with these ids as they are now."""
        if spec.name == RELATED:
            return self._relations.read(ids, since)
        return self._search.read(spec, ids, since)

    def leads_to(self, spec: ObjectSpec, field: Field) -> str | None:  # noqa: ARG002
        """Return None: the documentation tells it of every field."""
        return None

    def send(self, spec: ObjectSpec, writes: Sequence[Write]) -> Sequence[Answer]:
        """Send writes of one action."""
        if spec.name == RELATED:
            return [self._relations.write(write) for write in writes]
        if writes[0].action == DELETE:
            return [self._requests.delete(spec, write) for write in writes]
        if writes[0].action == CREATE:
            return self._requests.create(spec, writes)
        return [
            self._moved(spec, write, answer) for write, answer in zip(writes, self._update(spec, writes), strict=True)
        ]

    def _update(self, spec: ObjectSpec, writes: Sequence[Write]) -> list[Answer]:
        """Send the fields; of a write that has nothing but relations to change, nothing."""
        plain = [at for at, write in enumerate(writes) if any(not field.by_relation for field in write.values)]
        sent = self._requests.update(spec, [writes[at] for at in plain]) if plain else []
        answers: list[Answer] = [Written(write.id or 0) for write in writes]
        for at, answer in zip(plain, sent, strict=True):
            answers[at] = answer
        return answers

    def _moved(self, spec: ObjectSpec, write: Write, answer: Answer) -> Answer:
        """Change the company of a person whose fields are written."""
        moves = [(field, value) for field, value in write.values.items() if field.by_relation]
        if not moves or not isinstance(answer, Written) or write.id is None:
            return answer
        try:
            for field, value in moves:
                try:
                    self._relations.replace(spec.name, int(write.id), "company", value)
                except errors.FinalWord as refusal:
                    return NotTaken(f"`{field.name}`: {refusal.said or 'the CRM refuses the relation'}")
            record = self._search.one(spec, write.id)
        except (errors.ReadError, errors.Cancelled, errors.EffectUnknown):
            return InDoubt()  # the fields are written, and those of the other records of the request
        return (
            NotTaken("the CRM has no such record any more", gone=True) if record is None else Written(write.id, record)
        )


def make_copper_writer(settings: TargetSettings, transport: Callable[[], Transport]) -> CopperWriter:
    """Return what writes to Copper; nothing is asked."""
    connection = settings.connection
    definitions = Definitions(PROVIDERS["copper"], connection, transport)
    return CopperWriter(definitions, connection.date_order)

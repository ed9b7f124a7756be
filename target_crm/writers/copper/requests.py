"""The requests that write to Copper (developer.copper.com: create, update, delete, bulk and upsert of each object)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.transport.question import Question
from target_crm.contract import CREATE, NotTaken, Written
from target_crm.writers.copper.answers import answers, one_each, one_record, says_deleted, snapshot
from target_crm.writers.copper.columns import CUSTOM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_crm.contract import Answer, Columns, Field, ObjectSpec, Snapshot, Write
    from target_crm.writers.copper.search import Search
    from target_crm.writers.definitions import Ask, Definitions

_ENTRY = "custom_field_definition_id"


class Requests:
    """Sends.

    Args:
        ask: asks the CRM.
        search: reads a record again where an answer says too little.
        columns: returns an object's fields in this account.
        definitions: say which custom fields an upsert can match.
    """

    def __init__(
        self,
        ask: Ask,
        search: Search,
        columns: Callable[[ObjectSpec], Columns],
        definitions: Definitions,
    ) -> None:
        self._ask = ask
        self._search = search
        self._columns = columns
        self._definitions = definitions

    def create(self, spec: ObjectSpec, writes: Sequence[Write]) -> list[Answer]:
        """Make records."""
        if len(writes) == 1:
            return [self._create_one(spec, writes[0])]
        return self._bulk(spec, writes, "bulk_create")

    def update(self, spec: ObjectSpec, writes: Sequence[Write]) -> list[Answer]:
        """Change fields of records."""
        found = (
            [self._one(spec, "PUT", f"/{spec.name}/{writes[0].id}", body_of(writes[0]))]
            if len(writes) == 1
            else self._bulk(spec, writes, "bulk_update")
        )
        return [self._restored(spec, write, one) for write, one in zip(writes, found, strict=True)]

    def delete(self, spec: ObjectSpec, write: Write) -> Answer:
        """Delete a record; one that answers well and is still there counts as not taken."""
        question = Question("DELETE", f"/{spec.name}/{write.id}", f"{spec.name}: delete", writes=True)
        assert write.id is not None  # noqa: S101 - it was read
        if not self._ask(question, says_deleted) and self._search.one(spec, write.id) is not None:
            return NotTaken("the CRM answered well and ignored the deletion")
        return Written(write.id)

    def _create_one(self, spec: ObjectSpec, write: Write) -> Answer:
        field = write.key
        if spec.name == "leads" and write.again and field is not None and self._is_filterable(field):
            return self._upsert(spec, write, field)
        return self._one(spec, "POST", f"/{spec.name}", body_of(write))

    def _upsert(self, spec: ObjectSpec, write: Write, field: Field) -> Answer:
        """Make a lead that may be there already (developer.copper.com: upsert-a-lead-by-custom-field): atomic."""
        assert field.kind is not None  # noqa: S101 - it is writable
        value = {_ENTRY: field.custom, "value": field.kind.write(write.values[field])}
        body = {"properties": body_of(write), "match": {"field_name": "custom", "field_value": value}}
        return self._one(spec, "PUT", f"/{spec.name}/upsert", body)

    def _is_filterable(self, field: Field) -> bool:
        found = self._definitions.records(CUSTOM)
        return any(one["id"] == field.custom and one.get("is_filterable") is True for one in found)

    def _one(self, spec: ObjectSpec, method: str, path: str, body: dict[str, Any]) -> Answer:
        question = Question(method, path, f"{spec.name}: {method}", body=body, writes=True)
        record = self._ask(question, one_record)
        return Written(record["id"], snapshot(record, self._columns(spec)))

    def _bulk(self, spec: ObjectSpec, writes: Sequence[Write], name: str) -> list[Answer]:
        body = {
            spec.name: [body_of(write) if write.id is None else {"id": write.id, **body_of(write)} for write in writes]
        }
        label = f"{spec.name}: {name} of {len(writes)}"
        question = Question("POST", f"/{spec.name}/{name}", label, body=body, writes=True)
        columns = self._columns(spec)
        found: list[Answer] = self._ask(question, lambda reply: answers(one_each(reply, len(writes)), columns))
        return found

    def _restored(self, spec: ObjectSpec, write: Write, given: Answer) -> Answer:
        """Write back custom fields that an update has emptied though it did not name them.

        That they stay is not documented in so many words.
        """
        if isinstance(given, NotTaken) or given.record is None or write.present is None:
            return given
        lost = _lost(self._columns(spec), write, given.record)
        if not lost:
            return given
        entries = [{_ENTRY: field.custom, "value": value} for field, value in lost]
        return self._one(spec, "PUT", f"/{spec.name}/{write.id}", {CUSTOM: [*entries, *_custom(write)]})


def _lost(columns: Columns, write: Write, record: Snapshot) -> list[tuple[Field, Any]]:
    """Return the custom fields that were not sent and are empty now, with what they held."""
    if write.present is None or not any(field.custom is not None for field in write.values):
        return []
    held = [(field, write.present.values.get(field.name)) for field in columns.by_id.values()]
    return [
        (field, value)
        for field, value in held
        if value not in (None, "", [], False) and field not in write.values and not record.values.get(field.name)
    ]


def _custom(write: Write) -> list[dict[str, Any]]:
    return [
        {_ENTRY: field.custom, "value": field.kind.write(value)}
        for field, value in write.values.items()
        if field.custom is not None and field.kind is not None
    ]


def body_of(write: Write) -> dict[str, Any]:
    """Return the body of a request: only what is to change; what is emptied is null, or an empty list."""
    body = {
        field.api_name: field.kind.write(value)
        for field, value in write.values.items()
        if field.custom is None and field.kind is not None and not (field.by_relation and write.action != CREATE)
    }
    custom = _custom(write)
    return {**body, CUSTOM: custom} if custom else body

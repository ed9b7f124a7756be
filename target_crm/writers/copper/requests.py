"""The requests that write to Copper (developer.copper.com: create, update, delete, bulk and upsert of each object)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.transport.question import Question
from target_crm.contract import CREATE, InDoubt, NotTaken, Written
from target_crm.kinds.times import EPOCH, SLASHED, Day, Moment
from target_crm.writers.common import after_effect, has_all, is_blank, not_restored, sent_again
from target_crm.writers.copper.answers import answers, one_each, one_record, says_deleted, snapshot
from target_crm.writers.copper.columns import CUSTOM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_crm.contract import Answer, Columns, Field, ObjectSpec, Snapshot, Write
    from target_crm.writers.copper.search import Search
    from target_crm.writers.definitions import Ask, Definitions

DATES = (Day, Moment)
_DAY = len("2026-01-31")
_ENTRY = "custom_field_definition_id"


class Requests:
    """Sends.

    Args:
        ask: asks the CRM.
        search: reads a record again where an answer says too little.
        columns: returns an object's fields in this account.
        definitions: say which custom fields an upsert can match.
        date_order: how the account writes dates that are text.
    """

    def __init__(
        self,
        ask: Ask,
        search: Search,
        columns: Callable[[ObjectSpec], Columns],
        definitions: Definitions,
        date_order: str,
    ) -> None:
        self._ask = ask
        self._search = search
        self._columns = columns
        self._definitions = definitions
        self._date_order = date_order
        self._keeps_others = False
        self._dates_as_text = False
        self._dates_as_epochs = False

    def create(self, spec: ObjectSpec, writes: Sequence[Write]) -> list[Answer]:
        """Make records."""
        if len(writes) == 1:
            return [self._create_one(spec, writes[0])]
        return self._bulk(spec, writes, "bulk_create")

    def update(self, spec: ObjectSpec, writes: Sequence[Write]) -> list[Answer]:
        """Change fields of records."""
        try:
            found = (
                [self._single(spec, "PUT", f"/{spec.name}/{writes[0].id}", writes[0])]
                if len(writes) == 1
                else self._bulk(spec, writes, "bulk_update")
            )
        except errors.EffectUnknown:
            if self._keeps_others or not any(self._may_lose(spec, write) for write in writes):
                raise
            found = [self._as_it_is(spec, write) for write in writes]
        return [self._restored(spec, write, one) for write, one in zip(writes, found, strict=True)]

    def _may_lose(self, spec: ObjectSpec, write: Write) -> bool:
        """Tell whether an update may empty custom fields that it does not name: only what they held tells which."""
        return write.present is not None and bool(_left_alone(self._columns(spec), write, write.present)[0])

    def _as_it_is(self, spec: ObjectSpec, write: Write) -> Answer:
        """Return the record of an update without an answer if it has what was sent."""
        record = None
        with suppress(errors.ReadError, errors.Cancelled):
            record = None if write.id is None else self._search.one(spec, write.id)
        return InDoubt() if record is None or not has_all(record, write.values) else Written(record.id, record)

    def delete(self, spec: ObjectSpec, write: Write) -> Answer:
        """Delete a record; one that answers well and is still there counts as not taken."""
        question = Question("DELETE", f"/{spec.name}/{write.id}", f"{spec.name}: delete", writes=True)
        assert write.id is not None  # noqa: S101 - it was read
        if self._ask(question, says_deleted):
            return Written(write.id)
        with after_effect(question.label):
            is_there = self._search.one(spec, write.id) is not None
        return NotTaken("the CRM answered well and ignored the deletion") if is_there else Written(write.id)

    def _create_one(self, spec: ObjectSpec, write: Write) -> Answer:
        field = write.key
        if spec.name == "leads" and write.again and field is not None and self._is_filterable(field):
            return self._upsert(spec, write, field)
        return self._single(spec, "POST", f"/{spec.name}", write)

    def _upsert(self, spec: ObjectSpec, write: Write, field: Field) -> Answer:
        """Make a lead that may be there already (developer.copper.com: upsert-a-lead-by-custom-field): atomic."""
        assert field.kind is not None  # noqa: S101 - it is writable
        value = {_ENTRY: field.custom, "value": field.kind.write(write.values[field])}
        body = {"properties": self._body(write), "match": {"field_name": "custom", "field_value": value}}
        return self._one(spec, "PUT", f"/{spec.name}/upsert", body)

    def _is_filterable(self, field: Field) -> bool:
        found = self._definitions.records(CUSTOM)
        return any(one["id"] == field.custom and one.get("is_filterable") is True for one in found)

    def _one(self, spec: ObjectSpec, method: str, path: str, body: dict[str, Any]) -> Answer:
        question = Question(method, path, f"{spec.name}: {method}", body=body, writes=True)
        record = self._ask(question, one_record)
        return Written(record["id"], snapshot(record, self._columns(spec)))

    def _single(self, spec: ObjectSpec, method: str, path: str, write: Write) -> Answer:
        """Send one record; if Copper refuses it, once more with its dates as texts, of which some pages tell.

        Every sample has epochs, another page has mm/dd/yyyy (developer.copper.com: introduction/best-practices).
        """
        if self._dates_as_text or self._dates_as_epochs or not _has_dates(write):
            return self._one(spec, method, path, self._body(write))
        try:
            answer = self._one(spec, method, path, self._body(write))
        except errors.Refused as refusal:
            try:
                answer = self._one(spec, method, path, body_of(write, self._date_order))
            except errors.Refused:
                raise refusal from None
            self._dates_as_text = True
        else:
            self._dates_as_epochs = True
        return answer

    def _body(self, write: Write) -> dict[str, Any]:
        return body_of(write, self._date_order if self._dates_as_text else None)

    def _answered(self, spec: ObjectSpec, write: Write, answer: Answer) -> Answer:
        """Return what became of a record of a bulk request with epochs: refused, it may only have its dates amiss.

        Other records of the request are written, so nothing is raised.
        """
        if not _has_dates(write) or isinstance(answer, InDoubt):
            return answer
        if isinstance(answer, Written):
            self._dates_as_epochs = True
            return answer
        if self._dates_as_epochs or answer.gone:
            return answer
        method, path = ("POST", f"/{spec.name}") if write.id is None else ("PUT", f"/{spec.name}/{write.id}")
        try:
            found = self._one(spec, method, path, body_of(write, self._date_order))
        except (errors.ReadError, errors.Cancelled):
            return answer
        except errors.EffectUnknown:
            return InDoubt()
        self._dates_as_text = True
        return found

    def _bulk(self, spec: ObjectSpec, writes: Sequence[Write], name: str) -> list[Answer]:
        order = self._date_order if self._dates_as_text else None  # another thread may find it out meanwhile
        bodies = [body_of(write, order) for write in writes]
        body = {
            spec.name: [
                one if write.id is None else {"id": write.id, **one} for write, one in zip(writes, bodies, strict=True)
            ]
        }
        label = f"{spec.name}: {name} of {len(writes)}"
        question = Question("POST", f"/{spec.name}/{name}", label, body=body, writes=True)
        columns = self._columns(spec)
        found: list[Answer] = self._ask(question, lambda reply: answers(one_each(reply, len(writes)), columns))
        if order is not None:
            return found
        return [self._answered(spec, write, one) for write, one in zip(writes, found, strict=True)]

    def _restored(self, spec: ObjectSpec, write: Write, given: Answer) -> Answer:
        """Write back custom fields that an update has emptied though it did not name them.

        That they stay is not documented in so many words; that one of them stays shows it. An answer may also not name
        them, so that they are gone is read first.
        """
        if not isinstance(given, Written) or given.record is None or write.present is None:
            return given
        if not self._lost(spec, write, given.record):
            return given
        record = None
        with suppress(errors.ReadError, errors.Cancelled):
            record = self._search.one(spec, given.id)
        if record is None:
            return InDoubt()
        lost = self._lost(spec, write, record)
        if not lost:
            return Written(given.id, record)
        return self._write_back(spec, write, lost)

    def _write_back(self, spec: ObjectSpec, write: Write, lost: Sequence[tuple[Field, Any]]) -> Answer:
        entries = [{_ENTRY: field.custom, "value": value} for field, value in lost]
        sent = _custom(write, self._date_order if self._dates_as_text else None)
        try:
            return sent_again(lambda: self._one(spec, "PUT", f"/{spec.name}/{write.id}", {CUSTOM: [*entries, *sent]}))
        except (errors.ReadError, errors.Cancelled, errors.EffectUnknown):
            pass  # the record tells
        with suppress(errors.ReadError, errors.Cancelled):
            record = None if write.id is None else self._search.one(spec, write.id)
            if record is not None and not self._lost(spec, write, record):
                return Written(record.id, record)
        return not_restored([field for field, _ in lost])

    def _lost(self, spec: ObjectSpec, write: Write, record: Snapshot) -> list[tuple[Field, Any]]:
        """Return the custom fields that an update has emptied though it did not name them."""
        kept, lost = _left_alone(self._columns(spec), write, record)
        self._keeps_others = self._keeps_others or bool(kept)
        return [] if self._keeps_others else lost  # what is gone all the same, a person has emptied


def _left_alone(
    columns: Columns, write: Write, record: Snapshot
) -> tuple[list[tuple[Field, Any]], list[tuple[Field, Any]]]:
    """Return the custom fields that had something and were not sent: those that still have something, and others."""
    if write.present is None or not any(field.custom is not None for field in write.values):
        return [], []
    held = [(field, write.present.values.get(field.name)) for field in columns.by_id.values()]
    filled = [pair for pair in held if not is_blank(pair[1]) and pair[0] not in write.values]
    kept = [pair for pair in filled if not is_blank(record.values.get(pair[0].name))]
    return kept, [pair for pair in filled if pair not in kept]


def _has_dates(write: Write) -> bool:
    """Tell whether something is sent of which two forms are documented."""
    return any(isinstance(field.kind, DATES) and value is not None for field, value in write.values.items())


def _sent(field: Field, value: Any, date_order: str | None) -> Any:  # noqa: ANN401
    """Return what the API takes; ``date_order`` makes texts of dates."""
    kind = field.kind
    assert kind is not None  # noqa: S101 - it is written
    if date_order is None or value is None or not isinstance(kind, DATES) or kind.form != EPOCH:
        return kind.write(value)
    return Day(SLASHED, date_order).write(str(value)[:_DAY])


def _custom(write: Write, date_order: str | None = None) -> list[dict[str, Any]]:
    return [
        {_ENTRY: field.custom, "value": _sent(field, value, date_order)}
        for field, value in write.values.items()
        if field.custom is not None and field.kind is not None
    ]


def body_of(write: Write, date_order: str | None = None) -> dict[str, Any]:
    """Return the body of a request: only what is to change; what is emptied is null, or an empty list.

    Args:
        write: what is to be sent.
        date_order: how dates are written as texts; None for epochs.
    """
    body = {
        field.api_name: _sent(field, value, date_order)
        for field, value in write.values.items()
        if field.custom is None and field.kind is not None and not (field.by_relation and write.action != CREATE)
    }
    custom = _custom(write, date_order)
    return {**body, CUSTOM: custom} if custom else body

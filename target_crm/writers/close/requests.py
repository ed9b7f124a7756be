"""The requests that write to Close (developer.close.com: create, update, delete of each resource).

Every update changes only the fields that it names.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_crm.transport.question import Doubtful, Question
from target_crm.contract import CREATE, NotTaken, Written
from target_crm.writers.close.answers import one_record, snapshot
from target_crm.writers.close.kinds import Many
from target_crm.writers.close.objects import NOT_SENT, RESOURCES, TASK_TYPES
from target_crm.writers.common import after_effect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.transport.question import Reply
    from target_crm.contract import Answer, Columns, Field, ObjectSpec, Write
    from target_crm.writers.close.finding import Finding
    from target_crm.writers.definitions import Ask

Body = dict[str, Any]


class Requests:
    """Sends.

    Args:
        ask: asks the CRM.
        finding: reads a record again where an answer says too little.
        columns: returns an object's fields in this account.
    """

    def __init__(self, ask: Ask, finding: Finding, columns: Callable[[ObjectSpec], Columns]) -> None:
        self._ask = ask
        self._finding = finding
        self._columns = columns

    def create(self, spec: ObjectSpec, write: Write) -> Answer:
        """Make a record."""
        usual = {"_type": TASK_TYPES[0]} if spec.name == "tasks" else {}
        return self._one(spec, "POST", RESOURCES[spec.name].path, {**usual, **_body(write)}, None)

    def update(self, spec: ObjectSpec, write: Write) -> Answer:
        """Change fields of a record; what is only added to lists is added, so that nobody else's entries are lost."""
        added = _added(write)
        path = f"{RESOURCES[spec.name].path}{quote(str(write.id), safe='')}/"
        rest = {field: value for field, value in write.values.items() if field not in added}
        bodies = [_values(rest)] if rest else []
        for field, values in added.items():
            for at, value in enumerate(values):
                while len(bodies) <= at:
                    bodies.append({})
                bodies[at][f"{field.api_name}.add"] = value
        answer: Answer = Written(write.id or "")
        for at, body in enumerate(bodies):
            with after_effect(f"{spec.name}: PUT") if at else nullcontext():
                answer = self._one(spec, "PUT", path, body, str(write.id))
        return answer

    def delete(self, spec: ObjectSpec, write: Write) -> Answer:
        """Delete a record; one that is still there counts as not taken, since an answer says nothing of it."""
        assert write.id is not None  # noqa: S101 - it was read
        path = f"{RESOURCES[spec.name].path}{quote(str(write.id), safe='')}/"
        self._ask(Question("DELETE", path, f"{spec.name}: delete", writes=True), lambda _: None)
        with after_effect(f"{spec.name}: delete"):
            is_there = self._finding.one(spec, str(write.id)) is not None
        return NotTaken("the CRM answered well and ignored the deletion") if is_there else Written(write.id)

    def _one(self, spec: ObjectSpec, method: str, path: str, body: Body, key: str | None) -> Answer:
        def parse(reply: Reply) -> dict[str, Any]:
            record = one_record(reply, spec.key)
            if key is not None and record[spec.key] != key:
                raise Doubtful("the answer is of another record")
            return record

        record = self._ask(Question(method, path, f"{spec.name}: {method}", body=body, writes=True), parse)
        return Written(record[spec.key], snapshot(record, spec, self._columns(spec)))


def _body(write: Write) -> Body:
    """Return the body for a new record: nothing that is empty."""
    return _values({field: value for field, value in write.values.items() if value is not None})


def _values(values: Any) -> Body:  # noqa: ANN401 - by field
    return {
        field.api_name: None if value is None and field.custom is not None else field.kind.write(value)
        for field, value in values.items()
        if field.kind is not None and field.name not in NOT_SENT
    }


def _added(write: Write) -> dict[Field, list[Any]]:
    """Return by custom field the values that are only added to what it has, as the API takes them."""
    if not write.is_union or write.present is None or write.action == CREATE:
        return {}
    found: dict[Field, list[Any]] = {}
    for field, value in write.values.items():
        if field.custom is None or not isinstance(field.kind, Many) or not value:
            continue
        present = field.value_in(write.present.values)
        if present and not field.kind.without(present, value):
            found[field] = field.kind.write(field.kind.without(value, present))
    return found

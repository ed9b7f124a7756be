"""Asks an endpoint that a user declared, and makes records of its answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_crm import errors
from tap_crm.config.endpoints import THE_ANSWER
from tap_crm.messages import Row
from tap_crm.providers.common.records import Record, decoded, encoded
from tap_crm.shaping.moments import from_epoch
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.config.endpoints import Endpoint
    from tap_crm.contract.stream import EndpointRules, Reading
    from tap_crm.transport.question import Reply

#: The column that holds a record's fields where the endpoint has no schema.
RECORD = "record"
USUAL_LIST = "data"
#: Stands for the answer itself, ``data``, or the only list that the answer holds.
ANY_LIST = "*"
#: So many parents are asked for at least before a path that none of them has counts as wrong.
ENOUGH_PARENTS = 20


class _Unfit(Exception):  # noqa: N818 - it names the answer
    """An answer is not as the endpoint was declared."""


@dataclass(slots=True)
class Found:
    """What is known by now of an endpoint's answers, over all parents."""

    is_as_declared: bool = False
    answers: int = 0
    lost: int = 0
    values: set[object] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_never_there(self) -> bool:
        """Note a parent whose path does not exist; tells whether that is so for all of them, and they are many."""
        with self.lock:
            self.lost += 1
            return self.answers == 0 and self.lost >= min(ENOUGH_PARENTS, max(1, len(self.values)))

    def new_values(self, records: Sequence[Record], name: str, parent: str) -> Sequence[object]:
        """Return the values of a field that were not seen before.

        Raises:
            Incomplete: no record has the field.
        """
        if records and not any(name in record for record in records):
            raise errors.Incomplete(
                f"the records of {parent} have no field `{name}`, which an endpoint's `parent` names"
            )
        found = [value for record in records if isinstance(value := record.get(name), (str, int))]
        with self.lock:
            new = [value for value in dict.fromkeys(found) if value not in self.values]
            self.values.update(new)
        return new


@dataclass(slots=True)
class Asker:
    """Asks an endpoint, and makes records of its answers.

    Attributes:
        since: epoch seconds from which changes are asked for; None for all.
        value: of the parent.
        began: the server's time when the first answer came.
    """

    endpoint: Endpoint
    rules: EndpointRules
    reading: Reading
    since: int | None = None
    value: object = None
    found: Found = field(default_factory=Found)
    began: float = 0.0

    @property
    def label(self) -> str:
        """For messages: the stream's name, and whose children are asked for."""
        parent, name = self.endpoint.parent, self.reading.spec.name
        return name if parent is None else f"{name} of a record of {parent.stream}"

    def ask(self, more: Mapping[str, str | int]) -> tuple[list[Record], object, Reply]:
        """Return the records of an answer, the whole answer decoded, and as it came.

        Args:
            more: parameters beside those that were declared.

        Raises:
            Incomplete: the answer is not as the endpoint was declared.
        """
        question = self._question(more)
        found = self.reading.ask(question, self._parse)
        if isinstance(found, _Unfit):
            found = self.reading.ask(question, self._parse)
        if isinstance(found, _Unfit):
            raise errors.Incomplete(f"{self.label}: {found}")
        self.began = self.began or found[2].server_time
        return found

    def _question(self, more: Mapping[str, str | int]) -> Question:
        endpoint = self.endpoint
        params = {**self._since(), **more}
        path = endpoint.path
        if endpoint.parent is not None:
            path = path.replace(f"{{{endpoint.parent.field}}}", quote(str(self.value), safe=""))
        if self.rules.ends_in_slash and not path.endswith("/"):
            path += "/"
        query = {name: value if isinstance(value, int) else str(value) for name, value in endpoint.query.items()}
        if endpoint.method == "GET":
            return Question("GET", path, self.label, params={**query, **params})
        return Question("POST", path, self.label, params=query, body={**(endpoint.body or {}), **params})

    def _since(self) -> dict[str, str | int]:
        endpoint = self.endpoint
        if self.since is None or endpoint.since_param is None:
            return {}
        return {endpoint.since_param: self.since if endpoint.since_format == "epoch" else from_epoch(self.since)}

    def _parse(self, reply: Reply) -> tuple[list[Record], object, Reply] | _Unfit:
        """Return what an answer holds; one that is not as declared is doubted once others were."""
        body = decoded(reply)
        try:
            records = [self._shaped(record) for record in records_in(body, self.endpoint.records)]
        except _Unfit as unfit:
            if self.found.is_as_declared:
                raise Doubtful(str(unfit)) from None
            return unfit
        with self.found.lock:
            self.found.answers += 1
            self.found.is_as_declared = self.found.is_as_declared or bool(records)
        return records, body, reply

    def _shaped(self, record: Record) -> Record:
        """Return a record with the columns that its schema has."""
        endpoint = self.endpoint
        column = endpoint.parent.column if endpoint.parent is not None else None
        added = {} if column is None else {column: self.value}
        lacking = [key for key in endpoint.keys if record.get(key) is None and key not in added]
        if lacking:
            raise _Unfit(f"the records have no `{lacking[0]}`, which `keys` names; they have: {_names(record)}")
        if endpoint.schema is not None:
            return {**record, **added}
        own = [name for name in (*endpoint.keys, endpoint.replication_key) if name is not None and name in record]
        rest = {name: value for name, value in record.items() if name not in own}
        return {**{name: record[name] for name in own}, **added, RECORD: rest}

    def rows(self, records: Sequence[Record]) -> tuple[Row, ...]:
        """Return the key of each record: all of it, where none was declared."""
        keys = self.endpoint.keys
        if not keys:
            return tuple(Row(encoded(record).decode(), ()) for record in records)
        return tuple(Row(_key([record.get(name) for name in keys]), ()) for record in records)

    def total(self, body: object, reply: Reply) -> int | None:
        """Return what the CRM counts."""
        return self.rules.total(reply.headers, body)


def _key(values: list[object]) -> int | str:
    if len(values) == 1 and isinstance(values[0], (int, str)):
        return values[0]
    return encoded(values).decode()


def _names(record: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in list(record)[:20]) or "no field"


def records_in(body: object, path: str | None) -> list[Record]:
    """Return the records of an answer.

    Args:
        body: the answer, decoded.
        path: dotted; None: the answer itself where it is a list, else ``data``; a dot: the answer itself.

    Raises:
        _Unfit: there are none at this place.
    """
    if path == ANY_LIST and isinstance(body, dict):
        lists = [name for name, value in body.items() if isinstance(value, list)]
        path = lists[0] if len(lists) == 1 else None
    if path in (None, ANY_LIST):
        path = THE_ANSWER if isinstance(body, list) else USUAL_LIST
    found = body
    for name in () if path == THE_ANSWER else path.split("."):
        if not isinstance(found, dict) or name not in found:
            what = f"has: {_names(found)}" if isinstance(found, dict) else "is no object there"
            raise _Unfit(f"the answer has no `{path}`, where its `records` should be; it {what}")
        found = found[name]
    records = [found] if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _Unfit(f"what the answer has at `{path}` is no list of objects; `records` says where they are")
    return records

"""Copper's small lists: one GET, no paging, no change time; read whole each run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tap_crm import errors
from tap_crm.reading.emptiness import WHOLE
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

Record: TypeAlias = dict[str, Any]
Unwrap: TypeAlias = Callable[[object], Iterable[Record]]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
ENTITIES = ("people", "companies", "leads", "opportunities", "projects", "tasks")


def records_in(body: object, envelope: str | None = None) -> list[Record]:
    """Return the records of a list: a bare array, or one inside of an object under ``envelope``.

    Raises:
        Doubtful: the answer is neither; it is asked for again, never taken for an empty list.
    """
    rows = body.get(envelope) if isinstance(body, dict) and envelope is not None else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Doubtful("the answer is not the documented list")
    return rows


def one_record(body: object) -> list[Record]:
    """Return the record of an answer that is one object (``/account``)."""
    if not isinstance(body, dict) or "id" not in body:
        raise Doubtful("the answer is not the documented object")
    return [body]


def _fields_in(body: object) -> list[Record]:
    return records_in(body, "fields")


def _json(reply: Reply) -> object:
    return _DECODER.decode(reply.body)


def with_keys(records: Iterable[Record], keys: tuple[str, ...]) -> list[Record]:
    """Return records that all have their keys.

    Raises:
        Doubtful: one has not.
    """
    found = list(records)
    if any(record.get(key) is None for record in found for key in keys):
        raise Doubtful(f"a record has no {' or '.join(keys)}")
    return found


def ask_list(reading: Reading, question: Question, unwrap: Unwrap, keys: tuple[str, ...] = ("id",)) -> list[Record]:
    """Return the records of one answer, each with its keys."""
    reading.ledger.add(pages=1)
    found: list[Record] = reading.ask(question, lambda reply: with_keys(unwrap(_json(reply)), keys))
    return found


def ask_whole_list(
    reading: Reading, question: Question, unwrap: Unwrap, keys: tuple[str, ...] = ("id",), name: str = WHOLE
) -> list[Record]:
    """Return the records of a list that is one answer; an empty one is asked for again where that may be wrong.

    ``name`` tells the lists apart of a stream that has several.
    """
    records = ask_list(reading, question, unwrap, keys)
    if not records and reading.lists.is_doubtful(name):
        records = ask_list(reading, question, unwrap, keys)
    reading.lists.note(name, len(records))
    return records


@dataclass(frozen=True, slots=True)
class WholeList:
    """One GET that answers with everything."""

    path: str
    unwrap: Unwrap = records_in
    params: Mapping[str, str | int] = field(default_factory=dict)

    def _records(self, reading: Reading) -> list[Record]:
        question = Question("GET", self.path, reading.spec.name, params=self.params)
        return ask_whole_list(reading, question, self.unwrap, reading.spec.keys)

    def read(self, reading: Reading) -> None:
        """Read the list."""
        records = self._records(reading)
        reading.ledger.source_total = len(records)
        reading.emit_records(records)

    def probe(self, reading: Reading) -> None:
        """Read the list: it is one request."""
        self._records(reading)


class Account:
    """The stream ``account``: ``GET /account``, one record (developer.copper.com: account and users)."""

    def records(self, reading: Reading) -> list[Record]:
        """Return the record in a list; asked once per run, also for its id."""
        return reading.shared.get(
            "account", lambda: ask_list(reading, Question("GET", "/account", "account"), one_record)
        )

    def read(self, reading: Reading) -> None:
        """Read it."""
        records = self.records(reading)
        reading.ledger.source_total = len(records)
        reading.emit_records(records)

    def probe(self, reading: Reading) -> None:
        """Read it: it is one request."""
        self.records(reading)


ACCOUNT = Account()


def account_ids(reading: Reading) -> list[str]:
    """Return the id of the account that the key opens."""
    return [str(record["id"]) for record in ACCOUNT.records(reading)]


class ActivityTypes:
    """``GET /activity_types``: an object with two groups; their ids collide, so the group is part of the key."""

    groups = ("user", "system")

    def _ask(self, reading: Reading) -> dict[str, list[Record]]:
        question = Question("GET", "/activity_types", reading.spec.name)

        def parse(reply: Reply) -> dict[str, list[Record]]:
            body = _json(reply)
            if not isinstance(body, dict) or not body.keys() & set(self.groups):
                raise Doubtful("the answer is not the documented object")
            return {
                group: [
                    {**record, "category": record.get("category") or group}
                    for record in with_keys(records_in(body.get(group) or []), ("id",))
                ]
                for group in self.groups
            }

        reading.ledger.add(pages=1)
        found: dict[str, list[Record]] = reading.ask(question, parse)
        return found

    def read(self, reading: Reading) -> None:
        """Read both groups."""
        found = self._ask(reading)
        if any(not records and reading.lists.is_doubtful(group) for group, records in found.items()):
            found = self._ask(reading)
        for group, records in found.items():
            reading.lists.note(group, len(records))
        records = [record for group in found.values() for record in group]
        reading.ledger.source_total = len(records)
        reading.emit_records(records)

    def probe(self, reading: Reading) -> None:
        """Read them: it is one request."""
        self._ask(reading)


@dataclass(frozen=True, slots=True)
class Tags:
    """``GET /tags``: parts by keyset, the next one begins after ``last_tag_value``.

    The length of a part is not documented, so the end is an empty part that is empty when asked for again, or one that
    brings nothing new.
    """

    path: str = "/tags"

    def _part(self, reading: Reading, after: str | None, sort_by: str = "name") -> list[Record]:
        found = self._ask(reading, after, sort_by)
        return found if found or not (after or reading.lists.is_doubtful()) else self._ask(reading, after, sort_by)

    def _ask(self, reading: Reading, after: str | None, sort_by: str = "name") -> list[Record]:
        params = {"sort_by": sort_by} if after is None else {"sort_by": sort_by, "last_tag_value": after}
        question = Question("GET", self.path, "tags" if after is None else "tags, next part", params=params)
        return ask_list(reading, question, lambda body: records_in(body, "tags"), ("name",))

    def read(self, reading: Reading) -> None:
        """Read part after part.

        Raises:
            Incomplete: the CRM gives the first part again, whatever is asked for, and has tags that are not in it.
        """
        seen: dict[str, Record] = {}
        first = part = self._part(reading, None)
        while new := [tag for tag in part if tag["name"] not in seen]:
            seen.update((tag["name"], tag) for tag in new)
            part = self._part(reading, new[-1]["name"])
        if part and [tag["name"] for tag in part] == [tag["name"] for tag in first]:
            self._check_another_order(reading, seen)
        reading.emit_records(list(seen.values()))

    def _check_another_order(self, reading: Reading, seen: Mapping[str, Record]) -> None:
        """Raise if the tags that are used most show that the first part was not all: it came again in place of others.

        A CRM that gives all tags in one part, whatever is asked for, shows none.
        """
        if any(tag["name"] not in seen for tag in self._part(reading, None, "count")):
            raise errors.Incomplete(
                "tags: the CRM gives the same tags again, whatever part of them is asked for, and has others. Run "
                "again later, and if that does not help, ask the CRM's support"
            )

    def probe(self, reading: Reading) -> None:
        """Read the first part."""
        self._ask(reading, None)


@dataclass(frozen=True, slots=True)
class FieldLayouts:
    """``GET /field_layouts/by_entity/{entity}``: opportunities have one for each pipeline, the others one each.

    404 means that the account has no such entity, and 403 that it is switched off: there is nothing to read then.
    """

    def read(self, reading: Reading) -> None:
        """Read every layout there is."""
        question = Question("GET", "/pipelines", "field_layouts: pipelines")
        pipelines = ask_whole_list(reading, question, records_in, name="pipelines")
        records: list[Record] = []
        for entity in ENTITIES:
            for pipeline in pipelines if entity == "opportunities" else ({"id": 0},):
                records += self._layout(reading, entity, pipeline["id"])
        reading.emit_records(records)

    def _layout(self, reading: Reading, entity: str, pipeline: int) -> list[Record]:
        params = {"pipeline_id": pipeline} if pipeline else {}
        question = Question("GET", f"/field_layouts/by_entity/{entity}", f"field_layouts of {entity}", params=params)
        name = f"{entity}, pipeline {pipeline}" if pipeline else entity
        try:
            fields = ask_whole_list(reading, question, _fields_in, ("field_id",), name)
        except (errors.NotThere, errors.Forbidden):
            reading.ledger.note(f"the account has no field layout of {entity}")
            reading.lists.note(name, 0)
            return []
        return [{"entity": entity, "pipeline_id": pipeline, **layout} for layout in fields]

    def probe(self, reading: Reading) -> None:
        """Read one layout."""
        question = Question("GET", "/field_layouts/by_entity/people", "field_layouts")
        ask_list(reading, question, _fields_in, ("field_id",))

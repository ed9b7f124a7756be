"""Copper's lists of a form of their own: types of activities, tags, field layouts; read whole each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.providers.common.records import Record, decoded, records_in
from tap_crm.providers.common.whole_list import (
    OneRecord,
    ask_once,
    ask_twice_if_empty,
    ask_whole_list,
    emit_all,
)
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

ENTITIES = ("people", "companies", "leads", "opportunities", "projects", "tasks")
#: ``GET /account`` (developer.copper.com: account and users).
ACCOUNT = OneRecord("/account", "id")


def in_list(*keys: str, within: str | None = None, reply: Reply) -> list[Record]:
    """Return the records of an answer, each with its keys."""
    return records_in(decoded(reply), *keys, within=within)


class ActivityTypes:
    """``GET /activity_types``: an object with two groups; their ids collide, so the group is part of the key."""

    groups = ("user", "system")

    def _ask(self, reading: Reading) -> dict[str, list[Record]]:
        question = Question("GET", "/activity_types", reading.spec.name)

        def parse(reply: Reply) -> dict[str, list[Record]]:
            body = decoded(reply)
            if not isinstance(body, dict) or not body.keys() & set(self.groups):
                raise Doubtful("the answer is not the documented object")
            return {
                group: [
                    {**record, "category": record.get("category") or group}
                    for record in records_in(body.get(group) or [], "id")
                ]
                for group in self.groups
            }

        def may_be_wrong(found: dict[str, list[Record]]) -> bool:
            return any(not records and reading.lists.is_doubtful(group) for group, records in found.items())

        found = ask_twice_if_empty(reading, question, parse, may_be_wrong)
        if any(reading.lists.is_short(len(records), group) for group, records in found.items()):
            again = ask_once(reading, question, parse)
            return {group: max(records, again[group], key=len) for group, records in found.items()}
        return found

    def read(self, reading: Reading) -> None:
        """Read both groups."""
        found = self._ask(reading)
        for group, records in found.items():
            reading.lists.note(group, len(records))
        emit_all(reading, [record for group in found.values() for record in group])

    def probe(self, reading: Reading) -> None:
        """Read them: it is one request."""
        self._ask(reading)


@dataclass(frozen=True, slots=True)
class Tags:
    """``GET /tags``: answers by keyset, the next one begins after ``last_tag_value``.

    The length of an answer is not documented, so the end is one that brings nothing new, also when asked for again.
    """

    path: str = "/tags"

    def _ask(
        self, reading: Reading, after: str | None, sort_by: str = "name", seen: Mapping[str, Record] | None = None
    ) -> list[Record]:
        params = {"sort_by": sort_by} if after is None else {"sort_by": sort_by, "last_tag_value": after}
        question = Question("GET", self.path, "tags" if after is None else "tags, next page", params=params)
        doubtful = after is not None or reading.lists.is_doubtful()
        return ask_twice_if_empty(
            reading,
            question,
            lambda reply: in_list("name", within="tags", reply=reply),
            lambda found: all(tag["name"] in (seen or ()) for tag in found),
            is_doubtful=doubtful,
        )

    def read(self, reading: Reading) -> None:
        """Read answer after answer.

        Raises:
            Incomplete: the CRM gives the first answer again, whatever is asked for, and has tags that are not in it.
        """
        seen: dict[str, Record] = {}
        first = answer = self._ask(reading, None)
        while new := [tag for tag in answer if tag["name"] not in seen]:
            seen.update((tag["name"], tag) for tag in new)
            answer = self._ask(reading, new[-1]["name"], seen=seen)
        if answer and [tag["name"] for tag in answer] == [tag["name"] for tag in first]:
            self._check_another_order(reading, seen)
        reading.emit_records(list(seen.values()))

    def _check_another_order(self, reading: Reading, seen: Mapping[str, Record]) -> None:
        """Raise if the tags that are used most show that the first answer was not all, and came again.

        A CRM that gives all tags in one answer, whatever is asked for, shows none.
        """
        if any(tag["name"] not in seen for tag in self._ask(reading, None, "count")):
            raise errors.Incomplete(
                "tags: the CRM gives the same tags again, whatever part of them is asked for, and has others. Run "
                "again later, and if that does not help, ask the CRM's support"
            )

    def probe(self, reading: Reading) -> None:
        """Read the first answer."""
        self._ask(reading, None)


@dataclass(frozen=True, slots=True)
class FieldLayouts:
    """``GET /field_layouts/by_entity/{entity}``: opportunities have one for each pipeline, the others one each.

    404 means that the account has no such entity, and 403 that it is switched off: there is nothing to read then.
    """

    def read(self, reading: Reading) -> None:
        """Read every layout there is."""
        question = Question("GET", "/pipelines", "field_layouts: pipelines")
        pipelines = ask_whole_list(reading, question, lambda reply: in_list("id", reply=reply), "pipelines")
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
            fields = ask_whole_list(reading, question, _fields, name)
        except (errors.NotThere, errors.Forbidden):
            reading.ledger.note(f"the account has no field layout of {entity}")
            reading.lists.note(name, 0)
            return []
        return [{"entity": entity, "pipeline_id": pipeline, **layout} for layout in fields]

    def probe(self, reading: Reading) -> None:
        """Read one layout."""
        question = Question("GET", "/field_layouts/by_entity/people", "field_layouts")
        ask_once(reading, question, _fields)


def _fields(reply: Reply) -> list[Record]:
    return in_list("field_id", within="fields", reply=reply)

"""Close's lists, searches and single records, as writing needs them (developer.close.com: pagination, filtering)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_crm import errors
from tap_crm.transport.question import Question
from target_crm.writers.close.answers import envelope, one_record
from target_crm.writers.close.objects import COMMENTS, RESOURCES
from target_crm.writers.common import one_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_crm.contract import Field, ObjectSpec
    from target_crm.writers.definitions import Ask


SEARCH = "/data/search/"
#: Rows of a page: known to work on every list, and in a search.
LISTED, SEARCHED = 100, 200
#: Answers of one walk: more than any that is asked for here.
MOST_PAGES = 10_000


class Lists:
    """Asks.

    Args:
        ask: asks the CRM.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def one(self, spec: ObjectSpec, key: str) -> dict[str, Any] | None:
        """Return one record, from the database; None if it is gone."""
        path = f"{RESOURCES[spec.name].path}{quote(key, safe='')}/"
        record = one_or_none(self._ask, Question("GET", path, f"{spec.name}: one record"), one_record)
        if record is None:
            return None
        is_removed = spec.name == COMMENTS and record.get("removed_at") is not None
        return None if is_removed else record

    def by_ids(self, spec: ObjectSpec, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the records with these ids that the list shows; others may be there all the same."""
        resource = RESOURCES[spec.name]
        params: dict[str, str | int] = {**resource.params, "id__in": ",".join(ids), "_limit": len(ids)}
        question = Question("GET", resource.path, f"{spec.name}: {len(ids)} by id", params=params)
        try:
            found: list[dict[str, Any]] = self._ask(question, envelope)["data"]
        except (errors.Refused, errors.NotThere):  # the filter is documented, and not for every plan known to work
            return []
        wanted = set(ids)
        return [one for one in found if one["id"] in wanted]

    def children(self, spec: ObjectSpec, lead: str) -> list[dict[str, Any]]:
        """Return the records of a lead, from the database."""
        resource = RESOURCES[spec.name]
        params = {**resource.params, "lead_id": lead}
        try:
            return [one for one in self.walk(spec, params) if one.get("lead_id") in (lead, None)]
        except errors.NotThere:
            return []

    def walk(self, spec: ObjectSpec, params: Mapping[str, str], key: str = "id") -> Iterator[dict[str, Any]]:
        """Yield the records of a list, each once, however it comes in pages."""
        path = RESOURCES[spec.name].path
        seen: set[str] = set()
        skip = 0
        for _ in range(MOST_PAGES):
            more = {"_skip": skip} if skip else {}
            question = Question("GET", path, f"{spec.name}: a list, from row {skip + 1}", params={**params, **more})
            body = self._ask(question, partial(envelope, key=key))
            new = [one for one in body["data"] if one[key] not in seen]
            seen.update(one[key] for one in new)
            yield from new
            skip += len(body["data"])
            if not body.get("has_more") or not new:
                return

    def search(self, spec: ObjectSpec, queries: Sequence[dict[str, Any]], what: str) -> Iterator[dict[str, Any]]:
        """Yield the objects that one of these queries fits, as far as the index has them.

        Raises:
            Refused: Close does not understand the query.
        """
        kind = RESOURCES[spec.name].searched
        one_of = {"type": "or", "queries": list(queries)}
        body: dict[str, Any] = {
            "query": {"type": "and", "queries": [{"type": "object_type", "object_type": kind}, one_of]},
            "_fields": {kind: [*_shown(spec), "custom"]},
            "_limit": SEARCHED,
        }
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._ask(Question("POST", SEARCH, f"{spec.name}: {what}", body=body), envelope)
            new = [one for one in page["data"] if one["id"] not in seen]
            seen.update(one["id"] for one in new)
            yield from new
            if not page.get("cursor") or not new:
                return
            body = {**body, "cursor": page["cursor"]}


def _shown(spec: ObjectSpec) -> list[str]:
    """Return the fields that a search is asked for: those that are compared, and times."""
    compared = [name for name, one in spec.fields.items() if one.kind is not None and one.label_of is None]
    nested = ("contacts", "opportunities", "tasks")
    return ["id", "date_created", "date_updated", *(name for name in compared if name not in nested)]


def by_id(key: str) -> dict[str, Any]:
    """Return the query for one object."""
    return {"type": "id", "value": key}


def by_term(kind: str, field: Field, texts: Sequence[str]) -> dict[str, Any]:
    """Return the query for objects that have one of these texts in a field."""
    said: dict[str, Any] = (
        {"type": "regular_field", "object_type": kind, "field_name": field.api_name}
        if field.custom is None
        else {"type": "custom_field", "custom_field_id": str(field.custom)}
    )
    return {"type": "field_condition", "field": said, "condition": {"type": "term", "values": list(texts)}}

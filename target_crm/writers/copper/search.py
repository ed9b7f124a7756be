"""Finds and reads Copper's records, as many by one request as it gives (developer.copper.com: the search pages)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm import errors
from tap_crm.providers.copper.search import USUAL_SIZE, total_of
from tap_crm.transport.question import Question
from target_crm.contract import Unwritable
from target_crm.kinds.contact_points import Entries
from target_crm.writers.common import one_or_none
from target_crm.writers.copper.answers import one_record, records, snapshot
from target_crm.writers.copper.objects import IDS_AT_ONCE, RELATED
from target_crm.writers.records_file import RecordsFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_crm.contract import Columns, Field, Id, ObjectSpec, Snapshot
    from target_crm.writers.definitions import Ask, Definitions

_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder()
#: A search gives no more than so many records (developer.copper.com: the search pages).
MOST_RECORDS = 100_000
#: Filters that take a list of values, by object and field.
_FILTERS = {("people", "emails"): "emails", ("companies", "email_domain"): "email_domains"}
_SINGLE_AT_ONCE = 4
#: For so many seconds a record from a read of all counts as one that was searched just now.
_AS_SEARCHED = 60.0
Values = tuple[Any, ...]


class Search:
    """Reads for writing.

    Args:
        ask: asks the CRM.
        definitions: reads a whole object where it has to be.
        columns: returns an object's fields in this account.
    """

    def __init__(
        self,
        ask: Ask,
        definitions: Definitions,
        columns: Callable[[ObjectSpec], Columns],
    ) -> None:
        self._ask = ask
        self._definitions = definitions
        self._columns = columns
        self._without_ids: set[str] = set()
        self._lock = threading.Lock()
        self._singles: dict[str, int] = {}

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> dict[Id, Snapshot]:
        """Return the records with these ids; those that the index has not, or not as new as asked for, one by one."""
        whole = [one for one in ids if isinstance(one, int) and one > 0]
        if not whole:
            return {}
        found: dict[Id, Snapshot] = self._by_ids(spec, whole) if spec.finders is None else {}
        doubtful = [
            one
            for one in whole
            if (one in since or spec.finders is not None)
            and (one not in found or (found[one].changed or since[one]) < since[one])
        ]
        for key, record in self._one_by_one(spec, doubtful):
            found.pop(key, None)
            if record is not None:
                found[key] = record
        return {key: record for key, record in found.items() if key in set(whole)}

    def _by_ids(self, spec: ObjectSpec, ids: Sequence[int]) -> dict[Id, Snapshot]:
        """Return records by a search for their ids; where there is none, one by one or all of the object at once."""
        columns = self._columns(spec)
        if spec.name not in self._without_ids:
            body = {"ids": ids, **_everything(spec)}
            try:
                pages = self._pages(spec, body, f"{len(ids)} by id", len(ids))
                return {one["id"]: snapshot(one, columns, is_searched=True) for one in pages}
            except errors.Refused:  # no page tells of such a filter for companies
                self._without_ids.add(spec.name)
        if not self._is_whole_cheaper(spec, len(ids)):
            return {key: record for key, record in self._one_by_one(spec, ids) if record is not None}
        file, read_at = self._whole(spec)
        is_old = time.monotonic() - read_at > _AS_SEARCHED
        known = map(_DECODER.decode, file.by_ids([str(key) for key in ids]).values())
        return {one["id"]: snapshot(one, columns, is_indexed=is_old, is_searched=True) for one in known}

    def _whole(self, spec: ObjectSpec) -> tuple[RecordsFile, float]:
        """Return all records of an object, read once per run, and when that began."""

        def read() -> tuple[RecordsFile, float]:
            began, file = time.monotonic(), RecordsFile()
            self._definitions.each(
                spec.name, lambda page: file.keep((str(one["id"]), _ENCODER.encode(one)) for one in page)
            )
            return file, began

        return self._definitions.once_per_run.get(("whole", spec.name), read)

    def _is_whole_cheaper(self, spec: ObjectSpec, count: int) -> bool:
        """Tell whether to read the whole object: once as many were asked for one by one as it has pages.

        So it costs at most twice of what the better way would.
        """
        records = self._definitions.once_per_run.get(("count", spec.name), lambda: self._count(spec))
        with self._lock:
            asked = self._singles.get(spec.name, 0) + count
            self._singles[spec.name] = asked
        return asked * IDS_AT_ONCE >= records

    def _count(self, spec: ObjectSpec) -> int:
        """Return how many records an object has, by its search; 0 where that does not tell."""
        body = {"page_number": 1, "page_size": 1, **_everything(spec)}
        question = Question("POST", f"/{spec.name}/search", f"{spec.name}: how many there are", body=body)
        return self._ask(question, lambda reply: total_of(reply.headers)) or 0

    def _one_by_one(self, spec: ObjectSpec, ids: Sequence[Id]) -> list[tuple[Id, Snapshot | None]]:
        if len(ids) < 2:  # noqa: PLR2004 - nothing is side by side
            return [(key, self.one(spec, key)) for key in ids]
        with ThreadPoolExecutor(_SINGLE_AT_ONCE) as pool:
            return list(zip(ids, pool.map(lambda key: self.one(spec, key), ids), strict=True))

    def one(self, spec: ObjectSpec, key: Id) -> Snapshot | None:
        """Return one record, from the database and not from the index; None if it is gone."""
        question = Question("GET", f"/{spec.name}/{key}", f"{spec.name}: one record")
        record = one_or_none(self._ask, question, one_record)
        return None if record is None or record.get("is_deleted") is True else snapshot(record, self._columns(spec))

    def find(
        self, spec: ObjectSpec, fields: Sequence[Field], wanted: Sequence[Values], since: float | None
    ) -> list[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them."""
        columns = self._columns(spec)
        if since is not None:
            made = self._made_since(spec, since)
            return [[one for one in made if _has(one, fields, values)] for values in wanted]
        filtered = _FILTERS.get((spec.name, fields[0].name)) if len(fields) == 1 else None
        if filtered is not None:
            keys = sorted({key for values in wanted for key in _keys(fields[0], values[0])})
            pages = self._pages(spec, {filtered: keys}, f"{len(wanted)} by {fields[0].name}", len(keys))
            found = list({one["id"]: snapshot(one, columns, is_searched=True) for one in pages}.values())
            return [[one for one in found if _has(one, fields, values)] for values in wanted]
        ids = self._indexed(spec, fields[0], [values[0] for values in wanted])
        known = self.read(spec, sorted(set().union(*ids)), {})
        return [
            [known[key] for key in sorted(own) if key in known and _has(known[key], fields, values)]
            for own, values in zip(ids, wanted, strict=True)
        ]

    def _indexed(self, spec: ObjectSpec, field: Field, values: Sequence[Any]) -> list[set[int]]:
        """Return for each value the ids of the records that have it in a field, from a read of the whole object.

        Texts of custom fields cannot be searched by (developer.copper.com: people/list-people-search).
        """
        columns = self._columns(spec)

        def read() -> RecordsFile:
            file = RecordsFile()

            def take(page: Sequence[dict[str, Any]]) -> None:
                for record in page:
                    held = _read(field, snapshot(record, columns).values.get(field.name))
                    file.index(field.name, ((key, str(record["id"])) for key in _keys(field, held)))

            self._definitions.each(spec.name, take)
            return file

        file = self._definitions.once_per_run.get(("index", spec.name, field.name), read)
        keys = [list(_keys(field, value)) for value in values]
        found = file.ids_by(field.name, sorted({key for part in keys for key in part}))
        return [{int(one) for key in part for one in found.get(key, ())} for part in keys]

    def _made_since(self, spec: ObjectSpec, since: float) -> list[Snapshot]:
        """Return the records that were made since a time."""
        body = {"minimum_created_date": int(since), "sort_by": "date_created", "sort_direction": "desc"}
        columns = self._columns(spec)
        found = self._pages(spec, {**body, **_everything(spec)}, "those made lately")
        by_id = {one["id"]: snapshot(one, columns, is_searched=True) for one in found}
        return [one for one in by_id.values() if one.created is None or one.created >= int(since)]

    def _pages(
        self, spec: ObjectSpec, body: Mapping[str, Any], what: str, most: int = MOST_RECORDS
    ) -> Iterator[dict[str, Any]]:
        """Yield the records of a search, which may come twice.

        A short page is not its end, pages may be smaller than they are asked for, and behind a full one there may be
        more than the count says, but for ``most``.
        """
        number, total, seen, largest = 0, 1, 0, USUAL_SIZE
        while number == 0 or number * largest < min(total, MOST_RECORDS):
            number += 1
            asked = {**body, "page_number": number, "page_size": IDS_AT_ONCE}
            question = Question("POST", f"/{spec.name}/search", f"{spec.name}: {what}, page {number}", body=asked)
            page, told = self._ask(question, lambda reply: (records(reply), total_of(reply.headers)))
            yield from page
            seen, largest = seen + len(page), max(largest, len(page) or IDS_AT_ONCE)
            if told is None:  # without a count, the end is a page without any record
                told = (number + 1) * IDS_AT_ONCE if page else 0
            elif len(page) == largest and seen < most:
                told = max(told, number * largest + 1)
            total = told

    def related(self, entity: str, key: int) -> set[tuple[str, int]]:
        """Return type and id of what a record is related to (developer.copper.com: related-items)."""
        question = Question("GET", f"/{entity}/{key}/related", f"{RELATED} of a record of {entity}")
        try:
            return {(str(one.get("type")), one["id"]) for one in self._ask(question, records)}
        except errors.NotThere:
            return set()


def _everything(spec: ObjectSpec) -> dict[str, Any]:
    """Return what makes a search give converted leads, too (developer.copper.com: leads/list-leads-search)."""
    return {"include_converted_leads": True} if spec.name == "leads" else {}


def _read(field: Field, raw: Any) -> Any:  # noqa: ANN401
    try:
        return None if field.kind is None else field.kind.read(raw)
    except Unwritable:
        return None


def _keys(field: Field, value: Any) -> Iterable[str]:  # noqa: ANN401
    """Return the texts by which a value is looked up: of entries each one, of anything else itself."""
    if value is None:
        return ()
    if isinstance(value, tuple):
        texts = [str(part[0] if isinstance(part, tuple) else part) for part in value]
    else:
        texts = [str(value if field.kind is None else field.kind.write(value))]
    return texts if field.kind is None else [field.kind.near(text) for text in texts]


def _has(record: Snapshot, fields: Sequence[Field], values: Values) -> bool:
    """Tell whether a record has these values; of lists one entry in common is enough."""
    for field, value in zip(fields, values, strict=True):
        present = _read(field, record.values.get(field.name))
        if not set(_keys(field, value)) & set(_keys(field, present)):
            return False
        if isinstance(field.kind, Entries) and not field.kind.meets(present, value):
            return False
    return True

"""Finds and reads Close's records: in bulk by searches and lists, and for certain by id (developer.close.com)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.transport.question import Question
from target_crm.contract import NEW, Snapshot
from target_crm.kinds.base import same_text
from target_crm.kinds.contact_points import Entries, same_mail
from target_crm.kinds.plain import Number
from target_crm.writers.close.answers import envelope, snapshot
from target_crm.writers.close.kinds import Addresses
from target_crm.writers.close.lists import by_id, by_term
from target_crm.writers.close.matching import has, texts_of
from target_crm.writers.close.objects import COMMENTS, RESOURCES, UNSUBSCRIBED
from target_crm.writers.close.whole import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_crm.contract import Columns, Field, Id, ObjectSpec
    from target_crm.writers.close.events import Events
    from target_crm.writers.close.lists import Lists
    from target_crm.writers.close.matching import Values
    from target_crm.writers.definitions import Ask, Definitions

#: Fewer ids than this are asked for one by one: that is exact, and not slower.
FEW = 4
#: Side by side with others, no more than there are connections.
_SINGLE_AT_ONCE = 3
#: Rows that a page of a whole list has, for the choice between it and single records.
_PAGE = 100


class Finding:
    """Reads for writing.

    Args:
        ask: asks the CRM.
        lists: asks for lists, searches and single records.
        events: what the event log tells.
        definitions: reads a whole object where it has to be.
        columns: returns an object's fields in this account.
    """

    def __init__(
        self,
        ask: Ask,
        lists: Lists,
        events: Events,
        definitions: Definitions,
        columns: Callable[[ObjectSpec], Columns],
    ) -> None:
        self._ask = ask
        self._lists = lists
        self._events = events
        self._definitions = definitions
        self._columns = columns
        self._lock = threading.Lock()
        self._singles: dict[str, int] = {}

    # By id

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> dict[Id, Snapshot]:
        """Return the records with these ids; those that no list has, or not as new as asked for, one by one."""
        whole = [str(one) for one in ids if str(one) and not str(one).startswith(NEW)]
        if spec.name == UNSUBSCRIBED:
            known = self._unsubscribed(spec)
            news = [key for key in whole if key in since and (since[key] == inf or _spelled(known, key) is None)]
            if news:  # added or changed since the list was read
                known = self._unsubscribed(spec, anew=True)
            addresses = {key: _spelled(known, key) for key in whole}
            return {key: one for key, one in addresses.items() if one is not None}
        found = {one.id: one for one in self._in_bulk(spec, whole)} if len(whole) >= FEW else {}
        doubtful = [one for one in whole if one not in found or (found[one].changed or 0.0) < since.get(one, 0.0)]
        for key, record in self._one_by_one(spec, doubtful):
            found.pop(key, None)
            if record is not None:
                found[key] = record
        return found

    def _in_bulk(self, spec: ObjectSpec, ids: Sequence[str]) -> list[Snapshot]:
        resource = RESOURCES[spec.name]
        if resource.searched:
            try:
                found = list(self._lists.search(spec, [by_id(key) for key in ids], f"{len(ids)} by id"))
            except errors.Refused:  # how ids are searched for is not documented in so many words
                return []
            return self._snapshots(spec, found, is_indexed=True)
        if resource.by_ids:
            return self._snapshots(spec, self._lists.by_ids(spec, ids), is_indexed=True)
        if spec.name == COMMENTS or not self._is_whole_cheaper(spec, len(ids)):
            return []
        try:
            return self._snapshots(spec, self._whole(spec).by_ids(ids), is_indexed=True)
        except errors.Incomplete:  # the list cannot be proven to be whole; each record can be asked for
            return []

    def _is_whole_cheaper(self, spec: ObjectSpec, count: int) -> bool:
        """Tell whether to read the whole list: once as many were asked for one by one as it has pages.

        So it costs at most twice of what the better way would.
        """
        if not RESOURCES[spec.name].by_lead or spec.name == "custom_objects":  # a request for each lead
            return False
        pages = self._definitions.once_per_run.get(("pages", spec.name), lambda: self._pages(spec))
        with self._lock:
            asked = self._singles.get(spec.name, 0) + count
            self._singles[spec.name] = asked
        return pages is not None and asked > pages

    def _pages(self, spec: ObjectSpec) -> float | None:
        resource = RESOURCES[spec.name]
        question = Question("GET", resource.path, f"{spec.name}: how many", params={**resource.params, "_limit": 1})
        total = self._ask(question, envelope).get("total_results")
        return None if not isinstance(total, int) else total / _PAGE

    def _one_by_one(self, spec: ObjectSpec, ids: Sequence[str]) -> list[tuple[str, Snapshot | None]]:
        if len(ids) < 2:  # noqa: PLR2004 - nothing is side by side
            return [(key, self.one(spec, key)) for key in ids]
        with ThreadPoolExecutor(_SINGLE_AT_ONCE) as pool:
            return list(zip(ids, pool.map(lambda key: self.one(spec, key), ids), strict=True))

    def one(self, spec: ObjectSpec, key: str) -> Snapshot | None:
        """Return one record, from the database; None if it is gone."""
        if spec.name == UNSUBSCRIBED:
            return _spelled(self._unsubscribed(spec, anew=True), key)
        record = self._lists.one(spec, key)
        return None if record is None else snapshot(record, spec, self._columns(spec))

    def _unsubscribed(self, spec: ObjectSpec, *, anew: bool = False) -> dict[Id, Snapshot]:
        """Return the unsubscribed addresses, by themselves as the list and as mail systems have them."""

        def read() -> dict[Id, Snapshot]:
            columns = self._columns(spec)
            listed = [snapshot(one, spec, columns) for one in self._lists.walk(spec, {}, key="email")]
            found = [replace(one, is_searched=not anew) for one in listed]
            return {key: one for one in found for key in (same_mail(str(one.id)), str(one.id))}

        return read() if anew else self._definitions.once_per_run.get("unsubscribed", read)

    def _snapshots(
        self, spec: ObjectSpec, records: Iterable[dict[str, Any]], *, is_indexed: bool = False
    ) -> list[Snapshot]:
        columns = self._columns(spec)
        return [snapshot(one, spec, columns, is_indexed=is_indexed) for one in records]

    def _whole(self, spec: ObjectSpec) -> Whole:
        return self._definitions.once_per_run.get(
            ("whole", spec.name), lambda: Whole(spec, self._columns(spec), self._definitions)
        )

    # By values

    def find(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[Values],
        since: float | None,
        said: Sequence[Mapping[Field, Any]],
    ) -> list[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them."""
        if spec.name == UNSUBSCRIBED:
            known = list({one.id: one for one in self._unsubscribed(spec, anew=True).values()}.values())
        elif since is not None:
            known = self._made_since(spec, fields, wanted, since, said)
        else:
            known = self._known(spec, fields, wanted, said)
        return [[one for one in known if has(one.values, fields, values)] for values in wanted]

    def _known(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[Values],
        said: Sequence[Mapping[Field, Any]],
    ) -> list[Snapshot]:
        """Return the records that may have these values."""
        within = next((at for at, field in enumerate(fields) if field.name == "lead_id"), None)
        if within is not None and RESOURCES[spec.name].by_lead:
            return self._of_leads(spec, [str(values[within]) for values in wanted if values[within]])
        found = self._by_search(spec, fields, wanted)
        if found is not None:
            return found
        leads = _leads(said)
        if spec.name == "custom_objects" and len(leads) == len(wanted):  # all of them would be a request for each lead
            return self._of_leads(spec, leads)
        return self._snapshots(
            spec, self._whole(spec).by_values(fields[0], [values[0] for values in wanted]), is_indexed=True
        )

    def _by_search(self, spec: ObjectSpec, fields: Sequence[Field], wanted: Sequence[Values]) -> list[Snapshot] | None:
        """Return what a search finds; None where Close cannot search so."""
        kind = RESOURCES[spec.name].searched
        field = next((one for one in fields if one.custom is not None), fields[0])
        if not kind or field.kind is None or isinstance(field.kind, (Addresses, Number)):
            return None
        if isinstance(field.kind, Entries) and field.name != "emails":  # one number may be written in many ways
            return None
        at = list(fields).index(field)
        texts = {text for values in wanted for text in texts_of(field, values[at])}
        texts |= {same_text(text) for text in texts}
        texts |= {same_mail(text) for text in texts} if field.name == "emails" else set()
        if not texts:
            return []
        try:
            query = by_term(kind, field, sorted(texts))
            return self._snapshots(spec, self._lists.search(spec, [query], f"by {field.name}"), is_indexed=True)
        except errors.Refused:  # which fields can be searched by is documented for some of them only
            return None

    def _made_since(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[Values],
        since: float,
        said: Sequence[Mapping[Field, Any]],
    ) -> list[Snapshot]:
        """Return what was made since a time and may have these values: as the log, the leads' lists and a search tell.

        Each is read by its id in the end, so what is returned is there for certain.
        """
        columns = self._columns(spec)
        ids: set[Id] = set()
        for key, data in self._events.made_since(spec, since):
            content = None if data is None else snapshot({**data, spec.key: key}, spec, columns).values
            if content is None or any(has(content, fields, values) for values in wanted):
                ids.add(key)
        others = self._of_leads(spec, _leads(said)) if RESOURCES[spec.name].by_lead else []
        others += self._by_search(spec, fields, wanted) or []
        ids |= {one.id for one in others if any(has(one.values, fields, values) for values in wanted)}
        return [one for _, one in self._one_by_one(spec, sorted(str(key) for key in ids)) if one is not None]

    def _of_leads(self, spec: ObjectSpec, leads: Iterable[str]) -> list[Snapshot]:
        keys = sorted(set(leads))
        if not keys:
            return []
        with ThreadPoolExecutor(_SINGLE_AT_ONCE) as pool:
            found = [one for part in pool.map(lambda key: self._lists.children(spec, key), keys) for one in part]
        return self._snapshots(spec, found, is_indexed=True)  # that lists read the database is not documented


def _leads(said: Sequence[Mapping[Field, Any]]) -> list[str]:
    """Return the leads that records name."""
    found = [str(value) for one in said for field, value in one.items() if field.name == "lead_id" and value]
    return [key for key in found if not key.startswith(NEW)]


def _spelled(known: Mapping[Id, Snapshot], address: str) -> Snapshot | None:
    """Return what is known of an address: as it is spelled, else as mail systems have it."""
    return known.get(address) or known.get(same_mail(address))

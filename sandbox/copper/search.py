"""Finds, cuts and encodes the pages of searches."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from operator import itemgetter
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copper.custom_fields import with_computed
from sandbox.copper.ranking import Ranking
from sandbox.copper.sorting import sort_key
from sandbox.copper.table import COUNTED_ONLY, HIDDEN, STUB, Row, Table
from sandbox.exchange import Answer, Record, Refusal

if TYPE_CHECKING:
    from sandbox.copper.behaviour import Behaviour
    from sandbox.copper.records import AccountRecords
    from sandbox.copper.related import Relations
    from sandbox.copper.search_request import SearchRequest

_KEPT = 128
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict).decode


class Searcher:
    """Answers searches of one account; remembers the order of recent searches."""

    def __init__(self, records: AccountRecords, behaviour: Behaviour, relations: Relations) -> None:
        self.records = records
        self.behaviour = behaviour
        self.relations = relations
        self.rng = Random(records.shape.seed + 2)
        self._rankings: OrderedDict[tuple[int, bytes], Ranking] = OrderedDict()
        self._withheld: set[tuple[str, int]] = set()

    def answer(self, search: SearchRequest, *, computed: bool, now: float) -> Answer:
        """Answer a search with a page and the header X-PW-TOTAL."""
        behaviour = self.behaviour
        table = self.records.tables[search.name]
        table.settle(now)
        filtered = behaviour.short_pages if behaviour.short_pages_kind == "filtered" else 0.0
        table.count_more(filtered, self.rng)
        ranking = self._ranking(table, search)
        size = min(search.page_size, behaviour.page_cap)
        start = 0 if behaviour.page_numbers == "ignored" else (search.page_number - 1) * size
        stop = min(start + size, behaviour.search_cap)
        if start >= behaviour.search_cap and behaviour.beyond_cap == "error":
            raise Refusal(422, f"Invalid input: only the first {behaviour.search_cap} records can be reached")
        ids = self._reachable(ranking).ids(start, stop, self.rng if behaviour.unstable_ties else None)
        never = set(behaviour.never_given.get(search.name, ()))
        rows = [row for row in map(table.shown.__getitem__, ids) if row.kind != COUNTED_ONLY and row.id not in never]
        if behaviour.short_pages > 0 and behaviour.short_pages_kind == "transient":
            rows = self._shortened(search.name, rows)
        body = b"[" + b",".join(self._encoded(search, rows, computed=computed)) + b"]"
        return Answer(200, body, self._total(len(ranking)))

    def _reachable(self, ranking: Ranking) -> Ranking:
        """Give the hits that some page can have, where a search forgets those of the highest ids in every order."""
        cap = self.behaviour.search_cap
        if self.behaviour.cap_keeps == "first" or len(ranking) <= cap:
            return ranking
        hits = ranking.entries[ranking.low : ranking.high]
        kept = set(sorted(number for _, number in hits)[:cap])
        entries = [entry for entry in hits if entry[1] in kept]
        return Ranking(entries, 0, len(entries), ranking.descending)

    def _total(self, exact: int) -> list[tuple[bytes, bytes]]:
        behaviour = self.behaviour
        if behaviour.total == "missing":
            return []
        total = exact
        if behaviour.total == "capped":
            total = min(exact, behaviour.search_cap if behaviour.total_cap is None else behaviour.total_cap)
        elif behaviour.total == "over":
            total = exact + int(exact * behaviour.total_over)
        return [(b"x-pw-total", str(total).encode())]

    def _shortened(self, name: str, rows: list[Row]) -> list[Row]:
        """Leave rows out, but never the same row twice running."""
        given = []
        for row in rows:
            key = (name, row.id)
            if key not in self._withheld and self.rng.random() < self.behaviour.short_pages:
                self._withheld.add(key)
            else:
                self._withheld.discard(key)
                given.append(row)
        return given

    def _encoded(self, search: SearchRequest, rows: list[Row], *, computed: bool) -> list[bytes]:
        extra = self.behaviour.extra_for(search.name)
        if search.fields is None and not computed:
            if not extra:
                return [row.raw for row in rows]
            tail = b"," + _encode(extra)[1:]
            return [row.raw if row.kind == STUB else row.raw[:-1] + tail for row in rows]
        definitions = {one["id"]: one for one in self.records.lists["custom_field_definitions"]}
        return [self._shaped(search, row, extra, definitions if computed else None) for row in rows]

    def _shaped(self, search: SearchRequest, row: Row, extra: Record, definitions: dict[int, Record] | None) -> bytes:
        record = _decode(row.raw)
        if row.kind != STUB:
            record.update(extra)
        if definitions is not None:
            with_computed(record, definitions)
        if search.fields is not None:
            record = {key: record[key] for key in search.fields if key in record}
        return _encode(record)

    def _ranking(self, table: Table, search: SearchRequest) -> Ranking:
        hide = table.hidden > 0 and not search.with_converted
        unseen = self.behaviour.hides(search.name)
        plain = not (hide or unseen or search.tests or search.full_result) and search.parent is None
        if plain and search.sort_by in table.orders and set(search.bounds) <= {search.sort_by}:
            return self._stretch(table, search, search.sort_by)
        signature = search.signature
        if unseen:
            signature += _encode(self.behaviour.hidden[search.name])
        key = (table.version, signature)
        kept = self._rankings.get(key)
        if kept is None:
            kept = self._rankings[key] = self._sorted(table, search, hide=hide)
            if len(self._rankings) > _KEPT:
                self._rankings.popitem(last=False)
        return kept

    def _stretch(self, table: Table, search: SearchRequest, attribute: str) -> Ranking:
        order = table.orders[attribute]
        low, high = search.bounds.get(attribute, (float("-inf"), float("inf")))
        first = bisect_left(order, low, key=itemgetter(0))
        last = bisect_left(order, True, first, key=lambda entry: entry[0] > high)  # noqa: FBT003
        return Ranking(order, first, last, search.descending)

    def _sorted(self, table: Table, search: SearchRequest, *, hide: bool) -> Ranking:
        rows = self._candidates(table, search)
        if unseen := self.behaviour.hides(search.name):
            rows = [row for row in rows if not unseen(abs(row.id))]
        if hide:
            rows = [row for row in rows if row.kind != HIDDEN]
        indexed = search.sort_by in table.orders
        place = table.indexed.index(search.sort_by) if indexed else 0
        key = sort_key(search.sort_by)
        entries: list[tuple[Any, int]] = []
        for row in rows:
            if row.kind == STUB and (search.tests or not indexed):
                continue
            record = _decode(row.raw) if search.tests or not indexed else {}
            if all(test(record) for test in search.tests):
                entries.append((row.sort_keys[place] if indexed else key(record), row.id))
        entries.sort()
        if search.full_result and self.behaviour.full_result_duplicates > 0:
            every = max(1, round(1 / self.behaviour.full_result_duplicates))
            entries = [entry for entry in entries for _ in range(2 if entry[1] // 2 % every == 0 else 1)]
        return Ranking(entries, 0, len(entries), search.descending)

    def _candidates(self, table: Table, search: SearchRequest) -> list[Row]:
        """Rows within the bounds: the narrowest range by the index, the others row by row."""
        if search.parent is not None:
            found = self.relations.activities_of(*search.parent)
            rows = [table.shown[number] for number in found if number in table.shown]
        elif not search.bounds:
            return list(table.shown.values())
        else:
            narrow = min((self._stretch(table, search, attribute) for attribute in search.bounds), key=len)
            rows = [table.shown[entry[1]] for entry in narrow.entries[narrow.low : narrow.high]]
        for attribute, (low, high) in search.bounds.items():
            place = table.indexed.index(attribute)
            rows = [row for row in rows if low <= row.sort_keys[place] <= high]
        return rows

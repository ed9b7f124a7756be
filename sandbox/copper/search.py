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
from sandbox.exchange import Answer, Record, Refusal
from sandbox.table import GHOST, HIDDEN, STUB, Row, Table

if TYPE_CHECKING:
    from sandbox.copper.behaviour import Behaviour
    from sandbox.copper.question import Question
    from sandbox.copper.related import Relations
    from sandbox.copper.world import CopperWorld

_KEPT = 128
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict).decode


class Searcher:
    """Answers searches of one world; remembers the order of recent questions."""

    def __init__(self, world: CopperWorld, behaviour: Behaviour, relations: Relations) -> None:
        self.world = world
        self.behaviour = behaviour
        self.relations = relations
        self.rng = Random(world.shape.seed + 2)
        self._rankings: OrderedDict[tuple[int, bytes], Ranking] = OrderedDict()
        self._withheld: set[tuple[str, int]] = set()

    def answer(self, question: Question, *, computed: bool, now: float) -> Answer:
        """Answer a search with a page and the header X-PW-TOTAL."""
        behaviour = self.behaviour
        table = self.world.tables[question.name]
        table.settle(now)
        filtered = behaviour.short_pages if behaviour.short_pages_kind == "filtered" else 0.0
        table.haunt(filtered, self.rng)
        ranking = self._ranking(table, question)
        size = min(question.page_size, behaviour.page_cap)
        start = 0 if behaviour.page_numbers == "ignored" else (question.page_number - 1) * size
        stop = min(start + size, behaviour.search_cap)
        if start >= behaviour.search_cap and behaviour.beyond_cap == "error":
            raise Refusal(422, f"Invalid input: only the first {behaviour.search_cap} records can be reached")
        ids = self._reachable(ranking).ids(start, stop, self.rng if behaviour.unstable_ties else None)
        never = set(behaviour.never_given.get(question.name, ()))
        rows = [row for row in map(table.shown.__getitem__, ids) if row.kind != GHOST and row.id not in never]
        if behaviour.short_pages > 0 and behaviour.short_pages_kind == "transient":
            rows = self._shortened(question.name, rows)
        body = b"[" + b",".join(self._encoded(question, rows, computed=computed)) + b"]"
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

    def _encoded(self, question: Question, rows: list[Row], *, computed: bool) -> list[bytes]:
        extra = self.behaviour.extra_for(question.name)
        if question.fields is None and not computed:
            if not extra:
                return [row.raw for row in rows]
            tail = b"," + _encode(extra)[1:]
            return [row.raw if row.kind == STUB else row.raw[:-1] + tail for row in rows]
        definitions = {one["id"]: one for one in self.world.lists["custom_field_definitions"]}
        return [self._shaped(question, row, extra, definitions if computed else None) for row in rows]

    def _shaped(self, question: Question, row: Row, extra: Record, definitions: dict[int, Record] | None) -> bytes:
        record = _decode(row.raw)
        if row.kind != STUB:
            record.update(extra)
        if definitions is not None:
            with_computed(record, definitions)
        if question.fields is not None:
            record = {key: record[key] for key in question.fields if key in record}
        return _encode(record)

    def _ranking(self, table: Table, question: Question) -> Ranking:
        hide = table.hidden > 0 and not question.with_converted
        unseen = self.behaviour.hides(question.name)
        plain = not (hide or unseen or question.tests or question.full_result) and question.parent is None
        if plain and question.sort_by in table.orders and set(question.bounds) <= {question.sort_by}:
            return self._stretch(table, question, question.sort_by)
        signature = question.signature
        if unseen:
            signature += _encode(self.behaviour.hidden[question.name])
        key = (table.version, signature)
        kept = self._rankings.get(key)
        if kept is None:
            kept = self._rankings[key] = self._sorted(table, question, hide=hide)
            if len(self._rankings) > _KEPT:
                self._rankings.popitem(last=False)
        return kept

    def _stretch(self, table: Table, question: Question, attribute: str) -> Ranking:
        order = table.orders[attribute]
        low, high = question.bounds.get(attribute, (float("-inf"), float("inf")))
        first = bisect_left(order, low, key=itemgetter(0))
        last = bisect_left(order, True, first, key=lambda entry: entry[0] > high)  # noqa: FBT003
        return Ranking(order, first, last, question.descending)

    def _sorted(self, table: Table, question: Question, *, hide: bool) -> Ranking:
        rows = self._candidates(table, question)
        if unseen := self.behaviour.hides(question.name):
            rows = [row for row in rows if not unseen(abs(row.id))]
        if hide:
            rows = [row for row in rows if row.kind != HIDDEN]
        indexed = question.sort_by in table.orders
        place = table.indexed.index(question.sort_by) if indexed else 0
        key = sort_key(question.sort_by)
        entries: list[tuple[Any, int]] = []
        for row in rows:
            if row.kind == STUB and (question.tests or not indexed):
                continue
            record = _decode(row.raw) if question.tests or not indexed else {}
            if all(test(record) for test in question.tests):
                entries.append((row.keys[place] if indexed else key(record), row.id))
        entries.sort()
        if question.full_result and self.behaviour.full_result_duplicates > 0:
            every = max(1, round(1 / self.behaviour.full_result_duplicates))
            entries = [entry for entry in entries for _ in range(2 if entry[1] // 2 % every == 0 else 1)]
        return Ranking(entries, 0, len(entries), question.descending)

    def _candidates(self, table: Table, question: Question) -> list[Row]:
        """Rows within the bounds: the narrowest range by the index, the others row by row."""
        if question.parent is not None:
            found = self.relations.activities_of(*question.parent)
            rows = [table.shown[number] for number in found if number in table.shown]
        elif not question.bounds:
            return list(table.shown.values())
        else:
            narrow = min((self._stretch(table, question, attribute) for attribute in question.bounds), key=len)
            rows = [table.shown[entry[1]] for entry in narrow.entries[narrow.low : narrow.high]]
        for attribute, (low, high) in question.bounds.items():
            place = table.indexed.index(attribute)
            rows = [row for row in rows if low <= row.keys[place] <= high]
        return rows

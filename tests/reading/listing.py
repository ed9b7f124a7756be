"""A search by page number in memory that behaves as badly as documentation allows, and changes between answers.

It is asked through the listing of Copper's searches, so that what turns positions into pages is tested with it.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.messages import Checkpoint, Page
from tap_crm.providers.copper.search import SearchListing
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.transport.question import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from tap_crm.messages import Item, Row
    from tap_crm.transport.question import Question

Times: TypeAlias = tuple[int, int]
Hit: TypeAlias = tuple[int, Times]

CHANGED, CREATED = 0, 1
#: So many empty answers running to one question.
MOST_LIES = 3
MOST_QUESTIONS = 20_000


@dataclass
class Account:
    """Records by id, each with its change and its creation time; a clock that changes move on."""

    records: dict[int, Times]
    now: int = 1_000_000
    next_id: int = 1_000_000
    untouched: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with every record untouched."""
        self.untouched = set(self.records)

    def edit(self, key: int) -> None:
        """Change a record now."""
        self.records[key] = (self.now, self.records[key][CREATED])
        self.untouched.discard(key)

    def delete(self, key: int) -> None:
        """Remove a record."""
        del self.records[key]
        self.untouched.discard(key)

    def create(self) -> None:
        """Add a record now."""
        self.records[self.next_id] = (self.now, self.now)
        self.next_id += 1


@dataclass
class PagedSearch:
    """Answers pages of an account.

    Attributes:
        account: what there is.
        page_size: rows that are asked for at most.
        cap: records that a question gives, in truth.
        gives: rows of a page in truth; the next page begins behind them if it ``shrinks``, else behind what was asked.
        total: how the total is told: ``exact``, ``missing``, ``over``, ``capped``, or as that of the ``page``.
        most_told: the highest total that is told where it is ``capped``, if that is not the cap.
        unstable: ties come in another order each time.
        heeds_numbers: False where each page is the first.
        hidden: keys that are counted and take their places, but are never given.
        short: chance that a row is missing from an answer, never twice running.
        empty: chance that an answer has no row, though its total says otherwise; to one question not more than
            three times running.
        ignores, refuses: times whose bounds have no effect, or are refused.
        timeless: keys of which nobody knows when they were changed; they come before the oldest record.
        excludes: which bounds leave out the second that they name: ``minimum``, ``maximum``.
        ascending: False for newest first.
        before: called before each answer.
    """

    account: Account
    page_size: int = 10
    cap: int = 100_000
    gives: int = 1_000
    shrinks: bool = True
    total: str = "exact"
    most_told: int | None = None
    unstable: bool = False
    heeds_numbers: bool = True
    hidden: frozenset[int] = frozenset()
    short: float = 0.0
    empty: float = 0.0
    ignores: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    timeless: frozenset[int] = frozenset()
    excludes: frozenset[str] = frozenset()
    ascending: bool = True
    before: Callable[[], None] = lambda: None
    seed: int = 0
    times: tuple[str, ...] = ("date_modified", "date_created")
    asked: int = 0
    _left_out: set[int] = field(default_factory=set)
    _lies: Counter[Hashable] = field(default_factory=Counter)
    _known: dict[int, Times] = field(default_factory=dict)
    _ordered: dict[str | None, list[Hit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Seed what happens by chance."""
        self._random = random.Random(self.seed)
        self._one_at_a_time = threading.Lock()

    @property
    def listing(self) -> SearchListing:
        """The search, as the tap's readings ask it."""
        return SearchListing(
            label="things",
            path="/things/search",
            reading=self,  # type: ignore[arg-type]
            times=self.times,
            filters={time: time for time in self.times},
            ascending=self.ascending,
            page_size=self.page_size,
        )

    def ask(self, question: Question, parse: Callable[[Reply], Any]) -> Any:  # noqa: ANN401
        """Answer as a CRM would."""
        assert question.body is not None
        with self._one_at_a_time:
            rows, total = self._answer(dict(question.body))
        records = [{"id": key, **dict(zip(self.times, at, strict=True))} for key, at in rows]
        for record in records:
            if record["id"] in self.timeless:
                del record[self.times[CHANGED]]
        body = json.dumps(records).encode()
        headers = {} if total is None else {"X-PW-TOTAL": str(total)}
        return parse(Reply(body, headers, self.account.now))

    def _answer(self, body: dict[str, Any]) -> tuple[list[Hit], int | None]:
        self.asked += 1
        assert self.asked < MOST_QUESTIONS, "the reader does not end"
        self.before()
        question = repr(sorted(body.items()))
        number, size = body.pop("page_number"), body.pop("page_size")
        assert 1 <= size <= self.page_size
        by, direction = body.pop("sort_by", None), body.pop("sort_direction", None)
        hits = self._hits(body, by)
        if direction == "desc" or not self.ascending:
            hits.reverse()
        given = hits[: self.cap][self._slice(number if self.heeds_numbers else 1, size)]
        given = [hit for hit in given if hit[0] not in self.hidden and not self._leaves_out(hit[0])]
        if self.empty and given and self._lies_about(question):
            given = []
        return given, len(given) if self.total == "page" else self._told(len(hits))

    def _slice(self, number: int, size: int) -> slice:
        step = min(size, self.gives)
        start = (number - 1) * (step if self.shrinks else size)
        return slice(start, start + step)

    def _place(self, hit: Hit, by: str | None) -> int:
        if hit[0] in self.timeless and by in {None, self.times[CHANGED]}:
            return -1
        if by == "name":
            return hit[0] * 7_919 % 100_003
        return hit[1][CHANGED if by is None else self.times.index(by)]

    def _hits(self, bounds: dict[str, int], by: str | None) -> list[Hit]:
        if self._known != self.account.records:
            self._known = dict(self.account.records)
            self._ordered.clear()
        if self.unstable:
            hits = self._within(list(self._known.items()), bounds)
            hits.sort(key=lambda hit: (self._place(hit, by), self._random.random()))
            return hits
        if by not in self._ordered:
            self._ordered[by] = sorted(self._known.items(), key=lambda hit: (self._place(hit, by), hit[0]))
        return self._within(self._ordered[by][:], bounds)

    def _within(self, hits: list[Hit], bounds: dict[str, int]) -> list[Hit]:
        for name, limit in bounds.items():
            side, _, time = name.partition("_")
            if time in self.refuses:
                raise errors.Refused("no such filter")
            if time in self.ignores:
                continue
            at = self.times.index(time)
            if at == CHANGED:
                hits = [hit for hit in hits if hit[0] not in self.timeless]
            if side in self.excludes:
                hits = [hit for hit in hits if hit[1][at] != limit]
            if side == "minimum":
                hits = [hit for hit in hits if hit[1][at] >= limit]
            else:
                hits = [hit for hit in hits if hit[1][at] <= limit]
        return hits

    def _leaves_out(self, key: int) -> bool:
        if key in self._left_out:
            self._left_out.discard(key)
            return False
        if self._random.random() < self.short:
            self._left_out.add(key)
            return True
        return False

    def _lies_about(self, question: Hashable) -> bool:
        lies = self._lies[question] < MOST_LIES and self._random.random() < self.empty
        self._lies[question] = self._lies[question] + 1 if lies else 0
        return lies

    def _told(self, hits: int) -> int | None:
        return {
            "exact": hits,
            "missing": None,
            "over": hits + hits // 10 + 1,
            "capped": min(hits, self.cap if self.most_told is None else self.most_told),
        }[self.total]

    def rows_of(self, body: bytes) -> Iterable[Row]:
        """Return the rows in a body."""
        return self.listing.rows_of(body)


@dataclass
class Collector:
    """Takes what a reading emits, as a target would; knows what was complete at each checkpoint."""

    listing: Any
    table: dict[int, tuple[int | None, ...]] = field(default_factory=dict)
    lines: int = 0
    checkpoints: list[int] = field(default_factory=list)
    at_checkpoint: list[tuple[int, set[int]]] = field(default_factory=list)

    def __call__(self, item: Item) -> None:
        """Take a page or a checkpoint."""
        if isinstance(item, Checkpoint):
            self.checkpoints.append(item.at)
            self.at_checkpoint.append((item.at, set(self.table)))
            return
        assert isinstance(item, Page)
        assert item.body is not None
        rows = list(self.listing.rows_of(item.body))
        for row in rows if item.keep is None else [rows[at] for at in item.keep]:
            assert isinstance(row.key, int)
            self.table[row.key] = row.times
            self.lines += 1


def read(search: PagedSearch, since: int | None, lanes: int = 1, **more: Any) -> tuple[Collector, Ledger]:  # noqa: ANN401
    """Read a search as the tap reads Copper's, and return what arrived, and what it cost."""
    collector, ledger = Collector(search), Ledger()
    listing = search.listing
    time, created = search.times
    options: dict[str, Any] = {"splits": (created,) if search.ascending else (), "pages": listing, **more}
    options["wider"] = replace(listing, margin=1)
    changes = KeysetChanges(listing, by=time, along=time, emit=collector, ledger=ledger, lanes=lanes, **options)
    collector(Checkpoint(changes.read(since)))
    return collector, ledger

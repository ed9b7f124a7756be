"""Streams that cost a request for each record of others: children are asked for as their parents come."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_crm import errors
from tap_crm.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record

_log = logging.getLogger("tap-crm.providers")

#: Parents whose children may be asked for before the next ones come: bounds the memory.
PARENTS_AT_ONCE = 64

P = TypeVar("P")
C = TypeVar("C")
Key = TypeVar("Key", bound="Hashable")


class SideBySide(Generic[P, C]):
    """Asks for the children of one parent after the other, as many at once as the rate limit has a use for."""

    def __init__(self, pool: ThreadPoolExecutor, ask: Callable[[P], C]) -> None:
        self._pool, self._ask = pool, ask

    def each(self, parents: Sequence[P]) -> Iterator[C]:
        """Yield the children of each parent, in the parents' order; raise what asking for one of them raised.

        May be called from several threads.
        """
        for start in range(0, len(parents), PARENTS_AT_ONCE):
            running = [self._pool.submit(self._ask, parent) for parent in parents[start : start + PARENTS_AT_ONCE]]
            try:
                for future in running:
                    yield future.result()
            except BaseException:
                for future in running:
                    future.cancel()
                raise


@contextmanager
def side_by_side(reading: Reading, ask: Callable[[P], C]) -> Iterator[SideBySide[P, C]]:
    """Return what asks for children while the block lasts.

    Args:
        reading: of the children; says how many requests may be under way.
        ask: returns the children of one parent.
    """
    with ThreadPoolExecutor(max(2, reading.lanes), thread_name_prefix=reading.spec.name) as pool:
        yield SideBySide(pool, ask)


@contextmanager
def ledger_of_parents(reading: Reading, parents: str) -> Iterator[Ledger]:
    """Return a ledger for a read of parents: records that do not count as the children's.

    What was not read of the parents, or not shown, is missing among the children too.
    """
    found = Ledger()
    yield found
    for gap in found.gaps:
        reading.ledger.gap(f"{parents}: {gap}")
    reading.ledger.add(requests=found.requests, pages=found.pages, unexplained=found.unexplained)


@dataclass(frozen=True, slots=True)
class PerParent(Generic[Key]):
    """A stream that is asked for parent by parent.

    Attributes:
        parents: reads the parents, and hands their keys over, some at a time, as they come.
        children: returns the records of one parent, or emits them itself and returns none.
        probing: asks one question that shows whether the parents may be read.
        cost: of what the stream costs a request each, for a warning; "" where that is little.
    """

    parents: Callable[[Reading, Callable[[Iterable[Key]], None]], None]
    children: Callable[[Reading, Key], Sequence[Record]]
    probing: Callable[[Reading], object] = lambda _reading: None
    cost: str = ""

    def read(self, reading: Reading) -> None:
        """Read the parents, and the children of each once."""
        if self.cost:
            _log.warning("%s: costs a request for each %s", reading.spec.name, self.cost)
        known: set[Key] = set()
        lock = threading.Lock()

        def children(parent: Key) -> Sequence[Record]:
            try:
                return self.children(reading, parent)
            except errors.NotThere:
                return ()  # the parent was deleted since it was listed

        with side_by_side(reading, children) as asking:

            def take(keys: Iterable[Key]) -> None:
                with lock:  # parents may be read in several threads
                    new = [key for key in dict.fromkeys(keys) if key not in known]
                    known.update(new)
                for records in asking.each(new):
                    if records:
                        reading.emit_records(records)

            self.parents(reading, take)

    def probe(self, reading: Reading) -> None:
        """Ask for parents: each question about their children needs one."""
        self.probing(reading)

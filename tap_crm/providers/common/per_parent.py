"""Asks for the children of many parents side by side, with bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_crm.contract.stream import Reading

#: Parents whose children may be asked for before the next ones come: bounds the memory.
PARENTS_AT_ONCE = 64

P = TypeVar("P")
C = TypeVar("C")


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

"""Which streams are read at the same time: each limit has its own, and what is long is begun first."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_crm.providers import PROVIDERS
from tap_crm.sync.read_ahead import STREAMS_AT_ONCE, STREAMS_IN_ALL, ReadAhead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_crm.messages import Emit

PATIENCE = 10.0


class Readings:
    """Readings that go on until they are told to end."""

    def __init__(self, names: list[str]) -> None:
        """Begin none."""
        self.begun: list[str] = []
        self._ends = {name: threading.Event() for name in names}
        self._changed = threading.Condition()

    def readers(self) -> dict[str, Callable[[Emit], None]]:
        """Return what reads each stream."""
        return {name: self._reader(name) for name in self._ends}

    def _reader(self, name: str) -> Callable[[Emit], None]:
        def read(_: Emit) -> None:
            with self._changed:
                self.begun.append(name)
                self._changed.notify_all()
            assert self._ends[name].wait(PATIENCE)

        return read

    def end(self, name: str) -> None:
        """Let one end."""
        self._ends[name].set()

    def wait_for(self, count: int) -> list[str]:
        """Return those that were begun when they are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.begun) >= count, PATIENCE)
            return list(self.begun)


@contextmanager
def reading(groups: dict[str, str], first: tuple[str, ...] = ()) -> Iterator[Readings]:
    """Read streams, whose limits are given by their names, while the first one is written."""
    readings = Readings(list(groups))
    ahead = ReadAhead(threading.Event())
    ahead.plan(readings.readers(), groups, first)
    ahead.start_next()
    try:
        yield readings
    finally:
        ahead.stopping.set()
        for name in groups:
            readings.end(name)


def test_a_few_streams_are_read_at_once_under_one_limit() -> None:
    """One that ends lets the next one begin."""
    with reading({f"s{number}": "all" for number in range(9)}) as readings:
        assert set(readings.wait_for(STREAMS_AT_ONCE)) == {"s0", "s1", "s2", "s3"}
        readings.end("s2")
        assert readings.wait_for(STREAMS_AT_ONCE + 1)[-1] == "s4"


def test_what_is_long_under_one_limit_leaves_no_other_one_unused() -> None:
    """Streams of other limits are begun before those that wait for this one."""
    groups = {**{f"a{number}": "a" for number in range(8)}, "b0": "b", "b1": "b", "c0": "c"}
    with reading(groups) as readings:
        begun = readings.wait_for(STREAMS_AT_ONCE + 3)
        assert Counter(groups[name] for name in begun) == {"a": STREAMS_AT_ONCE, "b": 2, "c": 1}


def test_there_are_not_too_many_at_once_however_many_limits_there_are() -> None:
    """Each costs memory and threads, and limits that seem to differ may be one."""
    with reading({f"s{number}": str(number) for number in range(STREAMS_IN_ALL + 5)}) as readings:
        assert len(readings.wait_for(STREAMS_IN_ALL)) == STREAMS_IN_ALL


def test_what_is_named_first_is_begun_first_wherever_it_is_written() -> None:
    """Though it is the last one."""
    with reading({f"s{number}": "all" for number in range(6)}, ("s5",)) as readings:
        assert "s5" in readings.wait_for(STREAMS_AT_ONCE)


def groups_of(name: str) -> dict[str, str]:
    """Return by stream of a CRM the limit that its path tells."""
    provider = PROVIDERS[name]
    return {spec.name: provider.group_of("GET", spec.path) for spec in provider.streams}


def test_the_paths_of_closes_longest_streams_tell_their_limits() -> None:
    """Activities share one, and so do leads and contacts."""
    groups = groups_of("close")
    assert groups["emails"] == groups["calls"] == groups["lead_merges"]
    assert groups["leads"] == groups["contacts"]
    assert len({groups[name] for name in ("emails", "leads", "events", "tasks", "opportunities")}) == 5


def test_all_of_coppers_streams_are_under_one_limit() -> None:
    """So a few of them are read at once."""
    assert len(set(groups_of("copper").values())) == 1

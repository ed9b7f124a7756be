"""The event log is read in slices of time side by side: every event once, whatever the bounds mean."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.providers.close.event_slices import Slice, walk_side_by_side

if TYPE_CHECKING:
    from tests.close.conftest import Start


@pytest.mark.parametrize(
    "knobs",
    [{}, {"event_bounds": "first_page"}, {"ignored_filters": ["event"]}],
    ids=["usual", "bounds on the first page", "no filters"],
)
def test_every_event_comes_once(start_some: Start, knobs: dict[str, Any]) -> None:
    """A log of many pages: several are asked for at once, unless bounds have no effect."""
    app, tap = start_some(("events",), {"events": 400}, limit_caps={"event": 5}, latency_ms=5, **knobs)
    run = tap.sync()
    came = Counter(record["id"] for record in run.records("events"))
    assert set(came) == set(app.account.ids("events"))
    assert set(came.values()) == {1}
    pages = len(came) / 5
    assert app.stats.requests <= 1.35 * pages + 20
    firsts = sum("_cursor" not in one.query and one.path.startswith("event") for one in app.stats.log)
    assert (firsts > 6) == ("ignored_filters" not in knobs)


def test_slices_cover_each_second_once() -> None:
    """Those of a part, and what is cut off from one."""
    for part in (Slice(100, 1_000), Slice(None, 1_000)):
        parts = part.parts(7, 90)
        assert (parts[0].high, parts[-1].low) == (1_000, part.low)
        assert all(later.low == earlier.high for later, earlier in pairwise(parts))
    assert Slice(100, 1_000).below(500) == Slice(100, 501)
    assert Slice(100, 1_000).below(100) is None
    assert Slice(None, 501).below(500) is None
    assert Slice(100, 102).parts(4, None) == [Slice(100, 102)]


def test_what_a_walk_leaves_is_walked_and_a_failure_is_raised() -> None:
    """In two halves."""
    seen: list[Slice] = []

    def walk(part: Slice) -> Slice | None:
        seen.append(part)
        assert part.low is not None
        assert part.high is not None
        return part.below(part.high - 11) if part.high - part.low > 20 else None

    walk_side_by_side([Slice(0, 100)], 3, walk)
    assert Slice(0, 90) not in seen
    assert Slice(45, 90) in seen

    def fail(_: Slice) -> Slice | None:
        raise KeyError

    with pytest.raises(KeyError):
        walk_side_by_side([Slice(0, 100)], 3, fail)

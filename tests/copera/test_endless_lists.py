"""A list without an end fails its own stream, by name and soon; the other streams are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.copera.conftest import choosing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Moment
    from tests.copera.conftest import KnownOf, Start

FEW = {"boards": 1, "tables": 2, "rows": 4, "comments": 30, "channels": 30, "members": 30, "teams": 30, "documents": 9}
#: Requests of one stream of a few dozen records.
SOON = 120


def rewriting(moment: Moment, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the body of an answer."""
    assert moment.answer is not None
    body = msgspec.json.decode(moment.answer.body)
    change(body)
    moment.answer.body = msgspec.json.encode(body)


class Endless:
    """Has each answer say that there is more.

    Args:
        stuck: each answer is the first page.
    """

    def __init__(self, *, stuck: bool) -> None:
        self._stuck = stuck
        self._turn = 0
        self._goes_on = False

    def __call__(self, moment: Moment) -> None:
        """Change what is asked, then what is answered."""
        path = moment.request.path.rpartition("/")[2]
        if moment.when == "before":
            self._goes_on = moment.request.query.pop("parentId", None) is not None
            if self._stuck:
                for name in ("cursor", "after"):
                    moment.request.query.pop(name, None)
                if "offset" in moment.request.query:
                    moment.request.query["offset"] = "0"
        elif moment.answer is not None and moment.answer.status == 200 and hasattr(self, path):
            self._turn += 1
            rewriting(moment, getattr(self, path))

    def bookings(self, body: dict[str, Any]) -> None:
        """Give another cursor each time; a place before everything if nothing is left."""
        if self._stuck:
            body["nextCursor"] = f"turn {self._turn}"
        elif body.get("nextCursor") is None:
            body |= {"bookings": [], "nextCursor": "MDAwMAow" + "A" * 4 * self._turn}

    def comments(self, body: dict[str, Any]) -> None:
        """Say that there is a next page, also where this one holds nothing."""
        body["pageInfo"]["hasNextPage"] = True
        if self._stuck:
            body["pageInfo"]["endCursor"] = f"{self._turn:024x}"

    def channels(self, body: dict[str, Any]) -> None:
        """Count more than was given so far."""
        body["total"] = 40 * self._turn

    members = teams = channels

    def tree(self, body: dict[str, Any]) -> None:
        """Name another document each time to go on from; give none beneath it, or the whole tree again."""
        if self._goes_on and not self._stuck:
            body["root"] = []
        body["nextParentIds"] = [f"{self._turn:024x}"]


@pytest.mark.parametrize("stuck", [False, True])
@pytest.mark.parametrize("stream", ["bookings", "row_comments", "channels", "members", "teams", "documents"])
def test_a_stream_whose_list_has_no_end_is_named(start: Start, known: KnownOf, stream: str, stuck: bool) -> None:
    """Whether each answer says that there is more, or each gives the first page."""
    app, tap = start(FEW)
    app.on_answer(Endless(stuck=stuck))
    run = tap.sync(catalog=choosing(known(FEW), stream, "boards"), expect=1)
    audit = run.audit()
    assert not audit[stream]["complete"]
    assert audit[stream]["requests"] < SOON
    assert f"`{stream}` is not complete" in run.log
    assert "Traceback" not in run.log
    assert audit["boards"]["complete"]
    assert run.count("boards") == 1

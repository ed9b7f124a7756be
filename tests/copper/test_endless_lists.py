"""A list of which no other page is to be had fails its own stream, by name and soon; the others are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from sandbox.faults import FaultRule
from tests.copper.truth import differences
from tests.singer import merged
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.copper.conftest import Start

FEW = dict.fromkeys(("people", "companies", "leads", "opportunities", "projects", "tasks", "activities"), 3)


def first_page_always(moment: Moment) -> None:
    """Have every search answered with its first page."""
    if moment.when == "before" and moment.request.path.endswith("/search"):
        body = msgspec.json.decode(moment.request.body)
        moment.request.body = msgspec.json.encode(body | {"page_number": 1})


def first_part_always(moment: Moment) -> None:
    """Have no part of the tags but the first."""
    if moment.when == "before":
        moment.request.query.pop("last_tag_value", None)


@pytest.mark.parametrize("total", ["exact", "missing"])
def test_users_of_whom_there_is_only_one_page_are_named(start_some: Start, total: str) -> None:
    """Whether Copper counts them or not."""
    app, tap = start_some(("users", "pipelines"), {**FEW, "users": 450}, total=total)
    app.on_answer(first_page_always)
    run = tap.sync(expect=1)
    assert "`users` is not complete" in run.log
    assert "the same page again" in run.log
    audit = run.audit()
    assert audit["users"]["requests"] <= 5
    assert audit["pipelines"]["complete"]


@pytest.mark.parametrize(("page", "code"), [(100, 1), (1_000, 0)])
def test_tags_of_which_there_is_only_one_part(start_some: Start, page: int, code: int) -> None:
    """It may be all of them; if it is not, another order shows it."""
    app, tap = start_some(("tags", "pipelines"), {**FEW, "people": 300, "tags": 150}, tags_page=page)
    assert len(app.account.tags()) > 100
    app.on_answer(first_part_always)
    run = tap.sync(expect=code)
    audit = run.audit()
    assert audit["tags"]["requests"] == 4  # the second part is the first one again, also when it is asked for again
    assert audit["tags"]["complete"] is (code == 0)
    assert audit["pipelines"]["complete"]
    if code == 0:
        assert differences(app.account, "tags", merged("tags", run), ("name",)) == {}
    else:
        assert "tags: the CRM gives the same tags again" in run.log


def test_a_list_that_breaks_off_has_the_next_run_write_all_of_it(start_some: Start) -> None:
    """Its rows are as they were, but those before the break were written: nobody knows what the target has now."""
    app, tap = start_some(("users",), {**FEW, "users": 450})
    first = tap.sync()
    breaks = FaultRule(["500"], at=list(range(3, 99)), path="users")
    app.behaviour.faults.append(breaks)
    broken = tap.sync(state=first.state, retry_seconds=1, expect=1)
    app.behaviour.faults.remove(breaks)
    again = tap.sync(state=broken.state)
    assert 0 < broken.count("users") < first.count("users")
    assert again.count("users") == first.count("users")
    assert Target(first, broken, again).marked("users") == set()
    assert tap.sync(state=again.state).count("users") == 0

"""Whatever the documentation leaves open about totals, ties, short pages and filters: every record arrives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.copper.truth import SEARCHED, differences
from tests.singer import merged

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.copper.conftest import Start

#: Several pages of what has a time of change, and of what has only a date; one or two of the others.
SHAPE = {
    "people": 62,
    "activities": 62,
    "companies": 21,
    "opportunities": 4,
    "leads": 4,
    "projects": 3,
    "tasks": 3,
}
PAGE = 20


@pytest.mark.parametrize(
    ("shape", "knobs"),
    [
        pytest.param({}, {"short_pages": 0.05}, id="short pages that are whole when asked again"),
        pytest.param(
            {}, {"short_pages": 0.05, "short_pages_kind": "filtered"}, id="hits that are counted but not given"
        ),
        pytest.param({"tie_fraction": 0.6}, {"unstable_ties": True}, id="ties in another order each time"),
        pytest.param({}, {"total": "missing"}, id="no total"),
        pytest.param(
            # Without a total, nothing proves ties of more than a page: those of this account are 150 at most.
            {"people": 420, "activities": 420, "tie_fraction": 0.6},
            {"total": "missing", "unstable_ties": True, "page_cap": 200},
            id="no total and unstable ties",
        ),
        pytest.param({}, {"total": "capped", "total_cap": 40}, id="total stops at 40"),
        pytest.param({}, {"total": "over"}, id="total says a tenth too much"),
        pytest.param({}, {"modified_filter": {"people": "ignored", "companies": "ignored"}}, id="filter ignored"),
        pytest.param({}, {"modified_filter": {"people": "refused", "companies": "refused"}}, id="filter refused"),
        pytest.param({}, {"tags_envelope": True, "tags_page": 7}, id="tags in an envelope, in small parts"),
    ],
)
def test_every_record_arrives(start_some: Start, shape: dict[str, Any], knobs: dict[str, Any]) -> None:
    """The first run is complete, and says so in its audit; also where the user allows for a count that is too high."""
    app, tap = start_some((*SEARCHED, "tags"), {**SHAPE, "tags": 150, **shape}, **{"page_cap": PAGE, **knobs})
    run = tap.sync(max_unexplained_percent=100)
    for stream in SEARCHED:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert differences(app.account, "tags", merged("tags", run), ("name",)) == {}
    assert all(row["complete"] for row in run.audit().values())


def test_a_page_of_tags_that_comes_again_is_no_end(start_some: Start) -> None:
    """Each question but the first one is answered by the first page when it is asked the first time."""
    app, tap = start_some(("tags",), {"tags": 20}, tags_page=7)
    bodies: dict[str, bytes] = {}
    repeated = 0

    def repeat(moment: Moment) -> None:
        nonlocal repeated
        question = str(sorted(moment.request.query.items()))
        if moment.answer is None or not moment.request.path.endswith("tags") or question in bodies:
            return
        bodies[question] = moment.answer.body
        repeated += len(bodies) > 1
        moment.answer.body = next(iter(bodies.values()))

    app.on_answer(repeat)
    run = tap.sync()
    assert repeated > 1
    assert differences(app.account, "tags", merged("tags", run), ("name",)) == {}


@pytest.mark.parametrize("kind", ["ignored", "refused"])
def test_without_the_filter_an_incremental_run_brings_the_changes_and_little_else(start_some: Start, kind: str) -> None:
    """It walks from the newest change backwards, a few requests instead of all pages."""
    app, tap = start_some(("people",), {"people": 850}, modified_filter={"people": kind})
    first = tap.sync()
    changed = app.account.edit("people", count=50)
    second = tap.sync(state=first.state)
    assert {record["id"] for record in second.records("people")} >= set(changed)
    assert second.count("people") <= len(changed) + 20
    assert second.audit()["people"]["requests"] <= 5
    assert f"filter on date_modified {kind} by the CRM" in second.audit()["people"]["notes"]
    assert differences(app.account, "people", merged("people", first, second)) == {}


@pytest.mark.parametrize(
    ("total", "beyond"), [("exact", "empty"), ("exact", "error"), ("capped", "error"), ("missing", "empty")]
)
def test_a_lower_search_cap_is_noticed_and_read_around(start_some: Start, total: str, beyond: str) -> None:
    """1,500 people, 450 of them in one second, behind a cap of 600 that no documentation tells."""
    shape = {"people": 1_500, "tie_block": 450}
    app, tap = start_some(("people",), shape, search_cap=600, total=total, beyond_cap=beyond)
    run = tap.sync()
    assert differences(app.account, "people", merged("people", run)) == {}
    assert run.audit()["people"]["complete"]
    assert max(json.loads(one.body)["page_number"] for one in app.stats.log if one.body) >= 3  # it came to the cap


def test_a_crowded_second_whose_ties_are_never_listed_in_the_same_order_arrives_whole(start_some: Start) -> None:
    """No page can be trusted to follow on the one before; the second is read until its count is met."""
    app, tap = start_some(("people",), {"people": 900, "tie_block": 500}, search_cap=800, unstable_ties=True)
    run = tap.sync()
    assert differences(app.account, "people", merged("people", run)) == {}


def test_a_second_of_which_the_cap_hides_a_part_arrives_by_other_orders(start_some: Start) -> None:
    """300 people share modification and creation second behind a cap of 200: their names list the others first."""
    app, tap = start_some(("people",), {"people": 370, "tie_block": 300}, search_cap=200, page_cap=100)
    run = tap.sync()
    assert differences(app.account, "people", merged("people", run)) == {}


def test_a_second_that_nothing_can_split_is_an_error_and_not_a_loss(start_some: Start) -> None:
    """Of 300 people of one second, 200 can be reached in any order: the stream fails and says why."""
    app, tap = start_some(
        ("people", "companies"),
        {"people": 370, "tie_block": 300, "companies": 21},
        search_cap=200,
        page_cap=100,
        cap_keeps="oldest",
    )
    run = tap.sync(expect=1)
    assert "more records share one second" in run.log
    assert not run.audit()["people"]["complete"]
    assert run.audit()["companies"]["complete"]
    bookmark = run.state["bookmarks"]["people"].get("replication_key_value", "")
    crowd = {record["date_modified"] for record in app.account.records("people")}
    assert len(crowd) > 1
    assert bookmark < max(record["date_modified"] for record in run.records("people"))

"""Pages may be shorter than asked for, broken or empty: what Close gives at most is learned, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox.close.object_types import ACTIVITIES as TYPES
from tests.close.truth import ACTIVITIES, CHANGING, differences
from tests.singer import merged

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

RESOURCES = ("data/search", "opportunity", "task", "activity", "event")
BY_TIME = (*CHANGING, "events", *ACTIVITIES)
SHAPE = {"leads": 70, "contacts": 70, "opportunities": 70, "tasks": 70, "events": 50, "activities": 200}
#: One of each way in which streams are read, and how much there is of each.
KINDS = (*CHANGING, "events", "emails", "meetings", "users", "organization", "outcomes", "bulk_actions")
FEW: dict[str, Any] = {
    "leads": 30,
    "contacts": 20,
    "opportunities": 30,
    "tasks": 30,
    "events": 30,
    "activities": {"emails": 40, "meetings": 12},
    "custom_fields": 3,
}
#: Small ones, so that a small account has many.
PAGES = {"data/search": 10, "opportunity": 10, "task": 10, "activity": 10, "event": 10}


def complete(
    start_some: Start,
    streams: tuple[str, ...],
    shape: dict[str, Any] | None = None,
    **knobs: Any,  # noqa: ANN401
) -> CloseSandbox:
    """Check that a first run brings everything, and return what it asked."""
    app, tap = start_some(streams, shape, **knobs)
    run = tap.sync()
    for stream in streams:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] and row["unexplained"] == 0 for row in run.audit().values())
    return app


def typed_paths() -> dict[str, int]:
    """Return one question for each type of activity."""
    return {f"activity/{one.path}": 1 for one in TYPES}


def test_a_smaller_page_than_asked_for_is_learned_from_the_refusal(start_some: Start) -> None:
    """One question is refused for each path, whatever the number of its pages; never a second one."""
    app = complete(start_some, BY_TIME, SHAPE, limit_caps=dict.fromkeys(RESOURCES, 20))
    refused = [one.path for one in app.stats.log if one.status == 400]
    # The two searches may be asked at the same time, before one learns from the other; the log gives what it likes.
    assert Counter(refused) <= Counter({"data/search": 2, "opportunity": 1, "task": 1} | typed_paths())
    assert all(path in refused and app.stats.by_path[path] > 3 for path in ("data/search", "opportunity", "task"))


def test_even_pages_of_one_record_are_enough(start_some: Start) -> None:
    """Slow, but whole."""
    activities = {"emails": 8, "meetings": 5}
    shape = {"leads": 9, "contacts": 6, "opportunities": 7, "tasks": 7, "activities": activities, "events": 6}
    complete(start_some, KINDS, {**FEW, **shape}, limit_caps=dict.fromkeys(RESOURCES, 1))


def test_small_lists_that_refuse_the_usual_page_are_read_in_smaller_ones(start_some: Start) -> None:
    """Nothing tells the caps of small lists, so no page size is sent to them until one is refused."""
    names = {
        "user": "users",
        "saved_search": "smart_views",
        "outcome": "outcomes",
        "custom_field": "custom_fields",
        "sequence_subscription": "sequence_subscriptions",
        "bulk_action": "bulk_actions",
        "comment_thread": "comment_threads",
    }
    shape = {**FEW, "small_lists": 23, "custom_fields": 8}
    complete(start_some, (*names.values(), "playbooks"), shape, limit_caps=dict.fromkeys(names, 7))


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param({"shortened_pages": 0.1}, id="rows left out anywhere"),
        pytest.param({"shortened_pages": 0.1, "shortened_where": "tail"}, id="rows left out at the end"),
        pytest.param({"shortened_pages": 0.7}, id="most rows left out"),
        pytest.param({"empty_pages": 4}, id="empty pages that are not the last"),
        pytest.param({"shortened_pages": 0.1, "totals": "missing"}, id="no totals to hold them against"),
    ],
)
def test_pages_that_lack_rows_are_asked_for_again(start_some: Start, knobs: dict[str, Any]) -> None:
    """`has_more` is true on a page that is short or empty; the next answer to the same question is whole."""
    complete(start_some, KINDS, FEW, limit_caps=PAGES, **knobs)


@pytest.mark.parametrize(
    "deleted",
    [
        pytest.param({"every": 3}, id="once"),
        pytest.param({"every": 5, "times": 4}, id="four times in a row"),
        pytest.param({"every": 9, "limit": 10}, id="until the page is very short"),
    ],
)
def test_a_record_deleted_while_its_page_is_read_is_not_the_end(start_some: Start, deleted: dict[str, int]) -> None:
    """404 "Document has been deleted": asked again, then in shorter pages."""
    caps = {name: most for name, most in PAGES.items() if "limit" not in deleted}
    app = complete(start_some, KINDS, FEW, document_deleted=deleted, limit_caps=caps)
    assert app.stats.by_status["404"] > 1


def test_a_deleted_record_that_stays_in_the_way_fails_its_stream_only(start_some: Start) -> None:
    """By name, in a minute at most; the others are complete."""
    knob = {"every": 0, "times": 10_000}
    app, tap = start_some(KINDS, FEW, document_deleted=knob)

    def in_the_way(moment: Moment) -> None:
        app.behaviour.document_deleted.every = int(moment.request.path == "opportunity")

    app.on_answer(in_the_way)
    run = tap.sync(expect=1)
    assert "`opportunities` is not complete" in run.log
    assert "a deleted record stays in the way" in run.log
    assert "Traceback" not in run.log
    audit = run.audit()
    assert not audit["opportunities"]["complete"]
    assert all(row["complete"] for stream, row in audit.items() if stream != "opportunities")


def test_pages_silently_cut_down_are_no_end(start_some: Start) -> None:
    """A page of fewer rows than asked for, and more to come: what counts is what Close says of the rest."""
    app, tap = start_some(KINDS, FEW)
    app.on_answer(cut_down)
    run = tap.sync()
    for stream in KINDS:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] and row["unexplained"] == 0 for row in run.audit().values())


def cut_down(moment: Moment) -> None:
    """Have a request ask for 8 rows at most, before it is answered."""
    request, most = moment.request, 8
    if moment.when == "after":
        return
    if request.path == "data/search":
        body = msgspec.json.decode(request.body)
        request.body = msgspec.json.encode({**body, "_limit": min(most, body["_limit"])})
    elif "_limit" in request.query or request.path.startswith("activity/"):
        request.query["_limit"] = str(min(most, int(request.query.get("_limit", 100))))


def test_a_page_of_the_event_log_that_lacks_events_is_asked_for_again(start_some: Start) -> None:
    """More is said to be behind it. The next run begins at later events, so what it lacks would stay lost."""
    app, tap = start_some(("events",), FEW, limit_caps=PAGES)
    asked: set[str] = set()
    halved = 0

    def halve(moment: Moment) -> None:
        nonlocal halved
        question = str(sorted(moment.request.query.items()))
        if moment.answer is None or moment.answer.status != 200 or question in asked:
            return
        asked.add(question)
        body = msgspec.json.decode(moment.answer.body)
        if body.get("cursor_next"):
            halved += 1
            moment.answer.body = msgspec.json.encode({**body, "data": body["data"][::2]})

    app.on_answer(halve)
    run = tap.sync()
    assert halved > 1
    assert differences(app.account, "events", merged("events", run)) == {}

"""Broken answers are asked for again, and are never taken for the end of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from sandbox.faults import FINAL, KEPT, FaultRule, Kind
from tests.close.truth import CHANGING, differences
from tests.singer import Run, merged

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

OK = 200
SLOW = ("stall", "slow_headers")
#: By their change or creation, and by the event log.
BY_TIME = (*CHANGING, "emails", "notes", "meetings", "import_updates")
#: One of each way in which streams are read.
KINDS = ("leads", "opportunities", "tasks", "emails", "notes", "events", "organization", "groups", "users", "outcomes")
#: And of each way in which lists have parts.
IN_PARTS = ("custom_fields", "bulk_actions", "sequence_subscriptions", "smart_views", "memberships")
SHAPE: dict[str, Any] = {
    "leads": 40,
    "contacts": 30,
    "opportunities": 30,
    "tasks": 30,
    "activities": {"emails": 30, "notes": 24, "meetings": 10, "import_updates": 10},
    "events": 24,
    "custom_fields": 3,
}
#: Small ones, so that a small account has many.
PAGES = {"data/search": 16, "opportunity": 10, "task": 10, "activity": 10, "event": 8}


def assert_complete(app: CloseSandbox, *runs: Run, streams: tuple[str, ...]) -> None:
    """Everything is there and right."""
    for stream in streams:
        assert differences(app.account, stream, merged(stream, *runs)) == {}, stream


class FirstAnswersAreEmpty:
    """Every list, search and page of the log says that there is nothing when it is asked for the first time."""

    def __init__(self, app: CloseSandbox, path: str = "") -> None:
        self.app = app
        self.path = path
        self.lies = 0
        self._asked: set[tuple[str, str, bytes]] = set()
        self.end = app.on_answer(self._on_answer)

    def _on_answer(self, moment: Moment) -> None:
        request, answer = moment.request, moment.answer
        question = (request.path, str(sorted(request.query.items())), request.body)
        known = question in self._asked
        if answer is None or answer.status != OK or known or not request.path.startswith(self.path):
            return
        self._asked.add(question)
        if answer.body.startswith(b'{"data":['):
            self.lies += 1
            answer.body = self.app.shortened(answer, 0.0).body


def test_every_question_is_first_answered_with_nothing(start_some: Start) -> None:
    """An empty answer is asked for again, at the start of a list as in its middle."""
    streams = (*KINDS, *IN_PARTS)
    app, tap = start_some(streams, SHAPE, limit_caps=PAGES)
    lies = FirstAnswersAreEmpty(app)
    run = tap.sync()
    assert lies.lies > 30
    assert_complete(app, run, streams=streams)


@pytest.mark.parametrize("knobs", [{}, {"totals": "missing", "search_counts": "missing"}], ids=["totals", "no totals"])
def test_nothing_is_hidden_from_a_later_run(start_some: Start, knobs: dict[str, Any]) -> None:
    """A bookmark that passed a change would lose it for good. Whole lists are read again anyway: they may wait."""
    streams = (*BY_TIME, "events", "users", "outcomes")
    app, tap = start_some(streams, SHAPE, **knobs)
    first = tap.sync()
    edited = {stream: app.account.edit(stream, count=5) for stream in BY_TIME if stream != "import_updates"}
    created = {stream: app.account.create(stream, count=2) for stream in BY_TIME}
    lies = FirstAnswersAreEmpty(app)
    second = tap.sync(state=first.state)
    assert lies.lies > 10
    for stream in BY_TIME:
        came = {record["id"] for record in second.records(stream)}
        assert came >= {*edited.get(stream, ()), *created[stream]}, stream
        assert differences(app.account, stream, merged(stream, first, second)) == {}, stream
    lies.end()
    assert_complete(app, first, second, tap.sync(state=second.state), streams=streams)


@pytest.mark.parametrize(
    ("path", "streams"),
    [
        ("event", ("events",)),
        ("data/search", ("leads", "contacts")),
        ("opportunity", ("opportunities",)),
        ("task", ("tasks",)),
        ("activity", ("emails", "notes")),
    ],
)
def test_every_fifth_answer_of_a_kind_is_empty(start_some: Start, path: str, streams: tuple[str, ...]) -> None:
    """Whichever page that is."""
    app, tap = start_some(streams, SHAPE, limit_caps={path: 2})
    app.behaviour.faults = [FaultRule(["empty_page"], every=5, path=path)]
    assert_complete(app, tap.sync(), streams=streams)
    assert app.stats.faults["empty_page"] > 1


def test_edits_that_the_log_tells_of_arrive_through_faults(start_some: Start) -> None:
    """An incremental run through broken answers, of the log and of the questions by id, too."""
    kinds = [kind for kind in get_args(Kind) if kind not in (*SLOW, *FINAL, *KEPT)]
    app, tap = start_some(KINDS, SHAPE, limit_caps=PAGES)
    first = tap.sync()
    for stream in KINDS:
        if stream in BY_TIME:
            app.account.edit(stream, count=16)
    app.stats.reset()
    app.behaviour.faults = [FaultRule(list(kinds), every=3)]
    second = tap.sync(state=first.state)
    assert_complete(app, first, second, streams=KINDS)
    assert len(app.stats.faults) > 8
    assert any("id__in" in one.query for one in app.stats.log)

"""Records that the CRM counts and never shows: told, never taken for deleted, and a failure where they are many."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.singer import later
from tests.target import Target, activated

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Moment, Simulator
    from tests.singer import Run
    from tests.verdict.conftest import Read, Start

ROWS = 230
#: A stream of each CRM whose answers have a count, the path of these, and where in an answer its records are.
COUNTED = [
    pytest.param("copper", "people", "people/search", None, id="copper: a search"),
    pytest.param("copper", "users", "users/search", None, id="copper: pages"),
    pytest.param("close", "leads", "data/search", "data", id="close: a search"),
    pytest.param("close", "opportunities", "opportunity", "data", id="close: a list"),
    pytest.param("copera", "channels", "chat/channels", "channels", id="copera: a list by offset"),
]
#: One of each CRM: what a run makes of a count is the same for all of them.
ONE_EACH = [one for one in COUNTED if one.values[1] in ("people", "opportunities", "channels")]
#: Those that have a bookmark, too.
BOOKMARKED = [one for one in COUNTED if one.values[1] in ("people", "leads", "opportunities")]


def showing(app: Simulator, path: str, within: str | None, shown: Callable[[list[Any]], list[Any]]) -> Any:  # noqa: ANN401
    """Let answers have fewer records than they count, all the time; return what ends that."""

    def cut(moment: Moment) -> None:
        if moment.answer is None or moment.request.path.strip("/") != path:
            return
        body = json.loads(moment.answer.body)
        records = shown(body if within is None else body[within])
        moment.answer.body = json.dumps(records if within is None else {**body, within: records}).encode()

    return app.on_answer(cut)


def first_of(count: int) -> Callable[[list[Any]], list[Any]]:
    """Return what leaves so many records in an answer."""
    return lambda records: records[:count]


def without(ids: set[Any]) -> Callable[[list[Any]], list[Any]]:
    """Return what leaves some records out of each answer."""
    return lambda records: [one for one in records if one.get("id", one.get("_id")) not in ids]


def some_ids(run: Run, stream: str, count: int) -> set[Any]:
    """Return the keys of so many records."""
    return {key for (key,) in sorted(run.keys(stream))[:count]}


@pytest.mark.parametrize(("crm", "stream", "path", "within"), COUNTED)
def test_a_count_that_promises_far_more_than_is_shown_fails_the_stream(
    read: Read, crm: str, stream: str, path: str, within: str | None
) -> None:
    """The bookmark stays, so that the next run brings what this one lacks; no version is concluded."""
    app, tap, _ = read(crm, stream, {stream: ROWS})
    shown = 0 if stream in ("users", "channels") else 50
    ids = sorted(app.account.ids(stream))
    end = showing(app, path, within, without(set(ids[shown:])))
    first = tap.sync(expect=1, retry_seconds=5)
    assert first.count(stream) == shown
    row = first.audit()[stream]
    assert not row["complete"]
    assert row["unexplained"] >= 10
    assert "`max_unexplained_percent` (1)" in row["error"]
    assert activated(first).get(stream) is None
    end()
    second = tap.sync(state=first.state)
    assert second.audit()[stream]["complete"]
    assert len(first.keys(stream) | second.keys(stream)) == len(ids)


@pytest.mark.parametrize(("crm", "stream", "path", "within"), COUNTED)
def test_answers_that_are_cut_are_gone_on_with_or_fail(
    read: Read, crm: str, stream: str, path: str, within: str | None
) -> None:
    """Fifty records at most, of whatever was asked for: never a quiet end."""
    app, tap, _ = read(crm, stream, {stream: ROWS})
    end = showing(app, path, within, first_of(50))
    run = tap.call(tap.command(retry_seconds=5))
    end()
    is_whole = run.count(stream) >= len(app.account.ids(stream))
    assert run.audit()[stream]["complete"] is is_whole
    assert run.code == (0 if is_whole else 1)
    assert (stream in activated(run)) is is_whole


@pytest.mark.parametrize(("crm", "stream", "path", "within"), ONE_EACH)
def test_a_few_records_that_are_never_given_are_told_and_the_run_is_green(
    read: Read, crm: str, stream: str, path: str, within: str | None
) -> None:
    """An index may hold such rows for ever. Nothing is concluded while it does, and each audit says so."""
    app, tap, whole = read(crm, stream, {stream: ROWS})
    end = showing(app, path, within, without(some_ids(whole, stream, 3)))
    first = tap.sync()
    second = tap.sync(state=first.state)
    end()
    assert first.count(stream) == len(app.account.ids(stream)) - 3
    assert "3 records that the CRM counts were never shown" in first.log
    for run in (first, second):
        assert run.audit()[stream]["complete"]
        assert run.audit()[stream]["unexplained"] == 3
        assert activated(run).get(stream) is None


@pytest.mark.parametrize(("crm", "stream", "path", "within"), ONE_EACH)
def test_what_is_counted_is_not_told_as_deleted(
    start: Start, crm: str, stream: str, path: str, within: str | None
) -> None:
    """Neither by the read that lacks it, nor by the next one, which is whole; then deletions are found again."""
    app, tap = start(crm, stream, shape={stream: ROWS})
    runs = [tap.sync()]
    living = runs[0].keys(stream)
    hidden = {(key,) for key in some_ids(runs[0], stream, 5)}
    end = showing(app, path, within, without({key for (key,) in hidden}))
    runs.append(tap.sync(state=runs[-1].state, reconcile="true"))
    end()
    assert not Target(*runs).marked(stream)
    gone = _delete(app, stream, 2)
    runs.append(tap.sync(state=runs[-1].state, reconcile="true"))
    assert activated(runs[-1]).get(stream) is None
    assert "nothing is concluded from this read either" in runs[-1].audit()[stream]["notes"][-1]
    runs.append(tap.sync(state=runs[-1].state))  # due at once
    assert Target(*runs).marked(stream) == gone
    assert Target(*runs).living(stream).keys() == living - gone
    assert runs[-1].audit()[stream]["unexplained"] == 0


def _delete(app: Any, stream: str, count: int) -> set[Any]:  # noqa: ANN401
    """Delete records, and return their keys."""
    if stream == "users":  # which no verb of the server deletes
        users = app.account.lists["users"]
        return {(users.pop()["id"],) for _ in range(count)}
    return {(key,) for key in app.account.change("delete", {"object": stream, "count": count})}


@pytest.mark.parametrize(("crm", "stream", "path", "within"), BOOKMARKED)
def test_changes_that_are_counted_and_not_shown_arrive_by_a_later_run(
    start: Start, crm: str, stream: str, path: str, within: str | None
) -> None:
    """An incremental read that lacks most of its records does not move the bookmark."""
    app, tap = start(crm, stream, shape={stream: ROWS})
    first = tap.sync()
    later(app, tap, 3_600)
    changed = {(key,) for key in app.account.change("edit", {"object": stream, "count": 60})}
    later(app, tap, 7_200)
    end = showing(app, path, within, without({key for (key,) in sorted(changed)[5:]}))
    second = tap.sync(state=first.state, expect=1, retry_seconds=5)
    assert second.audit()[stream]["unexplained"] >= 10
    end()
    third = tap.sync(state=second.state)
    assert second.keys(stream) | third.keys(stream) >= changed


@pytest.mark.parametrize(("missing", "code"), [(1, 0), (2, 1), (4, 1)])
def test_of_a_small_stream_only_one_record_or_a_tenth_may_lack(start: Start, missing: int, code: int) -> None:
    """Four of fifteen are fewer than ten, and a quarter of all: nobody would call that loaded."""
    app, tap = start("copera", "channels", shape={"channels": 15})
    showing(app, "chat/channels", "channels", without(set(list(app.account.ids("channels"))[:missing])))
    run = tap.sync(expect=code)
    row = run.audit()["channels"]
    assert row["complete"] is (code == 0)
    assert row["unexplained"] == missing
    assert run.count("channels") == len(app.account.ids("channels")) - missing


def test_a_limit_that_is_raised_lets_the_run_pass(start: Start) -> None:
    """It is the user who knows the account; what is not shown is told all the same."""
    app, tap = start("copera", "channels", shape={"channels": ROWS})
    showing(app, "chat/channels", "channels", without(set(list(app.account.ids("channels"))[:30])))
    run = tap.sync(max_unexplained_percent=100)
    row = run.audit()["channels"]
    assert row["complete"]
    assert row["unexplained"] == 30
    assert activated(run).get("channels") is None


def test_what_a_list_lacks_is_told_by_every_stream_that_is_made_of_it(start: Start) -> None:
    """Participants are those of channels: who asked for these first makes no difference."""
    streams = ("channels", "channel_participants")
    app, tap = start("copera", *streams, shape={"channels": ROWS})
    showing(app, "chat/channels", "channels", without(set(list(app.account.ids("channels"))[:3])))
    run = tap.sync()
    assert [run.audit()[stream]["unexplained"] for stream in streams] == [3, 3]
    assert not activated(run).keys() & set(streams)

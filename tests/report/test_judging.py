"""Whether a stream is complete and fresh, and what is to be done."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.report.advice import UNKNOWN, advice_on
from tap_crm.report.facts import DAY, Account, Counts, Read, Remark, Run, Stream
from tap_crm.report.judging import Status, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW, HOUR = 1_790_000_000.0, 3_600.0


def stream(name: str = "people", hours_ago: float = 1.0, whole_ago: float | None = 1.0, **last: Any) -> Stream:  # noqa: ANN401
    """Return a stream that was begun and completely read so many hours ago."""
    read = Read("r", NOW - hours_ago * HOUR, **({"complete": True} | last))
    return Stream(name, read, up_to=None if whole_ago is None else NOW - whole_ago * HOUR)


def judged(*streams: Stream, remarks: Sequence[Remark] = (), runs: Sequence[Run] = ()) -> Verdict:
    """Judge an account of these streams."""
    return judge(Account("a", "copper", "here", streams, runs, remarks=remarks), NOW, 26 * HOUR, 30)


def test_an_account_is_good_if_all_streams_are_complete_and_fresh() -> None:
    verdict = judged(stream("a"), stream("b", 20, 20))
    assert (verdict.is_good, verdict.tasks, verdict.read) == (True, [], 2)
    assert verdict.oldest == NOW - 20 * HOUR


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (stream(complete=False, error="x"), Status.FAILED),
        (stream(complete=False, error="x", whole_ago=50), Status.FAILED),
        (stream(whole_ago=26.1), Status.STALE),
        (stream(whole_ago=25.9), Status.FRESH),
        (stream(whole_ago=None), Status.STALE),
        (stream(complete=False), Status.UNFINISHED),
        (stream(complete=False, whole_ago=27), Status.STALE),
        (stream(hours_ago=31 * 24, whole_ago=31 * 24), Status.LEFT),
        (stream(hours_ago=29 * 24, whole_ago=29 * 24), Status.STALE),
        (stream(hours_ago=31 * 24, whole_ago=None, complete=False, error="x"), Status.LEFT),
    ],
)
def test_a_stream_is_what_its_last_run_and_its_age_make_it(given: Stream, status: Status) -> None:
    verdict = judged(given, stream("other"))
    assert verdict.of(status) == (["other", "people"] if status is Status.FRESH else ["people"])
    assert verdict.is_good == (status in (Status.FRESH, Status.LEFT))


def test_an_account_that_nobody_has_loaded_for_long_is_old_and_not_left() -> None:
    """However long that is: no other stream was read meanwhile."""
    verdict = judged(stream("a", 24 * 90, 24 * 90), stream("b", 24 * 91, 24 * 91))
    assert verdict.of(Status.STALE) == ["a", "b"]
    (task,) = verdict.tasks
    assert (task.is_urgent, task.what) == (True, "nothing was loaded completely for more than 26 hours")
    assert "scheduler" in task.do


def test_a_stream_that_fell_out_of_the_runs_is_told_apart() -> None:
    (task,) = judged(stream("a", 40, 40), stream("b")).tasks
    assert (task.streams, task.is_urgent) == (["a"], True)
    assert "while other streams were" in task.what


def test_streams_that_failed_for_one_reason_are_one_task_with_what_to_do() -> None:
    error = "gave up after 7 attempts; the last one: status 500"
    (task,) = judged(*(stream(name, complete=False, error=error) for name in ("a", "b"))).tasks
    assert (task.streams, task.what, task.is_urgent) == (["a", "b"], error, True)
    assert "raise `retry_seconds`" in task.do


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ({"unexplained": 1_200}, "the CRM counts 1,200 records that it did not show"),
        ({"misfits": 4}, "4 values did not fit their type"),
        ({"missed_by_events": 7}, "no event told of 7 changes"),
    ],
)
def test_what_is_odd_is_to_be_looked_at_and_no_failure(read: dict[str, Any], words: str) -> None:
    verdict = judged(stream(**read))
    (task,) = verdict.tasks
    assert (verdict.is_good, task.is_urgent, task.streams) == (True, False, ["people"])
    assert words in task.what


def test_rows_that_a_loader_leaves_behind_are_to_be_looked_at() -> None:
    (task,) = judged(Stream("people", up_to=NOW, gone=12)).tasks
    assert "12 rows are deleted in the CRM" in task.what


def test_a_renamed_field_is_to_be_looked_at() -> None:
    text = "custom field 1 of people was renamed: its values arrive in `b` from now on; `a` keeps what was loaded"
    (task,) = judged(stream(), remarks=[Remark("people", text, NOW)]).tasks
    assert "use the new column" in task.do


@pytest.mark.parametrize(("refused", "tasks"), [(5, 0), (6, 1)])
def test_a_limit_that_others_use_up_is_to_be_looked_at(refused: int, tasks: int) -> None:
    run = Run("r", NOW - 60, NOW, 1, 1, 0, Counts(requests=100, rate_limited=refused))
    assert len(judged(stream(), runs=[run]).tasks) == tasks


def test_the_urgent_comes_first() -> None:
    verdict = judged(stream("a", misfits=1), stream("b", complete=False, error="x"), stream("c", complete=False))
    assert [task.is_urgent for task in verdict.tasks] == [True, False, False]
    assert [one.status for one in verdict.streams] == [Status.FAILED, Status.UNFINISHED, Status.FRESH]


@pytest.mark.parametrize(
    ("error", "do"),
    [
        ("people: the CRM refused the credentials (401): check `api_key`", "make a new key"),
        ("the key's user may not read this (403); deselect it", "deselect the stream"),
        ("page 3: not found (404): /people", UNKNOWN.do),
        ("the CRM counts 1,204 records and showed 1,100; 104 are missing", "raise `max_unexplained_percent`"),
        ("the CRM refused the question (422): no", "please report it"),
        ("something that nobody has thought of", UNKNOWN.do),
    ],
)
def test_what_to_do_is_what_the_page_on_operations_says(error: str, do: str) -> None:
    assert do in advice_on(error).do


def test_a_day_has_the_length_of_a_day() -> None:
    assert DAY == 24 * HOUR

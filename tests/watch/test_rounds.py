"""What a watch sees of each CRM, and what it costs: real questions to a sandbox, in a time of its own."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from sandbox.faults import FaultRule
from sandbox.stats import most_within
from tap_crm import errors
from tests.watch.crms import CRMS

if TYPE_CHECKING:
    from tests.watch.conftest import Begin

EVERY_CRM = pytest.mark.parametrize("crm", CRMS)


@EVERY_CRM
def test_an_edit_has_command_run_in_the_next_round(begin: Begin, crm: str) -> None:
    """In each kind of stream; the line names it."""
    trial = begin(crm)
    streams = CRMS[crm].streams
    for number, stream in enumerate(streams, start=1):
        trial.plan[100.0 * number] = partial(trial.app.account.edit, stream, count=1)
    trial.watch(100.0 * (len(streams) + 1))
    assert len(trial.ran) == 1 + len(streams)
    for number, (ran, name) in enumerate(zip(trial.ran[1:], streams.values(), strict=True), start=1):
        assert 100 * number <= ran <= 100 * number + 61, trial.said
        assert any(f"changed: {name}; COMMAND" in line for line in trial.said)


@EVERY_CRM
def test_an_account_that_stands_still_costs_little_and_has_nothing_run(begin: Begin, crm: str) -> None:
    """A few requests a minute, in any minute; COMMAND is run at start only."""
    trial = begin(crm)
    asked: list[float] = []
    ask = trial.questions.ask

    def counting(now: float) -> object:
        found = ask(now)
        asked.extend([now] * found.requests)
        return found

    trial.questions.ask = counting  # type: ignore[assignment,method-assign]
    trial.watch(600)
    assert trial.ran == [0.0]
    assert most_within(asked, 60) <= CRMS[crm].most_idle
    assert trial.app.stats.requests == len(asked)
    assert trial.said[1:] == [
        f"round {number}: {_requests(CRMS[crm].per_round)}, nothing changed" for number in range(2, len(trial.said) + 1)
    ]


def _requests(count: int) -> str:
    return f"{count} request{'s' * (count != 1)}"


@pytest.mark.parametrize(("budget", "most"), [(2.0, 2), (6.0, 6)])
def test_a_small_budget_is_spread_over_the_streams(begin: Begin, budget: float, most: int) -> None:
    """Those that were not asked for longest come first, and none is forgotten."""
    trial = begin("copper", every=10.0, per_minute=budget)
    trial.watch(300, first=False)
    trial.app.stats.reset()
    trial.app.account.edit("tasks", count=1)
    ran = len(trial.ran)
    trial.watch(300, first=False)
    assert trial.app.stats.requests <= 5 * most + most
    assert len(trial.ran) > ran


def test_only_selected_streams_of_copper_are_asked(begin: Begin) -> None:
    """As a catalog has it."""
    entries = [
        {"tap_stream_id": "people", "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]},
        {"tap_stream_id": "leads", "metadata": [{"breadcrumb": [], "metadata": {"selected": False}}]},
        {"tap_stream_id": "pipelines", "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]},
    ]
    trial = begin("copper", catalog={"streams": entries})
    trial.watch(60)
    assert set(trial.app.stats.by_path) == {"people/search"}


@pytest.mark.parametrize(("crm", "knob", "times"), [("copper", "index_lag", 1), ("close", "event_lag", 2)])
def test_what_shows_late_is_seen_when_it_shows(begin: Begin, crm: str, knob: str, times: int) -> None:
    """A later change that shows at once does not hide it for good; Copper's index shows them in their order."""
    trial = begin(crm)
    stream = next(iter(CRMS[crm].streams))
    late, early, *_ = trial.app.account.ids(stream)
    trial.questions.ask(0.0)
    setattr(trial.app.behaviour, knob, 2.0)
    trial.app.account.edit(stream, ids=[late])
    setattr(trial.app.behaviour, knob, 0.0)
    trial.app.account.edit(stream, ids=[early])
    deadline = time.monotonic() + 20
    while times:
        times -= bool(trial.questions.ask(30.0).changed)
        assert time.monotonic() < deadline
        time.sleep(0.1)


@EVERY_CRM
def test_a_crm_that_does_not_answer_is_asked_less_and_command_is_run_all_the_same(begin: Begin, crm: str) -> None:
    """By the greatest gap. When it answers again, what is there then has COMMAND run only if something changed."""
    trial = begin(crm)
    trial.watch(40)
    trial.app.behaviour.faults = [FaultRule(kinds=["503"], every=1)]
    trial.app.stats.reset()
    trial.watch(3_700, first=False, max_gap=1_000.0)
    assert [round(at, -3) for at in trial.ran[1:]] == [1_000, 2_000, 3_000]
    assert trial.app.stats.requests <= 20
    assert "no answer" in trial.said[-1]
    trial.app.behaviour.faults = []
    ran = len(trial.ran)
    trial.watch(400, first=False)
    assert len(trial.ran) == ran
    stream = next(iter(CRMS[crm].streams))
    trial.app.account.edit(stream, count=1)
    trial.watch(100, first=False)
    assert len(trial.ran) == ran + 1


@EVERY_CRM
def test_refused_credentials_end_it(begin: Begin, crm: str) -> None:
    """With what to do about it."""
    trial = begin(crm)
    trial.app.revoke()
    with pytest.raises(errors.CredentialsRefused, match="check that `api_key`"):
        trial.questions.ask(0.0)


@EVERY_CRM
def test_a_list_that_is_refused_is_left_out_and_the_others_are_asked(begin: Begin, crm: str) -> None:
    """The line says so; it is tried again after the greatest gap."""
    trial = begin(crm)
    path = {"copper": "leads", "close": "event", "copera": "bookings"}[crm]
    trial.app.behaviour.faults = [FaultRule(kinds=["400"], every=1, path=path)]
    trial.watch(200)
    assert trial.ran == [0.0]
    assert "left out for now: " in trial.said[0]
    assert "left out" not in "".join(trial.said[1:])
    trial.app.stats.reset()
    trial.watch(100, first=False)
    assert not any(path in asked for asked in trial.app.stats.by_path)


def test_a_change_that_a_failed_run_did_not_load_is_not_forgotten(begin: Begin) -> None:
    """COMMAND is repeated until it ends with 0, though nothing changes any more."""
    trial = begin("close")
    trial.codes = [0, 1, 1, 0]
    trial.plan[35.0] = lambda: trial.app.account.edit("leads", count=1)
    trial.watch(600)
    assert [round(at) for at in trial.ran] == [0, 60, 75, 100]
    assert "COMMAND for what changed: exit 1 after 5.0 s, again in 10 s" in trial.said[2]
    assert trial.said[4].endswith("COMMAND again: exit 0 after 5.0 s")


def test_what_changes_while_command_runs_has_it_run_again(begin: Begin) -> None:
    """After the least gap; while it runs, nothing is asked."""
    trial = begin("close")
    trial.run_seconds = 120.0
    trial.plan[60.0] = lambda: trial.app.account.edit("leads", count=1)
    trial.watch(500)
    assert trial.ran == [0.0, 130.0]


def test_the_inbox_is_looked_into_each_second(begin: Begin) -> None:
    """Without a request."""
    trial = begin("close")
    trial.mail = [50.0]
    trial.watch(59)
    assert [round(at) for at in trial.ran] == [0, 50]
    assert trial.app.stats.requests == 2
    assert "the inbox has something new" in "".join(trial.said)

"""A run that dies anywhere, and the next one, load what is there: `./scripts/soak --of crashes` tries every place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tests.proof import crashes
from tests.proof.accounts import SAMPLE

if TYPE_CHECKING:
    from tests.proof.accounts import Account

#: Of a run that reads many streams, so many STATEs are gone on from here; and it reads each so many-th stream.
RESUMED, EACH = 2, 3
#: Requests at which a process is really killed.
KILLED = ((crashes.BEFORE, 4), (crashes.AFTER, 9))


@pytest.fixture(scope="module")
def tapes(account: Account) -> dict[bool, crashes.Tape]:
    """Return a first run of some streams, and a next one."""
    return {
        is_first: crashes.recorded(account, SAMPLE[account.crm.name], is_first=is_first) for is_first in (True, False)
    }


def test_every_place_of_a_run_of_some_streams(tapes: dict[bool, crashes.Tape], unmeasured: None) -> None:  # noqa: ARG001
    """Each request and each line: what was written, and what the next run writes, is what is there."""
    for tape in tapes.values():
        findings = crashes.Findings()
        crashes.judge(tape, tape.resumes, findings)
        assert not findings.wrong, findings.wrong
        assert findings.tried[crashes.BEFORE] == findings.tried[crashes.AFTER] > 0
        assert findings.tried.total() == len(tape.crashes) + len(tape.resumes)


def test_some_places_of_a_run_of_many_streams(account: Account, unmeasured: None) -> None:  # noqa: ARG001
    """All that can be cut off while these states are the last ones."""
    tape = crashes.recorded(account, account.streams[::EACH], is_first=False)
    findings = crashes.Findings()
    places = len(tape.resumes)
    crashes.judge(tape, [tape.resumes[(at + 1) * places // (RESUMED + 1)] for at in range(RESUMED)], findings)
    assert not findings.wrong, findings.wrong


def test_records_that_change_between_a_crash_and_the_next_run(
    tapes: dict[bool, crashes.Tape],
    unmeasured: None,  # noqa: ARG001
) -> None:
    """Also those that were written, of which no state tells, and that are gone by the next run."""
    is_first = list(SAMPLE).index(tapes[True].account.crm.name) % 2 == 0
    tape = tapes[is_first]
    begun = tape.resumes[(1 + is_first) * len(tape.resumes) // 3]
    tried, wrong = crashes.in_a_child(partial(crashes.judge_changed, tape, begun))
    assert tried > 1
    assert not wrong


def test_a_process_that_is_killed_leaves_what_the_next_one_goes_on_from(
    tapes: dict[bool, crashes.Tape],
    unmeasured: None,  # noqa: ARG001
) -> None:
    """SIGKILL before a request, and after one."""
    for tape, (kind, number) in zip(tapes.values(), KILLED, strict=True):
        assert not crashes.judge_killed(tape, kind, number)


class _Ahead(crashes.Tape):
    """A run whose states are ahead of what was written."""

    @override
    def state(self, lines: int) -> dict[str, Any] | None:
        return super().state(max(self.resumes)) if lines else super().state(0)


def test_a_state_that_is_ahead_would_be_seen(tapes: dict[bool, crashes.Tape], unmeasured: None) -> None:  # noqa: ARG001
    """The matrix finds the fault that it is made for."""
    tape = tapes[True]
    ahead = _Ahead(tape.account, tape.streams, tape.is_first, tape.run, tape.places, tape.sizes)
    findings = crashes.Findings()
    crashes.judge(ahead, ahead.resumes[1:2], findings)
    assert findings.wrong

"""Many cells of the matrix in one run: each kind of question has a fault of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proof.accounts import Recorder, template
from tests.proof.cells import Faulty, Often, of_any_run, timed
from tests.proof.faults import FAULTS, Fault, Told
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proof.accounts import Account
    from tests.singer import Run

#: Of the kinds of questions of a CRM, each so many-th has a fault that stays: the CRM as a whole still answers.
EACH = 4
#: The time that these take passes for all requests that are under way: one of them in a run, or no answer is in time.
SLOW = ("stall", "stall in the body", "slow drip")
Faults = dict[str, Fault]


def kinds(account: Account) -> list[str]:
    """Return every kind of question that a run asks which reads all streams, in an order that no thread decides."""
    recorder = Recorder(account.server)
    with virtual_time() as clock, answered_by(recorder, clock.wait):
        run = account.run(account.streams, is_first=True)
    assert run.code == 0, run.said()
    return sorted({template(asked, account.base_path) for asked in recorder.asked})


def once(account: Account) -> Iterator[Faults]:
    """Yield faults by kind of question: every kind, and every fault, at least once."""
    names = [one for one in FAULTS.values() if one.told is not Told.DECEIVING and one.name not in SLOW]
    asked = kinds(account)
    for part in range(max(len(SLOW), -(-len(names) // len(asked)))):
        chosen = {kind: names[(part * len(asked) + at) % len(names)] for at, kind in enumerate(asked)}
        yield chosen | _slow(asked, part)


def for_ever(account: Account) -> Iterator[Faults]:
    """Yield faults by kind of question: every kind once, each time a part of them."""
    names = [one for one in FAULTS.values() if one.told is Told.BROKEN and one.name not in SLOW]
    asked = kinds(account)
    for part in range(EACH):
        kinds_of_part = asked[part::EACH]
        chosen = {kind: names[(part * len(asked) + at) % len(names)] for at, kind in enumerate(kinds_of_part)}
        yield chosen | _slow(kinds_of_part, part)


def _slow(asked: list[str], part: int) -> Faults:
    """Return one slow fault, of another kind of question each time."""
    return {asked[part % len(asked)]: FAULTS[SLOW[part]]} if asked and part < len(SLOW) else {}


def judge(account: Account, faults: Faults, often: Often, *, is_first: bool) -> list[str]:
    """Read all streams through faults; return what is wrong after that."""
    server = Faulty(account, faults, often)
    run, wrong = timed(lambda: account.run(account.streams, is_first=is_first), server)
    wrong += of_any_run(account, run)
    complete = [name for name, row in run.audit().items() if row["complete"] and name in account.streams]
    wrong += _untrue(account, complete, run, is_first=is_first)
    if often == "once":
        return [*wrong, *([] if run.code == 0 else [f"it failed: {run.said()[-1500:]}"])]
    if run.code == 0 and server.hits:
        wrong.append("exit 0 though some questions were never answered")
    with virtual_time() as clock, answered_by(account.server, clock.wait):
        clock.wait(3_600.0)
        again = account.run(account.streams, is_first=is_first, state=run.state or None)
    if again.code != 0:
        wrong.append(f"the next run fails: {again.said()[-1500:]}")
    return [*wrong, *_untrue(account, account.streams, run, again, is_first=is_first)]


def _untrue(account: Account, streams: list[str] | tuple[str, ...], *runs: Run, is_first: bool) -> Iterator[str]:
    for stream in streams:
        if found := account.differences(stream, *runs, is_first=is_first, in_all=True):
            yield f"{stream}: {str(found)[:400]}"


def named(faults: Faults) -> dict[str, str]:
    """Return the names of faults by kind of question."""
    return {kind: fault.name for kind, fault in faults.items()}

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
Faults = dict[str, Fault]


def kinds(account: Account) -> list[str]:
    """Return every kind of question that a run asks which reads all streams."""
    recorder = Recorder(account.server)
    with virtual_time() as clock, answered_by(recorder, clock.wait):
        run = account.run(account.streams, is_first=True)
    assert run.code == 0, run.said()
    return list(dict.fromkeys(template(asked, account.base_path) for asked in recorder.asked))


def once(account: Account) -> Iterator[Faults]:
    """Yield faults by kind of question: every kind, and every fault, at least once."""
    names = [one for one in FAULTS.values() if one.told is not Told.DECEIVING]
    asked = kinds(account)
    for first in range(0, len(names), max(len(asked), 1)):
        yield {kind: names[(first + at) % len(names)] for at, kind in enumerate(asked)}


def for_ever(account: Account) -> Iterator[Faults]:
    """Yield faults by kind of question: every kind once, each time a part of them."""
    names = [one for one in FAULTS.values() if one.told is Told.BROKEN]
    asked = kinds(account)
    for part in range(EACH):
        chosen = asked[part::EACH]
        yield {kind: names[(part * len(asked) + at) % len(names)] for at, kind in enumerate(chosen)}


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

"""Many cells of the matrix in one run: each kind of question has faults of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.proof.cells import Cell, Faulty, Often, of_any_run, timed
from tests.proof.faults import FAULTS, Fault, Told
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.proof.accounts import Account
    from tests.singer import Run

#: The time that these take passes for all requests that are under way: each of them has runs of its own (`alone`).
SLOW = ("stall", "stall in the body", "slow drip")
#: Faults that a question has one after the other, at most, before it is answered.
IN_TURN = 3
#: The streams of an account are read in so many runs, every other one of them without a state; a few of them in one.
PARTS, FEW = 2, 8
#: Of the kinds of questions of a part, each so many-th has a fault that stays: the CRM as a whole still answers.
EACH = 3
Faults = dict[str, tuple[Fault, ...]]


@dataclass(frozen=True)
class Group:
    """A run with many faults.

    Attributes:
        streams: what it reads.
        is_first: whether it has no state.
        faults: by kind of question.
    """

    streams: tuple[str, ...]
    is_first: bool
    faults: Faults

    def __str__(self) -> str:
        """Name the faults by kind of question."""
        return str({kind: [fault.name for fault in faults] for kind, faults in self.faults.items()})


def names(*told: Told) -> list[str]:
    """Return the names of the faults of which so much can be known, without those that take long."""
    return [one.name for one in FAULTS.values() if one.told in told and one.name not in SLOW]


def once(account: Account) -> Iterator[Group]:
    """Yield groups with each fault that passes, of every kind of question, and with every stream."""
    first, later = (set(account.kinds(is_first=is_first)) for is_first in (True, False))
    always, sometimes = sorted(first & later), sorted(first ^ later)
    rounds = -(-len(names(Told.BROKEN)) // (IN_TURN * len(always)))
    rows = _rows(rounds * len(always))
    for number in range(rounds):
        chosen = dict(zip(always, rows[number * len(always) :], strict=False))
        chosen |= dict(zip(sometimes, rows, strict=False))
        for part, streams in enumerate(_parts(account)):
            yield Group(streams, bool((part + number) % 2), chosen)


def _rows(count: int) -> list[tuple[Fault, ...]]:
    """Share all faults that pass among so many kinds of questions, those that ask for no other answer at the end."""
    broken, harmless = names(Told.BROKEN), names(Told.HARMLESS)
    rows = [broken[at::count] or [broken[at % len(broken)]] for at in range(count)]
    for row, name in zip(reversed(rows), harmless, strict=False):
        row.append(name)
    return [tuple(FAULTS[name] for name in row) for row in rows]


def for_ever(account: Account) -> Iterator[Group]:
    """Yield groups with faults that stay, of a part of what is asked for some streams only, and with every stream."""
    known = names(Told.BROKEN)
    asked = [kind for kind in account.kinds(is_first=False) if kind not in account.sample.common]
    for part, streams in enumerate(_parts(account)):
        chosen: Faults = {kind: (FAULTS[known[at % len(known)]],) for at, kind in enumerate(asked) if at % EACH == part}
        yield Group(streams, bool(part), chosen)


def _parts(account: Account) -> list[tuple[str, ...]]:
    parts = PARTS if len(account.streams) > FEW else 1
    return [account.streams[part::parts] for part in range(parts)]


def alone(account: Account) -> Iterator[Cell]:
    """Yield cells with each fault that is not in a group, and one of what every run asks."""
    part, crm = account.sample, account.crm.name
    for at, name in enumerate(SLOW):  # of streams that ask little else: hours of answers that come late are no answer
        yield Cell(crm, part.streams[-(at % 2)], name, "once", is_first=at % 2 == 0)
    for at, name in enumerate(names(Told.DECEIVING)):
        yield Cell(crm, part.streams[at % len(part.streams)], name, "for ever", is_first=at % 2 == 0)
    yield Cell(crm, part.streams[0], "500", "for ever", only=min(part.common))


def judge(account: Account, group: Group, often: Often) -> tuple[list[str], set[str]]:
    """Read streams through faults; return what is wrong after that, and the names of the faults that there were."""
    streams, is_first = group.streams, group.is_first
    server = Faulty(account, group.faults, often)
    run, wrong = timed(lambda: account.run(streams, is_first=is_first), server)
    wrong += of_any_run(account, run)
    complete = [name for name, row in run.audit().items() if row["complete"] and name in streams]
    wrong += _untrue(account, complete, run, is_first=is_first)
    if often == "once":
        return [*wrong, *([] if run.code == 0 else [f"it failed: {run.said()[-1500:]}"])], server.shown
    if run.code == 0 and server.hits:
        wrong.append("exit 0 though some questions were never answered")
    with virtual_time() as clock, answered_by(account.server, clock.wait):
        clock.wait(3_600.0)
        again = account.run(streams, is_first=is_first, state=run.state or None)
    if again.code != 0:
        wrong.append(f"the next run fails: {again.said()[-1500:]}")
    return [*wrong, *_untrue(account, streams, run, again, is_first=is_first)], server.shown


def _untrue(account: Account, streams: Iterable[str], *runs: Run, is_first: bool) -> Iterator[str]:
    for stream in streams:
        if found := account.differences(stream, *runs, is_first=is_first, in_all=True):
            yield f"{stream}: {str(found)[:400]}"

"""Many cells of the matrix of writing in one run: all operations of a CRM, each kind of question with another fault."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from target_crm.contract import CREATE, UPDATE
from tests.proof.faults import Fault, Told
from tests.proof.groups import SLOW
from tests.proof.operations import ADOPT
from tests.proof.write_cells import Faulty, Judging
from tests.proof.write_faults import WRITE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.proof.cells import Often
    from tests.proof.operations import Bed, Operation
    from tests.proof.seam import Asked, Piece
    from tests.proof.written import Content


#: Of the kinds of questions that write, each so many-th has none of the faults that stay.
EACH = 3
Faults = dict[str, Fault]


@dataclass
class Group:
    """Operations that one run does.

    Attributes:
        bed: the account.
        operations: they.
        knows: whether the journal knows the records that are there.
        kinds: what is asked, in an order that no thread decides: what writes first.
        truth: what is there after a run without a fault.
    """

    bed: Bed
    operations: Sequence[Operation]
    knows: bool
    kinds: Sequence[str]
    truth: Content

    def judge(self, faults: Faults, often: Often, wrong: float = 0.0) -> tuple[list[str], set[str]]:
        """Run through faults; return what is wrong then, and the names of the faults that there were.

        Args:
            faults: by kind of question.
            often: how often each is asked in vain.
            wrong: seconds by which the clock of the target's machine is ahead.
        """
        trial = self.bed.trial(knows=self.knows)
        trial.wrong = wrong
        server = Faulty(trial, faults, often)
        verdict = Judging(trial, self.operations, self.truth, Told.BROKEN).judge(server)
        return verdict.wrong, {faults[kind].name for kind in server.hits}


def groups(bed: Bed) -> Iterator[Group]:
    """Yield the operations of a CRM in groups: several records of each, one of each, what no journal knows."""
    several = [one for one in bed.operations if one.count > 1 and one.action != ADOPT]
    ones = [one for one in bed.operations if one.count == 1 and one.action == UPDATE]
    unknown = [one for one in bed.operations if one.action == ADOPT or (one.count == 1 and one.action == CREATE)]
    for operations in (several, ones, unknown):
        if operations:
            yield _group(bed, operations, knows=operations is not unknown)


def _group(bed: Bed, operations: Sequence[Operation], *, knows: bool) -> Group:
    trial, asked = bed.trial(knows=knows), {}

    def answered(one: Asked) -> Iterable[Piece]:
        asked[bed.kind(one)] = bed.crm.reads(one)
        return trial.server(one)

    done = trial.run(answered, [message for one in operations for message in bed.input(one)])
    assert done.code == 0, done.log
    return Group(bed, operations, knows, sorted(asked, key=lambda one: (asked[one], one)), trial.content())


def names(*told: Told) -> list[str]:
    """Return the names of faults of which so much can be known, without those that take long."""
    return [one.name for one in WRITE_FAULTS.values() if one.told in told and one.name not in SLOW]


def once(of_crm: Sequence[Group]) -> Iterator[tuple[Group, Faults]]:
    """Yield faults by kind of question for groups of operations: each group, and each fault, at least once."""
    known, number = names(Told.BROKEN, Told.HARMLESS), 0
    for group in cycle(of_crm):
        yield group, {kind: WRITE_FAULTS[known[(number + at) % len(known)]] for at, kind in enumerate(group.kinds)}
        number += len(group.kinds)
        if group is of_crm[-1] and number >= len(known):
            return


def for_ever(group: Group) -> Faults:
    """Return faults by kind of question that writes, for some of them."""
    known = names(Told.BROKEN)
    writes = [kind for kind in group.kinds if not kind.startswith("GET") and "search" not in kind]
    return {kind: WRITE_FAULTS[known[5 * at % len(known)]] for at, kind in enumerate(writes) if at % EACH != EACH - 1}

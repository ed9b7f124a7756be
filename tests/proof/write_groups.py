"""Many cells of the matrix of writing in one run: all operations of a CRM, each kind of question with another fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_crm.contract import CREATE, UPDATE
from tests.proof.faults import Told
from tests.proof.groups import SLOW
from tests.proof.operations import ADOPT
from tests.proof.write_cells import Faulty, Judging
from tests.proof.write_faults import WRITE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.proof.cells import Often
    from tests.proof.groups import Faults
    from tests.proof.operations import Bed, Operation
    from tests.proof.seam import Asked, Piece
    from tests.proof.written import Content


#: Of the kinds of questions that write, each so many-th has a fault that stays.
EACH = 2


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

    def judge(self, faults: Faults, often: Often) -> list[str]:
        """Run through faults; return what is wrong then."""
        trial = self.bed.trial(knows=self.knows)
        return Judging(trial, self.operations, self.truth, Told.BROKEN).judge(Faulty(trial, faults, often)).wrong


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


def names(told: Sequence[Told]) -> list[str]:
    """Return the names of faults of which so much can be known."""
    return [one.name for one in WRITE_FAULTS.values() if one.told in told and one.name not in SLOW]


def once(group: Group, first: int) -> Iterator[tuple[int, Faults]]:
    """Yield faults by kind of question, from a number on: each kind, and in the first group each fault, once."""
    known, number = names((Told.BROKEN, Told.HARMLESS)), first
    ends = len(known) + len(SLOW) if first == 0 else 0
    turn = 0
    while turn == 0 or number < ends:
        chosen = {kind: WRITE_FAULTS[known[(number + at) % len(known)]] for at, kind in enumerate(group.kinds)}
        chosen |= {group.kinds[turn % len(group.kinds)]: WRITE_FAULTS[SLOW[turn % len(SLOW)]]}
        number, turn = number + len(group.kinds), turn + 1
        yield number, chosen


def for_ever(group: Group) -> Iterator[Faults]:
    """Yield faults by kind of question that writes: each kind once, each time a part of them."""
    known = names((Told.BROKEN,))
    writes = [kind for kind in group.kinds if not kind.startswith("GET") and "search" not in kind]
    for part in range(EACH):
        yield {kind: WRITE_FAULTS[known[(5 * at + part) % len(known)]] for at, kind in enumerate(writes[part::EACH])}

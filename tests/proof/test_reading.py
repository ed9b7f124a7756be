"""A part of the matrix of reading, with every stream and every fault of each CRM; `./scripts/soak` tries all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proof import cells, groups
from tests.proof.faults import FAULTS, Told

if TYPE_CHECKING:
    from tests.proof.accounts import Account


def test_faults_that_pass_cost_nothing(account: Account, unmeasured: None) -> None:  # noqa: ARG001
    """Each kind of question, each time it is asked first: everything is loaded, exit code 0."""
    shown: set[str] = set()
    for group in groups.once(account):
        wrong, there = groups.judge(account, group, "once")
        assert not wrong, group
        shown |= there
    crm, stream = account.crm.name, account.sample.streams[0]
    for name in sorted({*groups.names(Told.BROKEN, Told.HARMLESS)} - shown):  # its questions were not asked this time
        verdict = cells.judge(account.sample, cell := cells.Cell(crm, stream, name, "once"))
        assert verdict.hits, cell
        assert not verdict.wrong, cell


def test_faults_that_stay_end_their_streams_only(account: Account, unmeasured: None) -> None:  # noqa: ARG001
    """Exit code 1, what is complete is true, and the next run has all of it."""
    for group in groups.for_ever(account):
        wrong, there = groups.judge(account, group, "for ever")
        assert not wrong, group
        assert there


def test_faults_that_take_long_or_may_be_the_truth(account: Account, unmeasured: None) -> None:  # noqa: ARG001
    """Each of them, and one of a question that every run asks: with these, no fault is left out."""
    tried = list(groups.alone(account))
    for cell in tried:
        verdict = cells.judge(account.sample, cell)
        assert verdict.hits, cell
        assert not verdict.wrong, f"./scripts/soak --cell '{cell}'"
    assert {cell.fault for cell in tried} >= {*groups.SLOW, *groups.names(Told.DECEIVING)}
    assert len(FAULTS) == len(groups.SLOW) + sum(len(groups.names(one)) for one in Told)

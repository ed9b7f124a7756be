"""A part of the matrix of writing, with every operation and every fault of each CRM; `./scripts/soak` tries more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_crm.writers import WRITERS
from tests.proof import write_cells, write_deaths, write_groups
from tests.proof.faults import DAY, Told
from tests.proof.operations import Bed, in_memory
from tests.proof.write_cells import Matrix
from tests.proof.write_faults import WRITE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proof.write_groups import Faults, Group

#: Cells in which the matrix found a fault of the target.
FOUND = (
    "copper | update 2 leads | records in another order | for ever | writes",
    "copper | create 1 leads | 429 with nonsense | for ever | writes",
    "copera | adopt 2 sales__people | deep JSON | once | reads",
    "close | create 2 custom_objects | keys as objects | once | reads",
    "copper | delete 2 companies | closed in the body | once | writes",
    "copper | delete 2 related_items | [] | once | reads",
    "close | delete 2 unsubscribed_emails | 503 with Retry-After, carried out | once | writes",
)
#: Cells with faults that take long, or that may be the truth: each of them once.
ALONE = (
    "copper | update 2 leads | stall | once | writes",
    "close | update 2 leads | stall in the body | once | writes",
    "copera | adopt 2 sales__people | slow drip | once | writes",
    "copper | adopt 2 people | [] | once | reads",
    "copper | adopt 2 people | first page again | for ever | reads",
    "close | create 2 custom_objects | no records | once | reads",
    "copera | adopt 2 sales__people | half of the records | once | reads",
    "close | update 2 leads | records of another account | once | writes",
    "close | create 2 custom_objects | answer of an earlier write | once | writes",
)
#: A write that was carried out, and whose answer nobody hears.
LOST = "504 without a body, carried out"
#: Of what operations leave that die, each so many-th is gone on from; `./scripts/soak --of crashes` tries all.
EACH = 12


@pytest.fixture(scope="module", params=WRITERS)
def bed(request: pytest.FixtureRequest) -> Iterator[Bed]:
    """Give an account of each CRM, with records that the target has written, and others."""
    with in_memory() as folder:
        yield Bed(request.param, folder)


@pytest.fixture(scope="module")
def groups(bed: Bed) -> list[Group]:
    """Return all operations of a CRM, in groups."""
    return list(write_groups.groups(bed))


def test_faults_that_pass_double_and_lose_nothing(bed: Bed, groups: list[Group], unmeasured: None) -> None:  # noqa: ARG001
    """Each kind of question, each time it is asked first: all is written once, and the same input writes no more."""
    shown: set[str] = set()
    for group, faults in write_groups.once(groups):
        wrong, there = group.judge(faults, "once")
        assert not wrong, told(bed, faults)
        shown |= there
    for name in sorted({*write_groups.names(Told.BROKEN, Told.HARMLESS)} - shown):  # nobody asked for it this time
        verdict = Matrix(bed).judge(cell := write_cells.Cell(bed.crm.name, str(bed.operations[0]), name, "once"))
        assert verdict.hits, cell
        assert not verdict.wrong, cell
    assert {one for group in groups for one in group.operations} == {*bed.operations}


def test_faults_that_stay_double_nothing_and_the_next_run_writes_the_rest(
    bed: Bed,
    groups: list[Group],
    unmeasured: None,  # noqa: ARG001
) -> None:
    """Exit code 1, and each record is named, written, or taken again."""
    faults = write_groups.for_ever(groups[0])
    wrong, there = groups[0].judge(faults, "for ever")
    assert not wrong, told(bed, faults)
    assert there


@pytest.mark.parametrize("date", [None, "no Date", "Date 10 min ahead", "Date 10 min behind"])
def test_wrong_clocks_double_and_lose_nothing(
    bed: Bed,
    groups: list[Group],
    date: str | None,
    unmeasured: None,  # noqa: ARG001
) -> None:
    """The machine is a day off, each write gets no answer, and what is read tells the time, a wrong one, or none."""
    for number, group in enumerate(groups):
        faults = {kind: WRITE_FAULTS[LOST if writes(kind) else date] for kind in group.kinds if date or writes(kind)}  # type: ignore[index]
        wrong, _ = group.judge(faults, "once", DAY if number % 2 else -DAY)
        assert not wrong, told(bed, faults)


def test_what_the_matrix_found_stays_mended(bed: Bed, unmeasured: None) -> None:  # noqa: ARG001
    """Each cell as it was found; and the faults that are in no group."""
    matrix = Matrix(bed)
    for cell in map(write_cells.parse, (*FOUND, *ALONE)):
        if cell.crm == bed.crm.name:
            verdict = matrix.judge(cell)
            assert verdict.hits, cell
            assert not verdict.wrong, f"./scripts/soak --write-cell '{cell}'"


def test_an_operation_that_dies_is_written_once_by_the_next_run(bed: Bed, unmeasured: None) -> None:  # noqa: ARG001
    """One of each action, at places of each kind."""
    found = {operation.action: operation for operation in bed.operations}
    tried: Counter[str] = Counter()
    for at, operation in enumerate(found.values()):
        counts, wrong = write_deaths.tried(bed, operation, lambda number, at=at: (number - 3 * at) % EACH == EACH // 2)  # type: ignore[misc]
        assert not wrong
        tried += counts
    assert {*tried} == {*write_deaths.KINDS}


def test_a_state_ahead_of_what_is_written_would_be_seen(bed: Bed, unmeasured: None) -> None:  # noqa: ARG001
    """As if the target had passed on its STATE before it sent anything."""
    tape = write_deaths.recorded(bed, bed.operations[0])
    assert tape.judge(replace(tape.images[0], states=[1]))


def test_no_fault_is_left_out() -> None:
    """Each is tried with every CRM in a group, or with one of them alone."""
    alone = {write_cells.parse(one).fault for one in (*FOUND, *ALONE)}
    assert {*WRITE_FAULTS} == {*write_groups.names(Told.BROKEN, Told.HARMLESS), *alone}


def writes(kind: str) -> bool:
    """Tell whether a kind of question changes something."""
    return not kind.startswith("GET") and "search" not in kind


def told(bed: Bed, faults: Faults) -> str:
    """Return what repeats a group: pytest's own name of the test, and the fault of each kind of question."""
    return f"{bed.crm.name}: { ({kind: fault.name for kind, fault in faults.items()}) }"

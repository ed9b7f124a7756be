"""A part of the matrix of writing, with every operation and every fault of each CRM; `./scripts/soak` tries more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_crm.writers import WRITERS
from tests.proof import write_cells, write_groups
from tests.proof.operations import Bed, in_memory
from tests.proof.write_cells import Matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proof.groups import Faults

#: Cells in which the matrix found a fault of the target.
FOUND = (
    "copper | update 2 leads | records in another order | for ever | writes",
    "copper | create 1 leads | 429 with nonsense | for ever | writes",
    "copera | adopt 2 sales__people | deep JSON | once | reads",
    "close | create 2 custom_objects | keys as objects | once | reads",
)


@pytest.fixture(scope="module", params=WRITERS)
def bed(request: pytest.FixtureRequest) -> Iterator[Bed]:
    """Give an account of each CRM, with records that the target has written, and others."""
    with in_memory() as folder:
        yield Bed(request.param, folder)


def test_faults_that_pass_double_and_lose_nothing(bed: Bed, unmeasured: None) -> None:  # noqa: ARG001
    """Each kind of question, each time it is asked first: all is written once, and the same input writes no more."""
    first = 0
    for group in write_groups.groups(bed):
        for number, faults in write_groups.once(group, first):
            first = number
            assert not group.judge(faults, "once"), told(bed, faults)


def test_faults_that_stay_double_nothing_and_the_next_run_writes_the_rest(bed: Bed, unmeasured: None) -> None:  # noqa: ARG001
    """Exit code 1, and each record is named, written, or taken again."""
    group = next(write_groups.groups(bed))
    for faults in write_groups.for_ever(group):
        assert not group.judge(faults, "for ever"), told(bed, faults)


def test_what_the_matrix_found_stays_mended(bed: Bed, unmeasured: None) -> None:  # noqa: ARG001
    """Each cell as it was found."""
    matrix = Matrix(bed)
    for cell in (write_cells.parse(one) for one in FOUND):
        if cell.crm == bed.crm.name:
            assert not matrix.judge(cell).wrong, f"./scripts/soak --write-cell '{cell}'"


def told(bed: Bed, faults: Faults) -> str:
    """Return what repeats a group: pytest's own name of the test, and the fault of each kind of question."""
    return f"{bed.crm.name}: { ({kind: fault.name for kind, fault in faults.items()}) }"

"""`target-crm` that dies anywhere, and goes on: nothing doubled, nothing lost, no STATE ahead of what is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.deaths import CRMS, KINDS, Writing

if TYPE_CHECKING:
    from pathlib import Path

#: Each so many-th place is tried here, of each CRM other ones; `./scripts/soak --of crashes` tries all.
EACH = 16


@pytest.mark.parametrize("name", CRMS)
def test_some_places_of_a_run_that_writes(name: str, tmp_path: Path) -> None:
    """Before and after requests, and at steps of the journal: each with the files as they are then."""
    with CRMS[name]() as crm:
        writing = Writing(name, crm, tmp_path)
        for at, kind in enumerate(KINDS, start=list(CRMS).index(name)):
            assert not writing.everywhere(kind, EACH, 1 + at % EACH)
            assert writing.tried[kind] > 0

"""Whatever happens, in whatever order: `./scripts/soak --of machine` does much more of it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import MACHINES

FEW = settings(
    max_examples=2,
    stateful_step_count=8,
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_loaded_in_the_end_is_what_is_there(name: str, unmeasured: None) -> None:  # noqa: ARG001
    """Changes, runs, deaths, old states, writes and events of an account."""
    run_state_machine_as_test(MACHINES[name], settings=FEW)

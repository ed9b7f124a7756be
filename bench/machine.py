"""The state machine of `tests/proof/machine.py` for thousands of steps, for `./scripts/soak --of machine`."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import MACHINES, Steps

if TYPE_CHECKING:
    from argparse import Namespace

EXAMPLES, STEPS = 10, 40


def soak(names: list[str], options: Namespace) -> int:
    """Do steps for as long as wished, or until there were enough; return how many CRMs showed a fault.

    Each round has a seed of its own, which is printed with the command that repeats it, before it begins.
    """
    logging.disable(logging.INFO)
    ends, number = time.monotonic() + options.minutes * 60, options.seed
    faulty: set[str] = set()
    long = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate],  # to shrink an example of hundreds of steps takes longer than to read it
        suppress_health_check=list(HealthCheck),
    )
    while time.monotonic() < ends and Steps.done < options.steps and len(faulty) < len(names):
        for name in names:
            if name in faulty or time.monotonic() > ends:
                continue
            repeat = f"./scripts/soak --of machine --crm {name} --seed {number} --steps 1"
            print(f"{Steps.done} steps; {repeat}", flush=True)
            try:
                run_state_machine_as_test(seed(number)(type(name, (MACHINES[name],), {})), settings=long)
            except Exception as error:  # noqa: BLE001 - whatever it found is printed, and the other CRMs go on
                faulty.add(name)
                print(f"{name}:", *traceback.format_exception(error), sep="\n", flush=True)
        number += 1
    print(f"{Steps.done} steps")
    return len(faulty)

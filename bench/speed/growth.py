"""Whether a record of a large account costs what one of a small account costs."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.speed.accounts import UNPACED, account, copper_people
from bench.speed.alone import FEW
from bench.speed.builds import only
from bench.speed.page import Found, Table, ratio, seconds
from bench.speed.running import Cost, Failed, said

if TYPE_CHECKING:
    from bench.speed.plan import Plan

HEAD = ("people", "CPU s", "start-up taken off, CPU s", "a record, ms", "to the small account", "peak, MB")


def measure(plan: Plan) -> Found:
    """Read a large and a small account of Copper by this build, round by round.

    Raises:
        Failed: a row is missing.
    """
    build = plan.builds[0]
    costs: dict[int, list[Cost]] = {count: [] for count in (FEW, plan.tenth, plan.many)}
    with ExitStack() as stack:
        served = {count: stack.enter_context(account("copper", copper_people(count))) for count in costs}
        config = {**served[FEW].config, **UNPACED}
        catalog = only(build.discover(config), {"people"}.__contains__)
        for number in range(plan.rounds):
            for count, one in served.items():
                ran = build.run({**one.config, **UNPACED}, catalog)
                if (arrived := ran.written.rows()) != count:
                    raise Failed(f"{arrived:,} of {count:,} people arrived")
                costs[count].append(ran.cost)
                said(f"{count:,} people, round {number + 1}: {ran.cost}")
    cpu = {count: [cost.cpu for cost in some] for count, some in costs.items()}
    start = statistics.median(cpu[FEW])
    each = {count: (statistics.median(some) - start) / count * 1_000 for count, some in cpu.items()}
    rows = [
        (
            f"{count:,}",
            seconds(some),
            f"{statistics.median(some) - start:.2f}",
            f"{each[count]:.4f}" if count != FEW else "-",
            ratio(each[count], each[plan.tenth]) if count != FEW else "-",
            f"{max(cost.peak for cost in costs[count]):.0f}",
        )
        for count, some in cpu.items()
    ]
    note = f"This build. Start-up, {start:.2f} s, is the read of {FEW} people. All people of each account arrived."
    found = Found([Table("A large account beside a small one", HEAD, rows, (note,))])
    found.cpu["large account"] = [(float(count), statistics.median(some)) for count, some in cpu.items()]
    return found

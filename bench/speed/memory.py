"""Memory at its peak: of all streams side by side, and behind a reader that is slow."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from bench.speed.accounts import UNPACED, account, copper_people
from bench.speed.builds import only, tried
from bench.speed.page import Found, Table, ratio, seconds
from bench.speed.running import Failed, said

if TYPE_CHECKING:
    from bench.speed.builds import Ran
    from bench.speed.plan import Plan

HEAD = ("run", "build", "rows", "peak, MB", "CPU s", "wall, s")
SLOW_HEAD = ("reader", "people", "peak, MB", "CPU s", "CPU to the quick reader", "wall, s")


def _everything(crm: str, count: int) -> dict[str, Any]:
    """Return the shape of an account with a lot of everything."""
    if crm == "copper":
        half = dict.fromkeys(("companies", "leads", "opportunities"), count // 2)
        return {"people": count, "activities": count, "tasks": count // 4, "projects": count // 10, **half}
    if crm == "close":
        half = dict.fromkeys(("contacts", "opportunities", "tasks"), count // 2)
        return {"leads": count // 2, "activities": count, "events": count // 4, **half}
    return {"rows": 2 * count}


def _all_streams(plan: Plan) -> Table:
    rows, failed = list[tuple[str, ...]](), list[str]()
    for crm in ("copper", "close", "copera"):
        with account(crm, _everything(crm, plan.all_streams)) as one:
            config = {**one.config, **UNPACED}
            for build in plan.builds:
                ran = tried(build, config, build.discover(config))
                if ran.failed:
                    failed.append(f"{crm.capitalize()}: {ran.failed}")
                    continue
                said(f"all streams of {crm}, {build.name}: {ran.cost}")
                cost = ran.cost
                told = (f"{ran.written.records:,}", f"{cost.peak:.0f}", f"{cost.cpu:.2f}", f"{cost.wall:.0f}")
                rows.append((f"{crm.capitalize()}, as discovered", build.name, *told))
    note = (
        "Every stream that discovery selects, in one run; one round. The peak is VmHWM, as the process itself reads it."
    )
    return Table("Memory of all streams side by side", HEAD, rows, (note, *failed))


def _slow(plan: Plan) -> Table:
    readers = {"quick": math.inf, f"slow: {plan.slow_bytes // 1_000} kB a second": float(plan.slow_bytes)}
    runs: dict[str, list[Ran]] = {}
    build = plan.builds[0]
    with account("copper", copper_people(plan.slow)) as one:
        config = {**one.config, **UNPACED}
        catalog = only(build.discover(config), {"people"}.__contains__)
        for number in range(plan.rounds):
            for reader, speed in readers.items():
                ran = build.run(config, catalog, reader=speed)
                if (arrived := ran.written.rows()) != plan.slow:
                    raise Failed(f"{arrived:,} of {plan.slow:,} people arrived at a reader: {reader}")
                runs.setdefault(reader, []).append(ran)
                said(f"{reader}, round {number + 1}: {ran.cost}")
    rows = []
    for reader, some in runs.items():
        cpu = [one.cost.cpu for one in some]
        quick = statistics.median(one.cost.cpu for one in runs["quick"])
        peak, wall = max(one.cost.peak for one in some), statistics.median(one.cost.wall for one in some)
        told = (f"{peak:.0f}", seconds(cpu), ratio(statistics.median(cpu), quick), f"{wall:.0f}")
        rows.append((reader, f"{plan.slow:,}", *told))
    note = (
        "This build, start-up included. Both take the output through a pipe; the slow one paces itself, so that the "
        "tap must wait."
    )
    return Table("Behind a slow reader", SLOW_HEAD, rows, (note,))


def measure(plan: Plan) -> Found:
    """Measure all."""
    return Found([_all_streams(plan), _slow(plan)])

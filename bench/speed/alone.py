"""The tap alone: CPU by build, start-up shown apart and taken off."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.speed.accounts import UNPACED, account, copper_people
from bench.speed.builds import only
from bench.speed.page import Found, Table, ratio, seconds
from bench.speed.running import Failed, said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.speed.builds import Build, Ran
    from bench.speed.plan import Plan

HEAD = ("read", "rows", "build", "CPU s", "start-up, CPU s", "start-up taken off, CPU s", "to this build", "peak, MB")
#: Rows of an account that is read to see what start-up takes.
FEW = 12


@dataclass(frozen=True)
class Case:
    """What is read.

    Attributes:
        title: for people.
        crm: whose account.
        wanted: tells which streams are read.
        shape: of the account, by the number of rows.
        rows: of the account.
        expected: how many different rows must arrive.
        again: whether it is read once more, unchanged, from the state of the first run.
    """

    title: str
    crm: str
    wanted: Callable[[str], bool]
    shape: Callable[[int], dict[str, Any]]
    rows: int
    expected: int
    again: bool = False


def _close(count: int) -> dict[str, Any]:
    few = {"opportunities": 2, "tasks": 2, "activities": 2, "events": 2, "custom_objects": 2, "comments": 1}
    return {"leads": count, "contacts": count, "leadless_contacts": 0.0, **few}


def _copera(count: int) -> dict[str, Any]:
    return {"rows": count, "comments": 2, "documents": 2}


def cases(plan: Plan) -> list[Case]:
    """Return what is read."""
    return [
        Case("Copper people", "copper", {"people"}.__contains__, copper_people, plan.people, plan.people),
        Case(
            "Close leads and contacts", "close", {"leads", "contacts"}.__contains__, _close, plan.leads, 2 * plan.leads
        ),
        Case("Copera rows", "copera", lambda stream: "__" in stream, _copera, plan.rows, plan.rows, again=True),
    ]


def readings(case: Case, builds: Sequence[Build], rounds: int) -> dict[tuple[str, str], list[tuple[Ran, Ran]]]:
    """Read a case by all builds, round by round.

    Returns:
        By what was read (first, unchanged) and build: runs on the account, each with one on an account of a few rows.

    Raises:
        Failed: a row is missing.
    """
    found: dict[tuple[str, str], list[tuple[Ran, Ran]]] = {}
    with ExitStack() as stack:
        full, few = (stack.enter_context(account(case.crm, case.shape(count))) for count in (case.rows, FEW))
        configs = [{**one.config, **UNPACED} for one in (few, full)]
        catalogs = {build.name: [only(build.discover(config), case.wanted) for config in configs] for build in builds}
        for number in range(rounds):
            arrived = set[int]()
            for build in builds:
                of_both = list(zip(configs, catalogs[build.name], strict=True))
                idle, whole = (build.run(config, catalog) for config, catalog in of_both)
                found.setdefault(("first run", build.name), []).append((whole, idle))
                arrived.add(whole.written.rows())
                if case.again:
                    states = (idle.written.state, whole.written.state)
                    runs = [build.run(*both, state=state) for both, state in zip(of_both, states, strict=True)]
                    found.setdefault(("unchanged", build.name), []).append((runs[1], runs[0]))
                said(f"{case.title}, round {number + 1}, {build.name}: {whole.cost} (start-up {idle.cost.cpu:.2f})")
            if arrived != {case.expected}:
                raise Failed(f"{case.title}: {arrived} rows arrived of {case.expected}")
    return found


def _rows(case: Case, readings: Mapping[tuple[str, str], list[tuple[Ran, Ran]]]) -> list[tuple[str, ...]]:
    """Return the rows of the table."""
    rows, first = list[tuple[str, ...]](), dict[str, float]()
    for (what, build), runs in readings.items():
        whole, idle = [one.cost.cpu for one, _ in runs], [one.cost.cpu for _, one in runs]
        start = statistics.median(idle)
        net = statistics.median(whole) - start
        first.setdefault(what, net)
        title = f"{case.title}, {what}" if case.again else case.title
        told = f"{runs[-1][0].written.rows():,}" if what != "unchanged" else f"{runs[-1][0].written.rows():,} written"
        peak = max(one.cost.peak for one, _ in runs)
        taken_off = (seconds(whole), seconds(idle), f"{net:.2f}", ratio(net, first[what]), f"{peak:.0f}")
        rows.append((title, told, build, *taken_off))
    return rows


def measure(plan: Plan) -> Found:
    """Read each case by all builds."""
    found = Found()
    rows: list[tuple[str, ...]] = []
    for case in cases(plan):
        runs = readings(case, plan.builds, plan.rounds)
        # by what was read first, then by build
        rows += sorted(_rows(case, runs), key=lambda row: row[0])
        if case.title == "Copper people":
            for (_, build), some in runs.items():
                ends = [statistics.median(run[end].cost.cpu for run in some) for end in (1, 0)]
                found.cpu[build] = list(zip((float(FEW), float(case.rows)), ends, strict=True))
    note = (
        f"Median of {plan.rounds} rounds (least to most). Start-up: the same streams of an account that has {FEW} rows "
        "of each, or in all. No latency, no limit; rows that arrive are counted, and a missing one ends the bench."
    )
    found.tables.append(Table("The tap alone", HEAD, rows, (note, *plan.missing)))
    return found

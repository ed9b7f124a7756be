"""The whole crash matrix, for `./scripts/soak --of crashes`: reading, writing and the inbox, every place of each.

Some processes may share it: each has some of its parts, and gives each of these its share of the time that is left.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from tests.contract.crms import CRMS
from tests.proof import crashes, deaths, test_crash_spool, write_deaths
from tests.proof.accounts import Account
from tests.proof.operations import Bed, in_memory

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    #: A part of the matrix.
    Part: TypeAlias = Callable[["Share"], None]

T = TypeVar("T")
#: Streams of a small run. What is read again for each place is as long as the run: many small ones cost less than one.
SMALL = 4


class Table:
    """What was tried and what passed, by operation and kind of place.

    Attributes:
        rows: the counts.
        left: how many places were not tried, since the time was over; of a row whose places nobody has counted, one.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: dict[tuple[str, str], Counter[str]] = {}
        self.left = 0

    def note(self, operation: str, place: str, tried: int, wrong: list[str]) -> None:
        """Count places, and print what is wrong."""
        self.rows.setdefault((operation, place), Counter()).update(tried=tried, passed=tried - len(wrong))
        for one in wrong:
            print(f"{operation}, {place}: {one[:800]}", flush=True)

    def add(self, other: Table) -> None:
        """Take what another process has noted."""
        for place, counts in other.rows.items():
            self.rows.setdefault(place, Counter()).update(counts)
        self.left += other.left

    @property
    def faults(self) -> int:
        """How many places showed a fault."""
        return sum(one["tried"] - one["passed"] for one in self.rows.values())

    def text(self) -> str:
        """Return it in Markdown."""
        lines = ["| operation | the process dies | tried | passed |", "| --- | --- | --- | --- |"]
        lines += [f"| {what} | {place} | {n['tried']} | {n['passed']} |" for (what, place), n in self.rows.items()]
        return "\n".join(lines)


@dataclass
class Share:
    """What a part is given.

    Attributes:
        table: where it notes what it finds.
        folder: for files; empty at first.
        seed: of the order of its places.
        ends: when it has to end.
    """

    table: Table
    folder: Path
    seed: int
    ends: float

    def has_time(self) -> bool:
        """Tell whether there is time for one more place, and count those for which there is none."""
        is_over = time.monotonic() > self.ends
        self.table.left += is_over
        return not is_over

    def shuffled(self, places: Sequence[T]) -> list[T]:
        """Return places in the order of the seed."""
        return random.Random(self.seed).sample(places, len(places))

    def account(self, name: str) -> Account:
        """Return a tiny account of a CRM."""
        account = Account(CRMS[name], self.folder)
        gc.collect()
        gc.freeze()  # processes that are forked look at none of it
        return account


def soak(names: list[str], options: Namespace) -> Table:
    """Try every place for as long as wished, in as many processes as wished."""
    logging.disable(logging.INFO)
    ends = time.monotonic() + options.minutes * 60
    parts = [*_parts(names)]
    table = Table()
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("fork")) as processes:
        jobs = [parts[job :: options.jobs] for job in range(options.jobs)]
        for found in processes.map(partial(_work, options.seed, ends), jobs):
            table.add(found)
    table.rows = dict(sorted(table.rows.items()))
    return table


def _work(seed: int, ends: float, parts: list[Part]) -> Table:
    """Try some parts, one after the other."""
    gc.set_threshold(100_000, 20, 100)  # records are many objects and no garbage
    table = Table()
    for part, end in zip(parts, _shares(ends, len(parts)), strict=False):
        with in_memory() as folder:
            part(Share(table, folder, seed, end))
    return table


def _parts(names: list[str]) -> Iterator[Part]:
    """Yield the parts, those that take longest first."""
    for name in names:
        yield from (partial(_small_runs, name, is_first) for is_first in (True, False))
    for name in names:
        yield from (partial(_all_streams, name, is_first) for is_first in (True, False))
    for name in (one for one in names if one in deaths.CRMS):
        yield partial(_operations, name)
        yield partial(_two_streams, name)
    yield _inbox


def _shares(ends: float, parts: int) -> Iterator[float]:
    """Yield when each of so many parts has to end, so that none takes the time of those after it."""
    for left in range(parts, 0, -1):
        now = time.monotonic()
        yield now + (ends - now) / left


def _inbox(share: Share) -> None:
    counts, wrong = test_crash_spool.tried(share.folder)
    place = "at each statement and commit"
    share.table.note("the inbox: each of its operations", place, sum(counts.values()), wrong)


def _two_streams(name: str, share: Share) -> None:
    """Let a run die that does some of everything, with a STATE after each record."""
    with deaths.CRMS[name]() as crm:
        writing = deaths.Writing(name, crm, share.folder)
        for kind in deaths.KINDS:
            wrong: list[str] = []
            at = 1
            while share.has_time() and (found := writing.die(kind, at)) is not None:
                wrong += found[:1]
                at += 1
            share.table.note(f"{name}: writing, a run of two streams", kind, writing.tried[kind], wrong)


def _operations(name: str, share: Share) -> None:
    """Let each operation die."""
    bed, what = Bed(name, share.folder), f"{name}: writing, each operation"
    for operation in share.shuffled(bed.operations):
        counts, wrong = write_deaths.tried(bed, operation, lambda _: share.has_time())
        for kind, count in counts.items():
            share.table.note(what, kind, count, [])
        if wrong:
            share.table.note(what, "any of these", 0, wrong)


def _all_streams(name: str, is_first: bool, share: Share) -> None:  # noqa: FBT001 - of a part
    """Cut a run of all streams off at each line and each request."""
    account, what = share.account(name), f"{name}: {_named(is_first)} of all streams"
    tape = crashes.recorded(account, account.streams, is_first=is_first)
    findings = crashes.Findings()
    for begun in share.shuffled(tape.resumes):
        if share.has_time():
            crashes.judge(tape, [begun], findings)
    for kind, tried in findings.tried.items():
        share.table.note(what, kind, tried, [])
    if findings.wrong:
        wrong = [f"{lines} lines: {one}" for lines, one in findings.wrong.items()]
        share.table.note(what, "any of these", 0, wrong)


def _small_runs(name: str, is_first: bool, share: Share) -> None:  # noqa: FBT001 - of a part
    """Kill processes at each request of runs of a few streams, and change records before the next run of them."""
    account, what = share.account(name), f"{name}: {_named(is_first)} of {SMALL} streams, each stream in one of them"
    sets = share.shuffled([account.streams[at : at + SMALL] for at in range(0, len(account.streams), SMALL)])
    for streams, end in zip(sets, _shares(share.ends, len(sets)), strict=False):
        share.ends = end
        tape = crashes.recorded(account.of(*streams), streams, is_first=is_first)
        requests = range(1, len(tape.places) // 2 + 1)
        for kind, at in share.shuffled([(kind, at) for kind in (crashes.BEFORE, crashes.AFTER) for at in requests]):
            if share.has_time():
                wrong = [f"{', '.join(streams)}: request {at}: {one}" for one in crashes.judge_killed(tape, kind, at)]
                share.table.note(what, f"{kind}, by a real SIGKILL", 1, wrong[:1])
        for begun in share.shuffled(tape.resumes):
            if share.has_time():
                tried, wrong = crashes.in_a_child(partial(crashes.judge_changed, tape, begun))
                share.table.note(what, "anywhere, and records change before the next run", tried, wrong)


def _named(is_first: bool) -> str:  # noqa: FBT001 - of a part
    return "first run" if is_first else "next run"

"""The whole crash matrix, for `./scripts/soak --of crashes`: reading, writing and the inbox, every place of each."""

from __future__ import annotations

import gc
import logging
import random
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.contract.crms import CRMS
from tests.proof import crashes, deaths, test_crash_spool
from tests.proof.accounts import Account

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

#: Where folders are in memory.
_MEMORY = Path("/dev/shm")  # noqa: S108 - each run has a folder of its own there


class Table:
    """What was tried and what passed, by operation and kind of place."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: dict[tuple[str, str], Counter[str]] = {}

    def note(self, operation: str, place: str, tried: int, wrong: list[str]) -> None:
        """Count places, and print what is wrong."""
        self.rows.setdefault((operation, place), Counter()).update(tried=tried, passed=tried - len(wrong))
        for one in wrong:
            print(f"{operation}, {place}: {one[:800]}", flush=True)

    @property
    def faults(self) -> int:
        """How many places showed a fault."""
        return sum(one["tried"] - one["passed"] for one in self.rows.values())

    def text(self) -> str:
        """Return it in Markdown."""
        lines = ["| operation | the process dies | tried | passed |", "| --- | --- | --- | --- |"]
        lines += [f"| {what} | {place} | {n['tried']} | {n['passed']} |" for (what, place), n in self.rows.items()]
        return "\n".join(lines)


def soak(names: list[str], options: Namespace) -> Table:
    """Try every place, the CRMs in turn, for as long as wished."""
    logging.disable(logging.INFO)
    table, ends = Table(), time.monotonic() + options.minutes * 60
    where = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        counts, wrong = test_crash_spool.tried(_made(Path(folder) / "inbox"))
        table.note("the inbox: each of its operations", "at each statement and commit", sum(counts.values()), wrong)
        written = [name for name in names if name in deaths.CRMS]
        shares = _shares(ends, len(written) + len(names))
        for name, end in zip(written, shares, strict=False):
            _write(name, _made(Path(folder) / f"{name} writing"), table, end)
        for name, end in zip(names, shares, strict=False):
            _read(name, _made(Path(folder) / name), table, options.seed, end)
    return table


def _shares(ends: float, parts: int) -> Iterator[float]:
    """Yield when each of so many parts has to end, so that none takes the time of those after it."""
    for left in range(parts, 0, -1):
        now = time.monotonic()
        yield now + (ends - now) / left


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _write(name: str, folder: Path, table: Table, ends: float) -> None:
    with deaths.CRMS[name]() as crm:
        writing = deaths.Writing(name, crm, folder)
        for kind in deaths.KINDS:
            wrong: list[str] = []
            at = 1
            while time.monotonic() < ends and (found := writing.die(kind, at)) is not None:
                wrong += found[:1]
                at += 1
            table.note(f"{name}: writing", kind, writing.tried[kind], wrong)


def _read(name: str, folder: Path, table: Table, seed: int, ends: float) -> None:
    account = Account(CRMS[name], folder)
    shares = _shares(ends, 6)  # three ways to die, of two runs
    for is_first in (True, False):
        tape = crashes.recorded(account, account.streams, is_first=is_first)
        what = f"{name}: {'first' if is_first else 'next'} run"
        gc.collect()
        gc.freeze()  # the processes that are forked look at none of it
        resumes = [*tape.resumes]
        random.Random(seed).shuffle(resumes)
        findings = crashes.Findings()
        end = next(shares)
        for begun in resumes:
            if time.monotonic() < end:
                crashes.judge(tape, [begun], findings)
        for kind, tried in findings.tried.items():
            table.note(what, kind, tried, [])
        if findings.wrong:
            table.note(what, "any of these", 0, [f"{lines} lines: {one}" for lines, one in findings.wrong.items()])
        end = next(shares)
        for begun in resumes:
            if time.monotonic() < end:
                tried, wrong = crashes.in_a_child(partial(crashes.judge_changed, tape, begun))
                table.note(what, "anywhere, and records change before the next run", tried, wrong)
        requests = [
            (kind, at) for kind in (crashes.BEFORE, crashes.AFTER) for at in range(1, len(tape.places) // 2 + 1)
        ]
        random.Random(seed).shuffle(requests)
        end = next(shares)
        for kind, at in requests:
            if time.monotonic() < end:
                wrong = crashes.judge_killed(tape, kind, at)
                table.note(what, f"{kind}, by a real SIGKILL", 1, [f"request {at}: {one}" for one in wrong[:1]])

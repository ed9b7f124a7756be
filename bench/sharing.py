"""Shares cells of a matrix among processes: each has the accounts that this one has read, and every so-many-th cell."""

from __future__ import annotations

import gc
import multiprocessing
import queue
import shutil
import time
import traceback
from typing import TYPE_CHECKING, TypeAlias

from tests.proof.cells import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.queues import Queue
    from pathlib import Path

    #: What tries a cell, with its files in a folder.
    Judge: TypeAlias = Callable[[Path], Verdict]
    #: The number of a cell and what it showed; None: a process has nothing more to try.
    Told: TypeAlias = "tuple[int, Verdict] | None"

#: Seconds after which it is looked at whether the processes are still there.
LOOKS = 5.0


def judged(judges: Sequence[Judge], folder: Path, jobs: int, ends: float) -> Iterator[tuple[int, Verdict]]:
    """Try cells until all are tried or the time is over; yield the number of each and what it showed, as they come.

    Args:
        judges: what tries each cell.
        folder: each process has one of its own in it, which is empty before each cell.
        jobs: how many processes.
        ends: of the time, as ``time.monotonic`` has it.
    """
    gc.set_threshold(100_000, 20, 100)  # records are many objects and no garbage
    gc.collect()
    gc.freeze()  # the processes look at none of what is here already
    forking = multiprocessing.get_context("fork")
    told: Queue[Told] = forking.Queue()
    workers = [
        forking.Process(target=_work, args=(judges, range(job, len(judges), jobs), folder / f"job {job}", ends, told))
        for job in range(jobs)
    ]
    for worker in workers:
        worker.start()
    at_work = jobs
    while at_work:
        try:
            one = told.get(timeout=LOOKS)
        except queue.Empty:
            if not any(worker.is_alive() for worker in workers):
                raise RuntimeError("a process ended without a word") from None
            continue
        if one is None:
            at_work -= 1
        else:
            yield one
    for worker in workers:
        worker.join()


def _work(judges: Sequence[Judge], numbers: range, folder: Path, ends: float, told: Queue[Told]) -> None:
    try:
        for number in numbers:
            if time.monotonic() > ends:
                break
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            told.put((number, _verdict(judges[number], folder)))
    finally:
        told.put(None)


def _verdict(judge: Judge, folder: Path) -> Verdict:
    """Return what a cell showed; that it could not be tried is no reason to end."""
    try:
        return judge(folder)
    except Exception:  # noqa: BLE001 - it is told, and the others are tried
        return Verdict([f"the proof itself failed: {traceback.format_exc()[-500:]}"])

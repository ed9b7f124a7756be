"""Answers and requests of two gigabytes, in every form, for `./scripts/soak --of floods`: how much memory they take."""

from __future__ import annotations

import logging
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tests.contract.crms import CRMS
from tests.proof import flooded
from tests.proof.accounts import Account
from tests.proof.floods import ALL_FORMS, FORMS, Form
from tests.proof.written import CRMS as WRITTEN

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from tests.proof.flooded import Found

    #: The process, what is so large, and what tries it in a folder.
    Try: TypeAlias = tuple[str, str, Callable[[Path], Found]]

#: The stream of each CRM whose answers are kept in a file, since they may be large.
SPOOLED = {"copera": "sales__leads"}


def soak(names: list[str], options: Namespace) -> tuple[str, int]:
    """Try each form, for as long as wished; return a table and how many were not as they must be."""
    logging.disable(logging.INFO)
    lines = ["| process | what is 2 GB | as it must be | memory at most |", "| --- | --- | --- | --- |"]
    faults, left, ends = 0, 0, time.monotonic() + options.minutes * 60
    for process, what, act in _tries(names):
        if time.monotonic() > ends:
            left += 1
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = act(Path(folder))
        faults += bool(found.wrong)
        for one in found.wrong:
            print(f"{process}, {what}: {one[:800]}", flush=True)
        lines.append(f"| {process} | {what} | {'no' if found.wrong else 'yes'} | {found.peak // 1_000_000} MB |")
        print(lines[-1], flush=True)
    return "\n".join([*lines, *([f"\n{left} were not tried."] if left else [])]), faults


def _tries(names: list[str]) -> Iterator[Try]:
    yield "receiver", "events of each CRM, each form", flooded.receiving
    for form in ALL_FORMS:
        for name in names:
            yield f"tap, {name}", f"answers of some streams: {form}", partial(_read, name, form)
            if name in WRITTEN:
                yield f"target, {name}", f"answers to an update and what it asks: {form}", partial(_write, name, form)
            if name in SPOOLED and form in FORMS:
                yield f"tap, {name}", f"a table, which is kept in a file: {form}", partial(_read_table, name, form)


def _read(name: str, form: Form, folder: Path) -> Found:
    return flooded.reading(Account(CRMS[name], folder), flooded.STREAMS[name], (form,))


def _read_table(name: str, form: Form, folder: Path) -> Found:
    return flooded.reading(Account(CRMS[name], folder), (SPOOLED[name],), (form,), flooded.NO_LIST)


def _write(name: str, form: Form, folder: Path) -> Found:
    return flooded.writing(name, folder, (form, form))

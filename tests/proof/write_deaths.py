"""The crash matrix of every write operation: what a run leaves that dies at any moment, and the run that goes on then.

A process that dies leaves its files, the states that it passed on, and what the CRM has carried out. So a run is made
once, and all of these are kept before each request, after each one that was carried out, and at each statement and
commit of the journal. From each of them another run goes on.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_crm.contract import CREATE
from target_crm.journal.journal import Journal
from tests.proof.images import copied, each_step
from tests.proof.operations import ADOPT, numbered
from tests.proof.write_cells import Faulty, difference
from tests.proof.written import copy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox.simulator import Simulator
    from tests.proof.operations import Bed, Operation, Outcome, Trial
    from tests.proof.seam import Asked, Piece
    from tests.proof.written import Content, Record

BEFORE, AFTER, STEP = "before a request", "after a write is carried out, before its answer", "at a step of the journal"
KINDS = (BEFORE, AFTER, STEP)
#: Of SQLite's files, the one that says nothing: it is made anew of the others.
_INDEX = "-shm"


@dataclass(frozen=True)
class Image:
    """What there is if the process dies at some places, which leave the same.

    Attributes:
        places: how often it is what a place of a kind leaves.
        name: of the first of these places.
        app: the account.
        folder: the files.
        states: those that were passed on.
    """

    places: Counter[str]
    name: str
    app: Simulator
    folder: Path
    states: list[int]


@dataclass
class Tape:
    """A run of an operation without a fault, and what it leaves wherever it dies.

    Attributes:
        bed: the account.
        operation: what is done.
        images: all that differ, in order.
        truth: what the account has in the end.
        later: seconds after the beginning at which another run begins.
    """

    bed: Bed
    operation: Operation
    images: list[Image] = field(default_factory=list)
    truth: Content = field(default_factory=dict)
    later: float = 0.0

    @property
    def given(self) -> list[Record]:
        """What the target is given."""
        return numbered(self.bed.input(self.operation), 1)

    def judge(self, image: Image) -> list[str]:
        """Go on from there, and return what is wrong then."""
        trial = self.bed.resumed(copy_of(image.app), image.folder, self.later)
        given = self.given
        schemas = [message for message in given if message["type"] == "SCHEMA"]
        done = trial.run(trial.server, schemas if image.states else given)
        return [f"{self.operation}, {image.name}: {one}" for one in self._wrong(trial, done, given)]

    def _wrong(self, trial: Trial, done: Outcome, given: list[Record]) -> Iterator[str]:
        content = trial.content()
        if done.code not in (0, 1) or "Traceback" in done.log:
            yield f"the next run ends with {done.code}: {done.log[-900:]}"
        for name, rows in content.items():
            for row, count in (rows - (self.bed.content[name] | self.truth[name])).items():
                yield f"{count} too many of {name}: {row[:300]}"
        may_be_open = self.operation.action == CREATE and not self.operation.is_certain
        unknown = [line for line in done.lines if line["outcome"] == "unknown"]
        if done.code and not (may_be_open and unknown and self.operation.stream in done.last):
            yield f"the next run ends with {done.code}: {done.last[:300]}; {dict(done.outcomes)}"
        if done.code:
            return
        if differs := difference(self.truth, content):
            yield f"exit 0, and the CRM has not what was to be written: {differs}"
        with closing(Journal(str(trial.journal), exclusive=False)) as journal:
            if journal.has_open(self.operation.stream):
                yield "exit 0, and the journal has open writes"
        again = Faulty(trial, {})
        last = trial.run(again, given)
        if last.code or again.writes or difference(self.truth, trial.content()):
            yield f"the same input again: exit {last.code}, {again.writes} writes; {dict(last.outcomes)}"


@dataclass
class _Keeping:
    """Answers, and keeps what is there at each place."""

    tape: Tape
    trial: Trial
    lock: Any = field(default_factory=threading.RLock)
    writes: int = 0
    _apps: dict[int, Simulator] = field(default_factory=dict)
    _last: object = None

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        bed = self.trial.bed
        with self.lock:
            self.keep(BEFORE, bed.kind(asked))
            whole = self.trial.server(asked)
            if not bed.crm.reads(asked):
                self.writes += 1
                self.keep(AFTER, bed.kind(asked))
            return whole

    def step(self, name: str) -> None:
        """Keep what is there at a step of the journal."""
        with self.lock:
            self.keep(STEP, name)

    def keep(self, kind: str, name: str) -> None:
        """Keep what a process would leave that dies now."""
        passed = sys.stdout.buffer.getvalue()  # type: ignore[union-attr] # what is not flushed is lost
        files = {one.name: one.read_bytes() for one in self.trial.folder.iterdir() if not one.name.endswith(_INDEX)}
        found = files, passed, self.writes
        images = self.tape.images
        if found != self._last:
            if self.writes not in self._apps:
                self._apps[self.writes] = copy_of(self.trial.app)
            folder = copied(self.trial.folder, self.tape.bed.folder / "images" / f"{len(images)}")
            states = [json.loads(line)["at"] for line in passed.decode().splitlines()]
            images.append(Image(Counter(), f"{kind} ({name})", self._apps[self.writes], folder, states))
            self._last = found
        images[-1].places[kind] += 1


def recorded(bed: Bed, operation: Operation) -> Tape:
    """Run an operation, and keep what it leaves wherever it dies."""
    images = bed.folder / "images"
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir()
    tape = Tape(bed, operation)
    trial = bed.trial(knows=operation.action != ADOPT)
    keeping = _Keeping(tape, trial)
    with each_step(keeping.step):
        done = trial.run(keeping, tape.given)
    assert (done.code, done.states) == (0, [1]), done.log
    tape.truth, tape.later = trial.content(), trial.ahead
    return tape


def tried(bed: Bed, operation: Operation, is_wanted: Callable[[int], bool]) -> tuple[Counter[str], list[str]]:
    """Let an operation die at the places that are wanted; return how many there were, and what is wrong."""
    tape, counts, wrong = recorded(bed, operation), Counter[str](), []
    for number, image in enumerate(tape.images):
        if is_wanted(number):
            counts += image.places
            wrong += tape.judge(image)[:1]
    return counts, wrong

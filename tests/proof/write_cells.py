"""The cells of the matrix of writing: an operation, a fault, how often; each is some runs, and what must hold then."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from target_crm.contract import CREATE, DELETE
from target_crm.journal.journal import Journal
from tests.proof.cells import LONGEST, SOON, Often, Verdict, small_answers
from tests.proof.faults import Moment, Told
from tests.proof.operations import ADOPT, numbered
from tests.proof.write_faults import WRITE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.proof.faults import Fault
    from tests.proof.operations import Bed, Operation, Outcome, Trial
    from tests.proof.seam import Asked, Piece, Response
    from tests.proof.written import Content, Record

Where = Literal["writes", "reads"]
#: Runs without a fault after which a false answer that was believed has left no trace.
NEXT_RUNS = 3
#: How a run ends before it writes anything, since the CRM says that it has no field of the name that a setting has.
A_SETTING = "the setting `streams."


@dataclass(frozen=True)
class Cell:
    """What is tried.

    Attributes:
        crm: the CRM.
        operation: its name.
        fault: its name.
        often: ``once`` hits each question the first time that it is asked, ``for ever`` each time.
        where: whether the requests are hit that write, or all the others.
    """

    crm: str
    operation: str
    fault: str
    often: Often
    where: Where = "writes"

    def __str__(self) -> str:
        """Name it as `./scripts/soak --write-cell` takes it."""
        return f"{self.crm} | {self.operation} | {self.fault} | {self.often} | {self.where}"


@dataclass
class Faulty:
    """Answers as the account does, but for the questions that are hit.

    Attributes:
        trial: the account.
        faults: the fault of each kind of question that is hit.
        often: whether a question is hit the first time that it is asked only.
        hits: how many answers of each kind had the fault.
        writes: how many requests there were that write.
    """

    trial: Trial
    faults: Mapping[str, Fault]
    often: Often = "once"
    hits: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    _seen: set[tuple[str, str, bytes]] = field(default_factory=set)
    _before: defaultdict[str, list[Response]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        bed = self.trial.bed
        kind = bed.kind(asked)
        self.writes += not bed.crm.reads(asked)
        question = asked.method, asked.target, asked.body
        fault = self.faults.get(kind)
        is_hit = fault is not None and not (self.often == "once" and question in self._seen)
        self._seen.add(question)
        before = self._before[kind]
        if fault is None or not is_hit:
            whole = self.trial.server.respond(asked)
            before.append(whole)
            return whole.pieces()
        self.hits[kind] += 1
        return fault.make(Moment(asked, self.trial.server, before, self.trial.other, time.time()))


class Matrix:
    """The cells of a CRM.

    Args:
        bed: its account.
    """

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self._kinds: dict[str, dict[Where, frozenset[str]]] = {}
        self._truth: dict[str, Content] = {}
        self._operations = {str(one): one for one in bed.operations}

    def cells(self) -> Iterator[Cell]:
        """Yield every cell: each operation, each fault of its writes and of what is read for it, once and for ever."""
        for operation in self._operations:
            for where in ("writes", "reads"):
                for fault in WRITE_FAULTS if where == "writes" else _of_reads():
                    for often in ("once", "for ever"):
                        yield Cell(self.bed.crm.name, operation, fault, often, where)

    def kinds(self, operation: Operation) -> dict[Where, frozenset[str]]:
        """Return the kinds of questions that are asked for an operation, and for nothing else."""
        self._learn(operation)
        return self._kinds[str(operation)]

    def _learn(self, operation: Operation) -> None:
        """Find out what a run without a fault asks, and what it leaves."""
        if str(operation) in self._truth:
            return
        asked: dict[str, bool] = {}
        beside: set[str] = set()
        bed = self.bed
        for kept, given in ((beside, bed.beside(operation.stream)), (set[str](), bed.input(operation))):
            trial = bed.trial(knows=operation.action != ADOPT)

            def answered(
                one: Asked, kept: set[str] = kept, trial: Trial = trial, seen: dict[str, bool] = asked
            ) -> Iterable[Piece]:
                kept.add(bed.kind(one))
                seen[bed.kind(one)] = bed.crm.reads(one)
                return trial.server(one)

            done = trial.run(answered, given)
            assert done.code == 0, done.log
        done = trial.run(trial.server, bed.beside(operation.stream))
        assert done.code == 0, done.log
        own = {kind: reads for kind, reads in asked.items() if kind not in beside}
        self._truth[str(operation)] = trial.content()
        self._kinds[str(operation)] = {
            "writes": frozenset(kind for kind, reads in own.items() if not reads),
            "reads": frozenset(kind for kind, reads in own.items() if reads),
        }

    def judge(self, cell: Cell) -> Verdict:
        """Try a cell, and say what it showed."""
        operation = self._operations[cell.operation]
        hit = self.kinds(operation)[cell.where]
        trial = self.bed.trial(knows=operation.action != ADOPT)
        fault = WRITE_FAULTS[cell.fault]
        server = Faulty(trial, dict.fromkeys(hit, fault), cell.often)
        may_lack = cell.where == "writes" and fault.told is Told.DECEIVING and not fault.effect
        is_denied = cell.where == "reads" and fault.told is Told.DECEIVING
        counts_as_gone = is_denied and operation.action == DELETE and cell.often == "for ever"
        may_lack = may_lack or counts_as_gone
        judging = Judging(trial, [operation], self._truth[str(operation)], fault.told, may_lack=may_lack)
        judging.may_double = is_denied and operation.action == ADOPT
        judging.is_named = not counts_as_gone
        return judging.judge(server)


def _of_reads() -> list[str]:
    """Return the faults that an answer to a question can have which changes nothing."""
    return [name for name, fault in WRITE_FAULTS.items() if "carried out" not in name and "write" not in name]


def parse(text: str) -> Cell:
    """Return the cell of a name, as `str` of one gives it."""
    crm, operation, fault, often, where = text.split(" | ")
    return Cell(crm, operation, fault, often, where)  # type: ignore[arg-type] # as `str` gives them


@dataclass
class Judging:
    """Runs the target through faults, and then without.

    Attributes:
        trial: the account.
        operations: what is to be done.
        truth: what the account has after a run without a fault.
        told: what can be known of the answers with a fault.
        may_double: whether each answer to a look-up denies that a record is there which no journal knows.
        may_lack: whether the answer of a success came though nothing was carried out, or each answer denies that there
            is what is to be deleted, which nobody can tell.
        is_named: what is lacking shows by the same input: not what counts as deleted, and is known by its id alone.
    """

    trial: Trial
    operations: Sequence[Operation]
    truth: Content
    told: Told
    may_lack: bool = False
    may_double: bool = False
    is_named: bool = True
    wrong: list[str] = field(default_factory=list)

    def judge(self, server: Faulty) -> Verdict:
        """Run, and say what is wrong after it."""
        bed = self.trial.bed
        before = bed.content
        own = [message for one in self.operations for message in bed.input(one)]
        beside = bed.beside(self.operations[0].stream) if len(self.operations) == 1 else []
        given = [*numbered(own, 1), *numbered(beside, 2)]
        began = time.process_time()
        with small_answers():
            first = self.trial.run(server, given)
        if (took := time.process_time() - began) > LONGEST:
            self.wrong.append(f"took {took:.0f} s of a processor")
        if first.took > SOON:
            self.wrong.append(f"ended only after {first.took:.0f} s")
        content = self.trial.content()
        self._any_run(first)
        self._nothing_doubled(before, content)
        is_open = self._may_stay_unknown(first, server)
        differs = difference(self.truth, content)
        is_deceived = self.told is Told.DECEIVING
        if first.code == 0 and differs and not is_deceived:
            self.wrong.append(f"exit 0, and the CRM has not what was to be written: {differs}")
        if first.code == 0 and not is_deceived and (opened := self._opened()):
            self.wrong.append(f"exit 0, and the journal has open writes of {opened}")
        if first.code != 0:
            self._failure(first, server, content, is_open=is_open)
        if first.code or differs:
            self._next_runs(first, own, beside, before, is_open=is_open)
        else:
            self._same_again([*own, *beside])
        if self.wrong:
            self.wrong.append(f"ended with {first.code}: {first.last[:300]}; {dict(first.outcomes)}")
            self.wrong += [str(line)[:300] for line in first.lines if line["outcome"] in ("unknown", "rejected")][:3]
        return Verdict(self.wrong, is_deceived and first.code == 0 and bool(differs), server.hits.total())

    def _any_run(self, run: Outcome) -> None:
        """Tell what no run may do, whatever it is answered."""
        if run.code not in (0, 1):
            self.wrong.append(f"exit code {run.code}")
        if "Traceback" in run.log or "unexpected" in run.log:
            self.wrong.append(f"a traceback: {run.log[run.log.find('Traceback') :][-900:]}")
        if self.trial.bed.crm.credentials["api_key"] in run.log:
            self.wrong.append("the log shows the key")

    def _nothing_doubled(self, before: Content, content: Content) -> None:
        """Tell of rows that are there more often than meant, and of those that nobody meant."""
        for name, rows in content.items():
            for row, count in rows.items():
                most = max(before[name][row], self.truth[name][row]) + self.may_double
                if count > most:
                    self.wrong.append(f"{count} of {name} instead of {most} at most: {row[:300]}")

    def _may_stay_unknown(self, run: Outcome, server: Faulty) -> bool:
        """Tell whether what became of a create cannot be found out: the CRM cannot be asked for it."""
        kinds = {one.stream for one in self.operations if one.action == CREATE and not one.is_certain}
        return bool(server.hits) and any(line["outcome"] == "unknown" and line["stream"] in kinds for line in run.lines)

    def _opened(self) -> list[str]:
        with closing(Journal(str(self.trial.journal), exclusive=False)) as journal:
            return sorted({one.stream for one in self.operations if journal.has_open(one.stream)})

    def _failure(self, run: Outcome, server: Faulty, content: Content, *, is_open: bool) -> None:
        """Tell what is wrong with an exit code 1."""
        if not any(one.stream in run.last for one in self.operations):
            self.wrong.append("the line by which it ended names no stream")
        if server.often == "once" and self.told is not Told.DECEIVING and not is_open:
            self.wrong.append("a fault that passes ended the run")
        if self.told is Told.HARMLESS:
            self.wrong.append("a fault that matters to nobody ended the run")
        is_of_settings = self.told is Told.DECEIVING and A_SETTING in run.last
        if len(self.operations) == 1 and not is_of_settings:
            other = self.trial.bed.companion(self.operations[0].stream)
            if found := difference({other: self.truth[other]}, {other: content[other]}):
                self.wrong.append(f"{other} is not written: {found}")

    def _next_runs(
        self, first: Outcome, own: list[Record], beside: list[Record], before: Content, *, is_open: bool
    ) -> None:
        """Go on without the fault, from the last state: what was to be written is there then, each once."""
        if self.may_double:
            return  # what was made anew is there twice, and nothing tells
        passed = max(first.states, default=0)
        left = [[*numbered(own, 1), *numbered(beside, 2)], numbered(beside, 2), []][passed]
        declared = [message for message in own if message["type"] == "SCHEMA"]
        runs = []
        for number in range(NEXT_RUNS if self.told is Told.DECEIVING else 1):
            runs.append(self.trial.run(self.trial.server, left if number == 0 and left else declared))
            content = self.trial.content()
            self._any_run(runs[-1])
            self._nothing_doubled(before, content)
            differs = difference(self.truth, content)
            if runs[-1].code == 0 and not differs:
                break
        else:
            if self.may_lack:
                if self.is_named:
                    self._named(own)
                return
            is_told = all(run.code != 0 for run in (first, *runs)) and (is_open or self.told is Told.DECEIVING)
            if not is_told:
                self.wrong.append(
                    f"the next run ends with {runs[-1].code}: {runs[-1].last[:300]}; {dict(runs[-1].outcomes)}; "
                    f"the CRM has not what was to be written: {differs}"
                )
            return
        self._same_again([*own, *beside])

    def _named(self, own: list[Record]) -> None:
        """Tell what the same input shows of records that were never written, though the CRM said so."""
        again = self.trial.run(self.trial.server, own)
        differs = difference(self.truth, self.trial.content())
        if again.code == 0 and differs:
            self.wrong.append(f"the same input again ends with 0, and the CRM has not what was written: {differs}")

    def _same_again(self, given: list[Record]) -> None:
        """Tell of writes that the same input makes once all is written."""
        again = Faulty(self.trial, {})
        last = self.trial.run(again, given)
        if last.code != 0 or again.writes:
            self.wrong.append(f"the same input again: exit {last.code}, {again.writes} writes; {dict(last.outcomes)}")
        if differs := difference(self.truth, self.trial.content()):
            self.wrong.append(f"after the same input again, the CRM has not what was to be written: {differs}")


def difference(truth: Content, content: Content) -> str:
    """Return how what is there differs from what has to be; "" where it does not."""
    parts = []
    for name, rows in truth.items():
        lost, more = rows - content[name], content[name] - rows
        parts += [f"{name} lacks {count} of {row[:200]}" for row, count in sorted(lost.items())[:2]]
        parts += [f"{name} has {count} too many of {row[:200]}" for row, count in sorted(more.items())[:2]]
    return "; ".join(parts)

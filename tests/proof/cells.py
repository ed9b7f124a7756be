"""The cells of the matrix of reading: a stream, a fault, how often; each is a run, and what must be true after it."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tap_crm.transport import body
from tests.proof.accounts import by_template, template
from tests.proof.faults import FAULTS, Fault, Moment, Told, ignoring, parameters
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.proof.accounts import Account
    from tests.proof.seam import Asked, Piece, Response, Server
    from tests.singer import Run

Often = Literal["once", "for ever"]
#: Seconds by which a stream that stays broken is given up, in the time of the run: some questions, each retried.
SOON = 4 * 3_600.0
#: Runs without the fault after which a false answer that was believed has left no trace.
NEXT_RUNS = 4
#: After a run that failed for want of records, the next one marks none as deleted: the run after it does.
RUNS_UNTIL_MARKED = 3
#: False answers that show nothing: records are there, and they are records of the kind that was asked for.
BELIEVABLE = ("half of the records", "records of another account", "first page again")
#: What an answer of a log leaves out is told by nothing that comes later.
LOGS = frozenset({"close events"})
#: How a run ends that was told of another account than the first one.
ANOTHER_ACCOUNT = "the state is of another account"
#: Seconds of a processor that a run may take: how busy the machine is otherwise is not its fault.
LONGEST = 30.0


@dataclass(frozen=True)
class Cell:
    """What is tried.

    Attributes:
        crm: the CRM.
        stream: the stream with the fault.
        fault: its name.
        often: ``once`` hits each question the first time that it is asked, ``for ever`` each time.
        is_first: whether the run has no state.
        only: the one kind of question that is hit; empty means all of the stream.
    """

    crm: str
    stream: str
    fault: str
    often: Often
    is_first: bool = False
    only: str = ""

    def __str__(self) -> str:
        """Name it as `./scripts/soak --cell` takes it."""
        begun = "first" if self.is_first else "next"
        return " | ".join((self.crm, self.stream, self.fault, self.often, begun, *([self.only] if self.only else [])))


@dataclass
class Faulty:
    """Answers as the sandbox does, but for the questions that are hit.

    Attributes:
        account: the account.
        faults: those of each kind of question that is hit, in turn.
        often: whether a question has each of them once, when it is asked first, or they begin anew.
        hits: how many answers of each kind had a fault.
        shown: names of the faults that there were.
    """

    account: Account
    faults: Mapping[str, Sequence[Fault]]
    often: Often
    hits: Counter[str] = field(default_factory=Counter)
    shown: set[str] = field(default_factory=set)
    _lied: set[tuple[str, str, bytes]] = field(default_factory=set)
    _asked: Counter[tuple[str, str, bytes]] = field(default_factory=Counter)
    _before: defaultdict[str, list[Response]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        kind = template(asked, self.account.base_path)
        fault = self._fault(kind, asked)
        before = self._before[asked.path]
        if fault is None:
            whole = self.account.server.respond(asked)
            before.append(whole)
            return whole.pieces()
        self.hits[kind] += 1
        self.shown.add(fault.name)
        self._lied.add((asked.method, asked.target, asked.body))
        if not before and fault.name == "first page again":
            before.append(self.account.server.respond(asked))
        return fault.make(Moment(asked, self.account.server, before, self.account.other, time.time()))

    @property
    def is_asked_again(self) -> bool:
        """Whether each question that was answered with a fault was asked more than once."""
        return all(self._asked[question] > 1 for question in self._lied)

    def _fault(self, kind: str, asked: Asked) -> Fault | None:
        """Return the fault that a question has this time."""
        faults, question = self.faults.get(kind, ()), (asked.method, asked.target, asked.body)
        turn = self._asked[question]
        self._asked[question] += 1
        if not faults or (self.often == "once" and turn >= len(faults)):
            return None
        return faults[turn % len(faults)]


@dataclass
class Verdict:
    """What a cell showed.

    Attributes:
        wrong: what must not be; empty where nothing is.
        deceived: a false answer that may be the truth was taken for it, and the next run put that right.
        hits: how many answers had the fault.
    """

    wrong: list[str] = field(default_factory=list)
    deceived: bool = False
    hits: int = 0


def fault_of(cell: Cell) -> Fault:
    """Return the fault of a cell: one of the list, or a parameter that is ignored."""
    if cell.fault.startswith("ignored "):
        return Fault(cell.fault, ignoring(cell.fault.removeprefix("ignored ")), Told.DECEIVING)
    return FAULTS[cell.fault]


def judge(account: Account, cell: Cell) -> Verdict:
    """Try a cell, and say what it showed."""
    fault, verdict = fault_of(cell), Verdict()
    templates = frozenset([cell.only]) if cell.only else frozenset(account.own(cell.stream))
    is_shared = templates <= account.common
    companions = account.companions(cell.stream)
    server = Faulty(account, dict.fromkeys(templates, (fault,)), cell.often)
    run, wrong = timed(lambda: account.run((cell.stream, *companions), is_first=cell.is_first), server)
    verdict.hits = server.hits.total()
    verdict.wrong += [*wrong, *of_any_run(account, run)]
    if not is_shared:
        verdict.wrong += _of_others(account, cell, companions, run)
    differs = _differences(account, cell, cell.stream, run)
    verdict.deceived = run.code == 0 and bool(differs) and fault.told is Told.DECEIVING
    if run.code == 0 and differs and not verdict.deceived:
        verdict.wrong.append(f"exit 0, and the rows are not what the CRM has: {differs}")
    if run.code != 0:
        verdict.wrong += _of_a_failure(cell, fault, run, is_shared=is_shared)
    if not (verdict.deceived and _is_beyond_doubt(cell, run, server)):
        verdict.wrong += _wrongly_marked(account, cell, run)
    if run.code != 0 or verdict.deceived:
        verdict.wrong += _of_the_next_runs(account, cell, companions, run)
    if verdict.wrong and run.code != 0:
        verdict.wrong.append(run.log.splitlines()[-1][:300])
    return verdict


def timed(call: Callable[[], Run], server: Server) -> tuple[Run, list[str]]:
    """Run with a server that has faults; return what the run wrote, and what is wrong with how long it took."""
    began, wrong = time.process_time(), []
    with virtual_time() as clock, answered_by(server, clock.wait), small_answers():
        run = call()
    if (took := time.process_time() - began) > LONGEST:
        wrong.append(f"took {took:.0f} s of a processor")
    if clock.passed > SOON:
        wrong.append(f"ended only after {clock.passed:.0f} s")
    return run, wrong


@contextmanager
def small_answers() -> Iterator[None]:
    """Let an answer be too large soon, so that one without end does not take long."""
    known = body.LARGEST, body.LARGEST_SPOOLED
    body.LARGEST = body.LARGEST_SPOOLED = 1_000_000
    try:
        yield
    finally:
        body.LARGEST, body.LARGEST_SPOOLED = known


def _of_a_failure(cell: Cell, fault: Fault, run: Run, *, is_shared: bool) -> Iterator[str]:
    """Tell what is wrong with an exit code 1."""
    if not is_shared and cell.stream not in run.log.splitlines()[-1]:
        yield "the last line does not name the stream"
    if cell.often == "once" and fault.told is not Told.DECEIVING:
        yield "a fault that passes ended the run"
    if fault.told is Told.HARMLESS:
        yield "a fault that matters to nobody ended the run"


def of_any_run(account: Account, run: Run) -> Iterator[str]:
    """Tell what no run may do, whatever it is answered."""
    if run.code not in (0, 1):
        yield f"exit code {run.code}"
    if "Traceback" in run.log or "unexpected" in run.log:
        yield f"a traceback: {run.log[run.log.find('Traceback') :][-700:]}"
    if account.crm.config["api_key"] in run.log:
        yield "the log shows the key"


def _of_others(account: Account, cell: Cell, companions: tuple[str, ...], run: Run) -> Iterator[str]:
    for other in companions:
        if not run.audit().get(other, {}).get("complete"):
            yield f"{other} is not complete"
        elif found := _differences(account, cell, other, run):
            yield f"{other} is not what the CRM has: {found}"


def _differences(account: Account, cell: Cell, stream: str, *runs: Run) -> str:
    found = account.differences(stream, *runs, is_first=cell.is_first)
    return str(found)[:400] if found else ""


def _is_beyond_doubt(cell: Cell, run: Run, server: Faulty) -> bool:
    """Tell whether nothing shows that the rows are not all: others of the same kind, or a list that nobody counts."""
    if cell.fault == "records of another account" or (cell.fault in BELIEVABLE and not server.is_asked_again):
        return True
    row = run.audit().get(cell.stream, {})
    more = (row.get("source_total") or 0) > (row.get("distinct_ids") or 0)
    return cell.often == "for ever" and not more


def _wrongly_marked(account: Account, cell: Cell, run: Run) -> Iterator[str]:
    """Tell of rows that the CRM has and that the run marked as deleted."""
    if cell.is_first:
        return
    before = account.loaded(cell.stream, account.first)
    after = account.loaded(cell.stream, account.first, run)
    if lost := sorted((before.keys() - after.keys()) & account.truth(cell.stream, is_first=True).keys(), key=str):
        yield f"marked as deleted, and the CRM has them: {lost[:3]}"


def _of_the_next_runs(account: Account, cell: Cell, companions: tuple[str, ...], run: Run) -> Iterator[str]:
    """Go on without the fault, from the last state: everything has to be there then."""
    streams, runs, is_believable = (cell.stream, *companions), [run], fault_of(cell).told is Told.DECEIVING
    most = NEXT_RUNS if run.code == 0 else RUNS_UNTIL_MARKED if is_believable else 2
    for hours in range(1, most):
        state = runs[-1].state or None
        with virtual_time() as clock, answered_by(account.server, clock.wait):
            clock.wait(hours * 3_600.0)  # as a scheduler would
            reconcile = "true" if run.code == 0 and hours == most - 1 else "auto"
            begun = state or account.begun(streams, is_first=cell.is_first)
            runs.append(account.tap.call(account.command(streams, state=begun, reconcile=reconcile)))
        last = runs[-1].log.splitlines()[-1]
        if runs[-1].code != 0:
            if not (run.code == 0 and cell.fault == "records of another account" and ANOTHER_ACCOUNT in last):
                yield f"the next run fails: {last[:300]}"
            return
        found = account.differences(cell.stream, *runs, is_first=cell.is_first)
        if not found or (is_believable and f"{cell.crm} {cell.stream}" in LOGS and run.code == 0):
            return
        if run.code != 0 and found.keys() != {"surplus"}:
            break
    yield f"after the next run, the rows are not what the CRM has: {str(found)[:400]}"


def cells(account: Account, streams: Iterable[str] = ()) -> Iterator[Cell]:
    """Yield every cell of a CRM: of each stream, each fault, once and for ever, in a first run and in a next one."""
    name = account.crm.name
    for stream in streams or account.streams:
        own = account.own(stream)
        faults = [*FAULTS, *(f"ignored {one}" for one in _parameters(account, stream))]
        for is_first in (False, True):
            for fault in faults:
                yield Cell(name, stream, fault, "once", is_first)
                yield Cell(name, stream, fault, "for ever", is_first)
                if len(own) > 1:
                    yield from (Cell(name, stream, fault, "for ever", is_first, only) for only in own)


def _parameters(account: Account, stream: str) -> list[str]:
    """Return the parameters by which a stream is asked for."""
    own = set(account.own(stream))
    grouped = by_template(account.asked[stream], account.base_path)
    return sorted({one for kind, asked in grouped.items() if kind in own for each in asked for one in parameters(each)})


def parse(text: str) -> Cell:
    """Return the cell of a name, as `str` of one gives it."""
    crm, stream, fault, often, begun, *only = text.split(" | ")
    assert often in ("once", "for ever"), often
    return Cell(crm, stream, fault, often, begun == "first", *only)  # type: ignore[arg-type] # asserted


def summary(verdicts: Iterable[tuple[Cell, Verdict]]) -> Counter[str]:
    """Count what cells showed."""
    found: Counter[str] = Counter()
    for _, verdict in verdicts:
        found["tried"] += 1
        found["passed"] += not verdict.wrong
        found["deceived"] += verdict.deceived
        found["without effect"] += not verdict.hits
    return found

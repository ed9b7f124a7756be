"""The crash matrix of reading: a run that is cut off anywhere, and the one that goes on from its last STATE.

All that a run leaves is what it wrote: the beginning of its messages, up to some line. Where that is depends on when
it dies: before or after a request, or at a line. So a run is recorded once, with how much was written at each request;
each beginning of it is what some crash leaves. That a process which is killed leaves just that is what `killed` shows.
"""

from __future__ import annotations

import os
import pickle
import random
import runpy
import signal
import sys
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from tests import in_process, leaks
from tests.proof.cells import of_any_run
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time
from tests.singer import Run, environment, parse
from tests.truth import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.proof.accounts import Account
    from tests.proof.seam import Asked, Piece

T = TypeVar("T")
#: Seconds between a crash and the run that goes on, as of a scheduler that starts it again.
LATER = 3_600.0
#: The runs after which everything is as in the CRM: one, and one that reads everything, twice where a list was emptied.
SETTLING: tuple[dict[str, Any], ...] = ({}, {"reconcile": "true"}, {"reconcile": "true"})
#: What a run says of a list that had records and has none: that is believed a while later.
EMPTIED = "A broken answer looks like that, too"
BEFORE, AFTER = "before a request", "after a request"


@dataclass
class _Noting:
    """Answers, and notes how much of the output there was before and after each answer."""

    account: Account
    places: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        self.places.append((BEFORE, _written()))
        whole = self.account.server(asked)
        self.places.append((AFTER, _written()))
        return whole


def _written() -> int:
    """Return how many bytes the run in this process has written."""
    sys.stdout.flush()
    return int(sys.stdout.buffer.tell())


@dataclass(frozen=True)
class Crash:
    """A place where a run dies.

    Attributes:
        kind: a request, before or after it, or the kind of the line after which it is.
        lines: how many lines were written by then.
    """

    kind: str
    lines: int


@dataclass
class Tape:
    """A run without a fault, and every place at which it can die.

    Attributes:
        account: the account.
        streams: what it reads.
        is_first: whether it has no state.
        run: what it wrote.
        places: how many bytes it had written at each request.
    """

    account: Account
    streams: tuple[str, ...]
    is_first: bool
    run: Run
    places: list[tuple[str, int]]
    sizes: list[int]

    @cached_property
    def crashes(self) -> list[Crash]:
        """Every place: before and after each request, and after each line."""
        found, at = [], 0
        ends = [sum(self.sizes[:number]) for number in range(len(self.sizes) + 1)]
        for kind, size in sorted(self.places, key=lambda one: one[1]):
            while at < len(self.sizes) and ends[at + 1] <= size:
                at += 1
            found.append(Crash(kind, at))
        return [
            *found,
            *(Crash(f"after a {message['type']}", number) for number, message in enumerate(self.run.messages, 1)),
        ]

    @cached_property
    def resumes(self) -> list[int]:
        """How many lines there are at each STATE, which the next run goes on from; 0 stands for none."""
        states = [number for number, message in enumerate(self.run.messages, 1) if message["type"] == "STATE"]
        return [0, *states]

    def state(self, lines: int) -> dict[str, Any] | None:
        """Return the state that a run goes on from, by the number of lines at its STATE."""
        return (
            self.run.messages[lines - 1]["value"] if lines else self.account.begun(self.streams, is_first=self.is_first)
        )

    def end(self, begun: int) -> int:
        """Return how many lines there are at the STATE after this one, or one more than there are."""
        ends = [*self.resumes, len(self.run.messages) + 1]
        return ends[ends.index(begun) + 1]

    def beginnings(self, begun: int) -> Iterator[tuple[int, str]]:
        """Yield the beginnings of which a state is the last one, by their lines, each with a stream to look at.

        A line changes what a target has of its own stream only. The last ones are the whole run, as if all later states
        had been lost.
        """
        yield from ((begun, stream) for stream in self.streams)
        for lines in range(begun + 1, self.end(begun)):
            stream = self.run.messages[lines - 1].get("stream")
            if stream in self.streams:
                yield lines, stream
        yield from ((len(self.run.messages), stream) for stream in self.streams)

    def differences(self, stream: str, *runs: Run) -> dict[str, Any]:
        """Return how what a target has of a stream after these runs differs from the truth."""
        return self.account.differences(stream, *runs, is_first=self.is_first, in_all=True)

    def beginning(self, lines: int) -> Run:
        """Return what there is of the run when it dies."""
        return Run(0, "", self.run.messages[:lines])


def recorded(account: Account, streams: tuple[str, ...], *, is_first: bool) -> Tape:
    """Run to the end, and note what can be cut off where."""
    noting = _Noting(account)
    with virtual_time() as clock, answered_by(noting, clock.wait):
        command = account.command(streams, state=account.begun(streams, is_first=is_first))
        done = in_process.execute(command, environment(), measured=False, clock_ahead=account.tap.clock_ahead)
    run = parse(done.stdout, done.returncode, done.stderr.decode())
    assert run.code == 0, run.said()
    return Tape(
        account, streams, is_first, run, noting.places, [len(line) + 1 for line in done.stdout.split(b"\n")[:-1]]
    )


@dataclass
class Findings:
    """What a matrix showed.

    Attributes:
        tried: places by kind.
        wrong: what must not be, by the number of lines that were written.
    """

    tried: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)


def judge(tape: Tape, resumes: Iterable[int], findings: Findings) -> None:
    """Let the run die wherever these states are the last ones, go on from them, and note what is wrong then.

    Args:
        tape: the run.
        resumes: some of its ``resumes``.
        findings: noted here.
    """
    for begun in resumes:
        again = _resumed(tape, begun)
        wrong = [*of_any_run(tape.account, again)]
        if again.code != 0:
            wrong.append(f"the next run fails: {again.said()[-1500:]}")
        for lines, stream in tape.beginnings(begun):
            found = wrong or tape.differences(stream, tape.beginning(lines), again)
            if found:
                findings.wrong.setdefault(lines, f"STATE at {begun}, {stream}: {str(found)[:400]}")
        findings.tried.update(one.kind for one in tape.crashes if begun <= one.lines < tape.end(begun))
        findings.tried["all states after one lost"] += 1


def _resumed(tape: Tape, begun: int) -> Run:
    with virtual_time() as clock, answered_by(tape.account.server, clock.wait):
        clock.wait(LATER)
        return tape.account.run(tape.streams, is_first=tape.is_first, state=tape.state(begun))


def judge_changed(tape: Tape, begun: int) -> tuple[int, list[str]]:
    """Let the run die, and records be changed, made and deleted before the next run: they are there, or gone.

    The next run goes on from the last STATE, and one after it reads everything; then the target has what the CRM has.

    Args:
        tape: the run.
        begun: how many lines there are at the last STATE, one of its ``resumes``.

    Returns:
        How many beginnings were tried, and what is wrong with them.
    """
    account = tape.account
    rest = [] if tape.is_first else [account.first]
    with virtual_time() as clock, answered_by(account.server, clock.wait):
        changed = account.change_some(tape.streams, random.Random(begun))
        runs, state = [], tape.state(begun)
        for settings in SETTLING:
            clock.wait(LATER)
            runs.append(account.tap.call(account.command(tape.streams, state=state, **settings)))
            state = runs[-1].state or state
        clock.wait(LATER)
        right = account.tap.call(account.command(tape.streams, state=None))
    failed = [run for run in runs[:-1] if run.code and EMPTIED not in run.log] + [
        run for run in (runs[-1], right) if run.code
    ]
    if failed:
        return 1, [f"{changed}: {failed[0].said()[-1500:]}"]
    wrong, truth = [], {stream: account.loaded(stream, right) for stream in tape.streams}
    beginnings = [*tape.beginnings(begun)]
    for lines, stream in beginnings:
        if found := compared(truth[stream], account.loaded(stream, *rest, tape.beginning(lines), *runs)):
            wrong.append(f"{lines} lines, STATE at {begun}: {stream}: {str(found)[:400]}; {changed}")
    return len({lines for lines, _ in beginnings}), wrong


# A process that is really killed


class Killed(Exception):  # noqa: N818 - it says what happened
    """A process was ended by SIGKILL."""


def in_a_child(act: Callable[[], T]) -> T:
    """Do something in a copy of this process, and return its result.

    What it changes in memory, such as an account, is as before when it is over.

    Raises:
        Killed: the copy was killed.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads only wait for orders of the test runner
        child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(act(), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        raise Killed
    assert status == 0, "what was tried failed; it has said why above"
    found: T = pickle.loads(text)  # noqa: S301 - of our own child
    return found


@dataclass
class _Killing:
    """Answers, and kills this process at a request.

    Attributes:
        account: the account.
        kind: before or after the request.
        number: the first, the second, ...
    """

    account: Account
    kind: str
    number: int

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        self.number -= 1
        if self.number == 0 and self.kind == BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        whole = self.account.server(asked)
        if self.number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole


def killed(tape: Tape, kind: str, number: int) -> Run | None:
    """Run in a process that is killed at a request; return what it wrote, None if it has ended before."""
    account = tape.account
    output = account.tap.folder / "killed.jsonl"

    def run() -> None:
        command = account.command(tape.streams, state=tape.state(0))
        os.environ.clear()
        os.environ.update(environment(measured=False))
        sys.argv = ["tap-crm", *command[3:]]
        with (
            output.open("w", encoding="utf-8") as sys.stdout,
            output.with_suffix(".log").open("w", encoding="utf-8") as sys.stderr,
            virtual_time() as clock,
            answered_by(_Killing(account, kind, number), clock.wait),
        ):
            clock.wait(account.tap.clock_ahead)
            with suppress(SystemExit):
                runpy.run_module(account.tap.module, run_name="__main__", alter_sys=False)

    try:
        in_a_child(run)
    except Killed:
        pass
    else:
        return None
    text = output.read_bytes()
    leaks.check_config(account.tap.config, text, output.with_suffix(".log").read_bytes())
    return parse(text[: text.rfind(b"\n") + 1])


def judge_killed(tape: Tape, kind: str, number: int) -> list[str]:
    """Kill a process at a request, go on from its last STATE, and return what is wrong then."""
    beginning = killed(tape, kind, number)
    if beginning is None:
        return []
    with virtual_time() as clock, answered_by(tape.account.server, clock.wait):
        clock.wait(LATER)
        state = beginning.state or tape.state(0)
        again = tape.account.run(tape.streams, is_first=tape.is_first, state=state)
    if again.code != 0:
        return [f"the next run fails: {again.said()[-1500:]}"]
    untrue = [
        f"{one}: {str(found)[:400]}" for one in tape.streams if (found := tape.differences(one, beginning, again))
    ]
    return [*of_any_run(tape.account, again), *untrue]

"""Runs the target in this process against a double of the CRM, from Singer messages to the exit code."""

from __future__ import annotations

import io
import json
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.contract.signals import Terminated
from target_crm.clock import Clock
from target_crm.singer.target import TargetCRM
from tests import leaks

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

Record = dict[str, Any]
CREDENTIALS: Record = {
    "provider": "copper",
    "api_key": "k" * 32,
    "user_email": "a@example.com",
    "requests_per_minute": 0,
}


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing is tidied up."""


@dataclass
class Outcome:
    """What a run left: its exit code, the line it ended with, states, and what the report gained."""

    code: int
    said: str
    states: list[Record]
    lines: list[Record] = field(repr=False)
    target: TargetCRM = field(repr=False)

    @property
    def outcomes(self) -> Counter[str]:
        """How many records ended how."""
        return Counter(line["outcome"] for line in self.lines)

    def by_key(self) -> dict[Any, Record]:
        """The lines by key."""
        return {_hashable(line["key"]): line for line in self.lines}


def _hashable(key: Any) -> Any:  # noqa: ANN401
    return tuple(key) if isinstance(key, list) else key


class WaitsInVain(Clock):
    """This machine's clock, whose waits are over at once, and move the CRM's time on."""

    def __init__(self, crm: Any) -> None:  # noqa: ANN401 - any CRM's
        self._crm = crm

    def now(self) -> float:
        """Return the CRM's time, or as much less as the CRM's answers say that its clock is ahead."""
        return float(self._crm.now) - float(self._crm.clock.ahead)

    def wait(self, seconds: float, stopping: threading.Event) -> None:  # noqa: ARG002
        """Let time pass."""
        self._crm.now += seconds


class Bench:
    """A folder with a journal and a report, and a CRM."""

    def __init__(self, folder: Path, crm: Any, credentials: Record = CREDENTIALS) -> None:  # noqa: ANN401 - any CRM's
        self.folder = folder
        self.crm = crm
        self.credentials = credentials
        self.report = folder / "report.jsonl"
        self.journal = folder / "journal.sqlite"

    def config(self, **settings: Any) -> Record:  # noqa: ANN401
        """Return settings for this bench."""
        return {
            **self.credentials,
            "journal": str(self.journal),
            "report": str(self.report),
            "lookup_seconds": 0,
            "streams": {"*": {}},
            **settings,
        }

    def target(self, step: Callable[[str], None] | None = None, **settings: Any) -> TargetCRM:  # noqa: ANN401
        """Return a target that asks the double."""
        crm, on_step = self.crm, step or (lambda _: None)

        class Target(TargetCRM):
            """A target with other ways out."""

            clock = WaitsInVain(crm)
            transport = crm
            step = property(lambda _: on_step)

        return Target(config=self.config(**settings))

    def run_for_real(self, messages: Iterable[Mapping[str, Any]], **settings: Any) -> Outcome:  # noqa: ANN401
        """Run to the end against the server that the credentials name."""
        before, code, said, out = len(self.lines()), 0, "", io.StringIO()
        target = TargetCRM(config=self.config(**settings))
        with redirect_stdout(out):
            try:
                target.run(io.StringIO("".join(json.dumps(message) + "\n" for message in messages)))
            except errors.CrmError as error:
                code, said = 1, str(error)
        return self._outcome(before, code, said, out.getvalue(), target)

    def run(
        self,
        messages: Iterable[Mapping[str, Any]],
        step: Callable[[str], None] | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> Outcome:
        """Run to the end, or until it is killed."""
        return self.run_text("".join(json.dumps(message) + "\n" for message in messages), step, **settings)

    def run_text(self, text: str, step: Callable[[str], None] | None = None, **settings: Any) -> Outcome:  # noqa: ANN401
        """Run with this input."""
        before = len(self.lines())
        out = io.StringIO()
        code, said = 0, ""
        target = self.target(step, **settings)
        with redirect_stdout(out):
            try:
                target.run(io.StringIO(text))
            except errors.CrmError as error:
                code, said = 1, str(error)
            except Terminated as end:
                code = int(end.code or 0)
            except Killed:
                code = -9
        return self._outcome(before, code, said, out.getvalue(), target)

    def _outcome(self, before: int, code: int, said: str, out: str, target: TargetCRM) -> Outcome:
        """Return what a run left, which shows no secret, nor do its files."""
        leaks.check_config(self.config(), out.encode(), said.encode())
        states = [json.loads(line) for line in out.splitlines()]
        return Outcome(code, said, states, self.lines()[before:], target)

    def lines(self) -> list[Record]:
        """All lines of the report."""
        text = self.report.read_text("utf-8") if self.report.exists() else ""
        return [json.loads(line) for line in text.split("\n") if line]


def schema(stream: str, *names: str) -> Record:
    """Return a SCHEMA message."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": {name: {} for name in names}},
        "key_properties": [],
    }


def records(stream: str, *rows: Record) -> list[Record]:
    """Return a SCHEMA message, and a RECORD message for each row."""
    names = sorted({name for row in rows for name in row})
    return [schema(stream, *names), *({"type": "RECORD", "stream": stream, "record": row} for row in rows)]


def state(at: int) -> Record:
    """Return a STATE message."""
    return {"type": "STATE", "value": {"at": at}}

"""Every write operation of every CRM, from the target's registry, and a CRM in which each of them has work to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_crm.providers import PROVIDERS
from target_crm.config.settings import TargetSettings
from target_crm.contract import CREATE, DELETE, UPDATE
from target_crm.writers import WRITERS
from tests import in_process
from tests.proof.seam import AppServer, answered_by
from tests.proof.virtual_time import virtual_time
from tests.proof.written import CRMS, copy_of
from tests.target_crm.copera_account import COMPANIES, PEOPLE
from tests.target_crm.running import schema, state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.simulator import Simulator
    from target_crm.contract import ObjectSpec
    from tests.proof.seam import Asked, Server
    from tests.proof.written import Content, Record

#: A record is there, and another journal than this one has written it.
ADOPT = "adopt"
#: The streams of Copera that only a workspace tells.
TABLES = {"copera": (PEOPLE, COMPANIES)}
DELETED = "2026-11-01T00:00:00Z"
_ID = re.compile(r"[^/]*\d[^/]*")
#: Records of one operation; more than one, so that what can be sent in bulk is.
SEVERAL = 2
#: Bytes of memory that a folder may need.
ENOUGH = 1 << 28
#: Seconds after which a search shows what was written.
LAG = 86_400.0
#: What a record says before and after it is changed.
BEFORE, AFTER = "draft", "published"


@contextmanager
def in_memory() -> Iterator[Path]:
    """Give a folder in memory if there is room, else on the disk: a journal waits for its disk all the time."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own in it
    is_there = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ENOUGH
    with tempfile.TemporaryDirectory(prefix="proof", dir=memory if is_there else None) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Operation:
    """Something that the target does to records of one stream.

    Attributes:
        stream: the stream.
        action: make, change or delete records that this journal knows, or take over those that it does not know.
        count: how many.
        is_certain: whether the CRM can be asked for a record that may have been made; where it cannot, a create without
            an answer stays unknown (docs/writing.md: Keys).
    """

    stream: str
    action: str
    count: int
    is_certain: bool = True

    def __str__(self) -> str:
        """Name it."""
        return f"{self.action} {self.count} {self.stream}"


@dataclass
class Outcome:
    """What a run of the target left.

    Attributes:
        code: the exit code.
        log: what it wrote into the log.
        states: the states that it passed on.
        lines: of its report.
        took: seconds of its own time.
    """

    code: int
    log: str
    states: list[int]
    lines: list[Record] = field(repr=False)
    took: float = 0.0

    @property
    def last(self) -> str:
        """The line by which it ended, "" where it ended well."""
        errors = [line for line in self.log.splitlines() if "| ERROR" in line or "| CRITICAL" in line]
        return errors[-1] if errors else ""

    @property
    def outcomes(self) -> Counter[str]:
        """How many records ended how."""
        return Counter(line["outcome"] for line in self.lines)


class Bed:
    """An account with records of every stream, some of which the target has written.

    Args:
        name: the CRM.
        folder: for files.

    Attributes:
        crm: what is known of it.
        operations: all of them.
        base_path: of the API.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.crm = CRMS[name]
        self.folder = folder / name
        self.folder.mkdir()
        self._specs = dict(self._all_specs())
        self.operations = tuple(self._operations())
        self._app = self.crm.app()
        self.base_path = self._app.base_path
        self.other = AppServer(self.crm.app(seed=2))
        with virtual_time() as clock, answered_by(AppServer(self._app), clock.wait):
            self._refers = self.crm.prepare(self._app)
        with virtual_time() as clock, answered_by(self.other, clock.wait):
            self.crm.prepare(self.other.app)
        made = [
            one
            for stream, spec in self._specs.items()
            for one in self._records(stream, range(2 * SEVERAL if DELETE in spec.actions else SEVERAL), BEFORE)
        ]
        trial = Trial(self, self._app, self.folder / "first")
        done = trial.run(AppServer(self._app), made)
        assert done.code == 0, (done.log, [line for line in done.lines if line["outcome"] != "created"])
        self.content = trial.content()
        self._journal = trial.journal.read_bytes()

    # What there is to be done

    def _all_specs(self) -> Iterable[tuple[str, ObjectSpec]]:
        """Return every object that can be written, by the stream that is written to it."""
        settings = TargetSettings.from_config({**self.crm.credentials, "streams": {"*": {}}}, PROVIDERS)
        writer = WRITERS[self.crm.name](settings, _nobody)
        for stream in (*TABLES.get(self.crm.name, ()), *writer.names()):
            yield stream, writer.spec(stream, settings.stream(stream))

    def _operations(self) -> Iterable[Operation]:
        for stream, spec in self._specs.items():
            is_certain = bool(stream in self.crm.external or spec.unique or spec.composite)
            for action in sorted(spec.actions):
                if action == CREATE and spec.bulk.get(CREATE, 1) > 1:
                    yield Operation(stream, action, 1, is_certain)
                elif action == UPDATE and spec.bulk.get(UPDATE, 1) > 1:
                    yield Operation(stream, action, 1)
                yield Operation(stream, action, SEVERAL, is_certain or action != CREATE)
            if UPDATE in spec.actions and stream in self.crm.external:
                yield Operation(stream, ADOPT, SEVERAL)

    def companion(self, stream: str) -> str:
        """Return another stream, which has to be complete whatever becomes of this one."""
        first, second = self.crm.companion
        return second if stream == first else first

    # What is asked for

    def input(self, operation: Operation) -> list[Record]:
        """Return the messages that ask for an operation."""
        stream, action, count = operation.stream, operation.action, operation.count
        if action == DELETE:
            return self._records(stream, range(SEVERAL, SEVERAL + count), BEFORE, _sdc_deleted_at=DELETED)
        if action == CREATE:
            return self._records(stream, range(100, 100 + count), AFTER)
        return self._records(stream, range(count), AFTER)

    def beside(self, stream: str) -> list[Record]:
        """Return the messages of the stream that has to be complete."""
        return self._records(self.companion(stream), [200], AFTER)

    def _records(self, stream: str, numbers: Iterable[int], text: str, **more: Any) -> list[Record]:  # noqa: ANN401
        rows = [{**self.crm.example(stream, at, text, self._refers), **more} for at in numbers]
        names = sorted({name for row in rows for name in row})
        return [schema(stream, *names), *({"type": "RECORD", "stream": stream, "record": row} for row in rows)]

    def settings(self, folder: Path) -> Record:
        """Return the settings of the target."""
        streams = {
            stream: {
                "on_delete": "delete",
                **({"match": ["key"], "external_id": self.crm.external[stream]} if stream in self.crm.external else {}),
            }
            for stream in self._specs
        }
        return {
            **self.crm.credentials,
            "api_url": self.crm.url(self._app),
            "requests_per_minute": 0,
            "journal": str(folder / "journal.sqlite"),
            "report": str(folder / "report.jsonl"),
            "streams": streams,
        }

    # What it is done to

    def trial(self, *, knows: bool = True) -> Trial:
        """Return the account as it is at first, and a folder with the journal, or without."""
        trial = Trial(self, copy_of(self._app), self.folder / "trial")
        if knows:
            trial.journal.write_bytes(self._journal)
        return trial

    def resumed(self, app: Simulator, files: Path, later: float) -> Trial:
        """Return an account as a run has left it, with the files of that run, for one that begins so much later."""
        trial = Trial(self, app, self.folder / "trial")
        shutil.copytree(files, trial.folder, dirs_exist_ok=True)
        trial.ahead = later
        return trial

    def kind(self, asked: Asked) -> str:
        """Return what kind of question it is: its method and path, without the ids of records."""
        path = asked.path.removeprefix(self.base_path).strip("/")
        parts = path.split("/")
        table = "/".join(parts[:4]) if parts[0] == "board" and len(parts) > 4 else ""
        rest = path.removeprefix(table)
        return f"{asked.method} {table and self._place(parts[3])}{_ID.sub('{}', rest)}"

    def _place(self, table: str) -> str:
        return self._tables.get(table, "table")

    @cached_property
    def _tables(self) -> dict[str, str]:
        account: Any = self._app.account
        return {account.table_named(name).id: name for name in ("People", "Companies")}


class Trial:
    """An account that a cell of the matrix may change, and a folder.

    Args:
        bed: what it was made from.
        app: the account.
        folder: for config, input, journal and report.

    Attributes:
        server: answers without a fault.
        journal: the target's.
        folder: the files.
        ahead: seconds by which the next run begins after the first one.
        wrong: seconds by which the clock of the target's machine is ahead.
    """

    def __init__(self, bed: Bed, app: Simulator, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.bed = bed
        self.app = app
        self.server = AppServer(app)
        self.journal = folder / "journal.sqlite"
        self.folder = folder
        self.ahead = self.wrong = 0.0

    @cached_property
    def other(self) -> AppServer:
        """Another account as it is at first: what a fault writes there is no other trial's."""
        return AppServer(copy_of(self.bed.other.app))

    def run(self, server: Server, messages: Iterable[Record]) -> Outcome:
        """Run the target to its end."""
        folder = self.folder
        report = folder / "report.jsonl"
        report.unlink(missing_ok=True)
        (folder / "config.json").write_text(json.dumps(self.bed.settings(folder)))
        text = "".join(json.dumps(message) + "\n" for message in messages)
        (folder / "input").write_text(text)
        command = [sys.executable, "-m", "target_crm", "--config", str(folder / "config.json")]
        with virtual_time() as clock, answered_by(server, clock.wait):
            clock.wait(self.ahead)  # later than the run before
            # The run's clock is that of the account, too, which answers in its threads.
            self.app.behaviour.clock_skew -= self.wrong
            done = in_process.execute(
                [*command, "--input", str(folder / "input")],
                dict(os.environ),
                measured=True,
                clock_ahead=self.wrong,
            )
            self.app.behaviour.clock_skew += self.wrong
            took, self.ahead = clock.passed - self.ahead, clock.passed + 60.0
        lines = [json.loads(line) for line in report.read_text("utf-8").splitlines()] if report.exists() else []
        states = [json.loads(line)["at"] for line in done.stdout.decode().splitlines()]
        return Outcome(done.returncode, done.stderr.decode(), states, lines, took)

    def content(self) -> Content:
        """Return what the account has, as soon as its searches show all of it."""
        with virtual_time() as clock, answered_by(self.server, clock.wait):
            clock.wait(self.ahead + LAG)
            return self.bed.crm.content(self.app)


def numbered(messages: Sequence[Record], at: int) -> list[Record]:
    """Return messages with a STATE of this number behind them."""
    return [*messages, state(at)]


def _nobody() -> Any:  # noqa: ANN401
    raise AssertionError("nothing is to be asked")

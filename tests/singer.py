"""Runs the tap as a user does, as a process, and reads the Singer messages it wrote.

Most runs are forked from a process that has imported the tap already (`tests.warm_tap`): a start costs a tenth of a
second instead of two. Tests of what happens to a process itself start the real command: `Tap.command` with
`subprocess`, or a `Tap` whose ``warm`` is False.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import pytest

from tests import in_process, started, warm_tap
from tests.forker import CLOCK_AHEAD
from tests.stalls import STALLS_FILE

if TYPE_CHECKING:
    import subprocess

    from sandbox.simulator import Simulator

Record: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]

CHANGED = ("date_modified", "activity_date")
#: Numbers keep every digit; five times as fast as the standard library's.
_DECODER: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass
class Run:
    """What one run of the tap wrote."""

    code: int
    log: str
    messages: list[dict[str, Any]] = field(repr=False)

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The SCHEMA message of each stream."""
        return {message["stream"]: message for message in self.messages if message["type"] == "SCHEMA"}

    @cached_property
    def state(self) -> dict[str, Any]:
        """The value of the last STATE."""
        states = [message["value"] for message in self.messages if message["type"] == "STATE"]
        return states[-1] if states else {}

    @cached_property
    def _by_stream(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for message in self.messages:
            if message["type"] == "RECORD":
                found.setdefault(message["stream"], []).append(message["record"])
        return found

    def records(self, stream: str) -> list[Record]:
        """The records of a stream in the order in which they were written."""
        return self._by_stream.get(stream, [])

    def count(self, stream: str) -> int:
        """How many RECORD lines a stream has."""
        return len(self.records(stream))

    def keys(self, stream: str) -> set[Key]:
        """The distinct keys of a stream."""
        return {self._key(stream, record) for record in self.records(stream)}

    def audit(self) -> dict[str, Record]:
        """The audit row of each stream."""
        return {row["stream"]: row for row in self.records("sync_audit")}

    def said(self) -> str:
        """Return what the log complains of, and how it ends: for messages of tests."""
        complaints = [line for line in self.log.splitlines() if "| WARNING" in line or "| ERROR" in line]
        return "\n".join([*complaints, "...", self.log[-2000:]])

    def _key(self, stream: str, record: Record) -> Key:
        return tuple(record[name] for name in self.schemas[stream]["key_properties"])


def together(*runs: Run) -> Run:
    """Return one run that wrote what several did: of a list that did not change, the last one writes nothing."""
    return Run(runs[-1].code, runs[-1].log, [message for run in runs for message in run.messages])


def untold(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state that does not say what the target was told: the next run tells each SCHEMA and each list again."""
    bookmarks = {
        stream: {key: value for key, value in kept.items() if key not in ("schema", "written")}
        for stream, kept in state["bookmarks"].items()
    }
    return {**state, "bookmarks": bookmarks}


def merged(stream: str, *runs: Run) -> dict[Key, Record]:
    """Return what a target would hold after these runs: the last record of each key."""
    table: dict[Key, Record] = {}
    for run in runs:
        for record in run.records(stream):
            table[run._key(stream, record)] = record  # noqa: SLF001 - its own module
    return table


def parse(text: bytes, code: int = 0, log: str = "") -> Run:
    """Read messages; a line that is no whole JSON message is an error, the last one included."""
    lines = text.split(b"\n")
    assert lines[-1] == b"", "the output ends in the middle of a line"
    return Run(code, log, [_DECODER.decode(line) for line in lines[:-1]])


class Tap:
    """The command ``tap-crm`` with one config.

    Args:
        folder: where config, state and catalog are written.
        config: the settings.

    Attributes:
        warm: whether runs are forked from a process that has imported the tap; False starts ``python -m tap_crm``.
        clock_ahead: seconds by which the tap's own clock is ahead of this machine's; only a warm tap has one.
        watched: whether the longest stall of a run is measured, which only a warm tap can.
        longest_stall: that of the last watched run, in seconds.
        module: what is run, as ``python -m`` names it.
        inside: whether runs take place in this process, where a process of their own is not the point: a fork, and what
            it copies, takes several times as long as a small run.
    """

    clock_ahead: float = 0.0
    watched: bool = False
    longest_stall: float = 0.0
    module: str = "tap_crm"
    inside: bool = False

    warm = warm_tap.POSSIBLE

    def __init__(self, folder: Path, **config: Any) -> None:  # noqa: ANN401 - settings of any type
        self.folder = folder
        self.config = config

    def given(self, catalog: dict[str, Any], **overrides: Any) -> SelectiveTap:  # noqa: ANN401
        """Return a tap with the same folder, config and way to run, that is always given a catalog."""
        tap = SelectiveTap(self.folder, catalog, **{**self.config, **overrides})
        tap.module, tap.inside, tap.warm = self.module, self.inside, self.warm
        return tap

    def command(
        self,
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        **overrides: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return the command line of a sync."""
        command = [sys.executable, "-m", self.module, "--config", self.write("config", {**self.config, **overrides})]
        if state is not None:
            command += ["--state", self.write("state", state)]
        if catalog is not None:
            command += ["--catalog", self.write("catalog", catalog)]
        return command

    def write(self, name: str, content: Any) -> str:  # noqa: ANN401 - any JSON
        """Write a JSON file and return its path."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=name, suffix=".json", delete=False) as file:
            file.write(json.dumps(content))  # by far faster than `json.dump`
        return file.name

    def sync(
        self,
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        expect: int = 0,
        timeout: float = 240,
        **overrides: Any,  # noqa: ANN401
    ) -> Run:
        """Run a sync to its end and check its exit code."""
        run = self.call(self.command(state=state, catalog=catalog, **overrides), timeout=timeout)
        assert run.code == expect, run.said()
        return run

    def call(self, command: list[str], timeout: float = 240) -> Run:
        """Run a command and read the messages it wrote."""
        variables = environment()
        if self._may_run_inside():
            done = self._execute_inside(command)
            return parse(done.stdout, done.returncode, done.stderr.decode())
        if self.clock_ahead:
            if not self.warm:
                pytest.skip("only a forked run has a clock of its own")
            variables[CLOCK_AHEAD] = str(self.clock_ahead)
        stalls = Path(self.write("stalls", 0.0))
        if self.watched and self.warm:
            variables[STALLS_FILE] = str(stalls)
        done = execute(command, variables, timeout, warm=self.warm)
        self.longest_stall = float(stalls.read_text("utf-8"))
        return parse(done.stdout, done.returncode, done.stderr.decode())

    def _may_run_inside(self) -> bool:
        return self.inside and self.warm and not self.watched

    def _execute_inside(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        measured = warm_tap.is_measured()
        return in_process.execute(command, environment(), measured=measured, clock_ahead=self.clock_ahead)

    def discover(self, *, expect: int = 0, **overrides: Any) -> tuple[dict[str, Any], str]:  # noqa: ANN401
        """Return the catalog and the log of a discovery."""
        command = [*self.command(**overrides), "--discover"]
        if self._may_run_inside():
            done = self._execute_inside(command)
        else:
            done = execute(command, environment(), 120, warm=self.warm)
        assert done.returncode == expect, done.stderr.decode()[-4000:]
        return (json.loads(done.stdout) if expect == 0 else {}), done.stderr.decode()


class SelectiveTap(Tap):
    """A tap that is always given a catalog.

    Args:
        folder: where config, state and catalog are written.
        catalog: what is read if no other catalog is given.
        config: the settings.
    """

    def __init__(self, folder: Path, catalog: dict[str, Any], **config: Any) -> None:  # noqa: ANN401 - settings of any type
        super().__init__(folder, **config)
        self.catalog = catalog

    def command(
        self,
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        **overrides: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return the command line of a sync."""
        return super().command(state=state, catalog=catalog or self.catalog, **overrides)


def later(app: Simulator, tap: Tap, seconds: float) -> None:
    """Let it be so much later than this machine says, for the CRM and for the tap."""
    app.behaviour.clock_skew = tap.clock_ahead = seconds


def execute(
    command: list[str], variables: dict[str, str], timeout: float, *, warm: bool = warm_tap.POSSIBLE
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of the tap to its end, forked from a warm process if that is wished and possible."""
    if warm:
        return warm_tap.execute(command, variables, timeout)
    return started.run(command, variables=variables, timeout=timeout)


def environment(*, measured: bool = True) -> dict[str, str]:
    """Return the environment of a run, without settings of whoever runs the tests.

    Args:
        measured: False for a run whose coverage nobody would get to see, such as one that is killed.
    """
    left_out = ("TAP_CRM",) if measured else ("TAP_CRM", *warm_tap.MEASURING)
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def selecting(catalog: dict[str, Any], *streams: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the catalog with just these streams selected, less the named fields (``stream.field``)."""
    chosen: dict[str, Any] = json.loads(json.dumps(catalog))
    for entry in chosen["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] == []:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
            elif f"{entry['tap_stream_id']}.{item['breadcrumb'][-1]}" in without:
                item["metadata"]["selected"] = False
    return chosen


def only(catalog: dict[str, Any], *streams: str) -> dict[str, Any]:
    """Return the catalog with just these streams: reading the entries of all others takes as long as a small run."""
    wanted = [entry for entry in catalog["streams"] if entry["tap_stream_id"] in streams]
    return selecting({**catalog, "streams": wanted}, *streams)

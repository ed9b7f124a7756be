"""A tap and a target, each a process, killed at a place that is named; then a run to the end.

What has to hold: the place in the inbox that a STATE of the target has never stands before a row of an event up to it;
and after the next run, the target holds what the CRM has, each row once.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hints.committing_target import COUNTS_TO, KILL_AT, rows_of
from tests.singer import Run, environment
from tests.target import DELETED_AT, Target
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Moment
    from tests.hints.tellers import Teller, Told
    from tests.singer import Tap

VICTIMS = ("tap", "target")
#: Kinds of places at which each is killed: before and after an answer that it waits for, and in the middle of a line;
#: with a line read, before and after a commit, and with a STATE written.
KINDS = {"tap": ("asked", "answered", "line"), "target": ("line", "before", "after", "stated")}
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process is killed.

    Attributes:
        victim: ``tap`` or ``target``.
        kind: one of its `KINDS`.
        number: the first, the second, ...
    """

    victim: str
    kind: str
    number: int

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.victim} at {self.kind} {self.number}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits: its place, and the record that it tells of."""

    place: int
    stream: str
    key: str
    deleted: bool


@dataclass(slots=True)
class Pipe:
    """One run of the tap into the target.

    Attributes:
        codes: how both ended.
        state: the last one that the target wrote; None if it wrote none.
        counts: of requests and lines of the tap.
        log: what both said.
    """

    codes: dict[str, int] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    log: str = ""


class Account:
    """An account that was loaded once, and of which events wait in an inbox: nothing else tells of what is deleted.

    Args:
        teller: the CRM.
        app: its server.
        tap: reads two streams of it.
        told: the inbox.
        folder: for what the trials need.
    """

    def __init__(self, teller: Teller, app: Any, tap: Tap, told: Told, folder: Path) -> None:  # noqa: ANN401
        self.teller, self.app, self.tap, self.told, self.folder = teller, app, tap, told, folder
        self.base = folder / "base"
        self.base.mkdir()
        first = self.run(self.base, None)
        assert first.codes == {"tap": 0, "target": 0}, first.log
        self.given = first.state
        # In Close, a contact that comes or goes changes its lead, which no event tells: the poll has to find it.
        app.behaviour.index_lag = 0 if teller.logless else 36_000
        self.events = [one for stream in teller.streams for one in self._tell(stream)]
        self.gone = {
            stream: {one.key for one in self.events if one.deleted and one.stream == stream}
            for stream in teller.streams
        }
        for end in ("", "-wal"):
            shutil.copy(f"{told.path}{end}", self.base / f"inbox.sqlite{end}")
        whole = self._copy("whole")
        second = self.run(whole, self.given)
        self.schemas = self._schemas()
        assert second.codes == {"tap": 0, "target": 0}, second.log
        self.right = rows_of(whole / "rows.sqlite")
        self._check_end(second, whole)
        self.counts = {"tap": second.counts, "target": Counter(json.loads((whole / "counts").read_text("utf-8")))}

    def _tell(self, stream: str) -> list[Waiting]:
        """Delete and create records of a stream, and let the events of it wait."""
        account = self.app.account
        # As many as it pays to ask for, one by one: of more, the run would poll instead.
        # A deleted lead of Close takes its contacts with it, of which no event here would tell.
        gone = [] if stream == "leads" else account.delete(stream, count=6)
        made = account.create(stream, count=6)
        found = []
        for what, keys in (("delete", gone), ("new", made)):
            for key in keys:
                place = self.told.tell(self.teller.events(self.app, stream, [key], what))
                found.append(Waiting(place, stream, json.dumps([key]), what == "delete"))
        return found

    def _schemas(self) -> list[dict[str, Any]]:
        """Return what the tap says of its streams; the checks of the truth ask for keys."""
        return [
            {"type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": ["id"]}
            for stream in self.teller.streams
        ]

    # Places

    def told_counts(self) -> str:
        """Return how many moments of each kind a run has, in words."""
        return "; ".join(
            f"{victim}: {', '.join(f'{self.counts[victim][kind]} {kind}' for kind in KINDS[victim])}"
            for victim in VICTIMS
        )

    def places(self, victim: str, count: int) -> list[Place]:
        """Return so many places of a run at which a process is killed, each kind's spread over the run."""
        kinds = sorted(KINDS[victim], key=lambda kind: self.counts[victim][kind])
        found: list[Place] = []
        for left, kind in zip(range(len(kinds), 0, -1), kinds, strict=True):
            most = self.counts[victim][kind]
            share = min(most, (count - len(found)) // left)
            found += [Place(victim, kind, 1 + (2 * number + 1) * most // (2 * share)) for number in range(share)]
        return found

    # Trials

    def kill(self, place: Place) -> bool:
        """Kill a process at a place, check what is there then, go on to the end, and check that.

        Returns:
            whether the place was reached: a run may end well before one near its end, since it asks once less.

        Raises:
            AssertionError: a row is missing, wrong, or there though it is gone; or a run failed by itself.
        """
        folder = self._copy(f"{place.victim}-{place.kind}-{place.number}")
        killed = self.run(folder, self.given, place)
        # A tap that ends before its line is handed on cannot be killed; the target gets half of the line, and fails.
        is_halved = (place.victim, place.kind) == ("tap", "line") and not killed.codes["tap"] and killed.codes["target"]
        reached = killed.codes[place.victim] == -signal.SIGKILL or bool(is_halved)
        assert reached or not any(killed.codes.values()), f"{place}: not reached; {killed.codes}"
        state = killed.state or self.given
        self._check_places(state or {}, folder, place)
        ended = self.run(folder, state)
        assert ended.codes == {"tap": 0, "target": 0}, f"{place}: {ended.log}"
        self._check_end(ended, folder, place)
        shutil.rmtree(folder)
        return reached

    def _check_places(self, state: dict[str, Any], folder: Path, place: Place) -> None:
        rows = rows_of(folder / "rows.sqlite")
        for event in self.events:
            if event.place <= _place(state, event.stream):
                there = rows[event.stream].get(event.key)
                assert there is not None, f"{place}: the STATE stands before {event}"
                right = self.right[event.stream][event.key]
                assert _lasting(there) == _lasting(right), f"{place}: the STATE stands before {event}"

    def _check_end(self, ended: Pipe, folder: Path, place: Place | None = None) -> None:
        rows = rows_of(folder / "rows.sqlite")
        streams = self.teller.streams
        messages = [
            {"type": "RECORD", "stream": stream, "record": record}
            for stream in streams
            for record in rows[stream].values()
        ]
        run = Run(0, "", [*self.schemas, *messages])
        for stream in streams:
            wrong = self.teller.crm.differences(self.app, stream, run)
            assert wrong == {}, f"{place}: {stream}: {str(wrong)[:600]}"
            marked = {json.dumps(list(key)) for key in Target(run).marked(stream)}
            assert marked == self.gone[stream], f"{place}: {stream}"
            newest = self.told.spool.newest(self.teller.crm.name)
            assert _place(ended.state or {}, stream) == newest, f"{place}: {stream}"

    def _copy(self, name: str) -> Path:
        return Path(shutil.copytree(self.base, self.folder / name))

    # Runs

    def run(self, folder: Path, state: dict[str, Any] | None, place: Place | None = None) -> Pipe:
        """Run the tap into the target once, and kill one of them at a place."""
        done = Pipe()
        own = folder / "inbox.sqlite"
        inbox = str(own) if own.exists() else self.told.path
        command = self.tap.command(state=state, inbox=inbox)
        config = self.tap.write("target", {"path": str(folder / "rows.sqlite")})
        channel, states = folder / "channel", folder / "states.jsonl"
        os.mkfifo(channel)
        module = [sys.executable, "-m", "tests.hints.committing_target"]
        variables = {**environment(measured=False), COUNTS_TO: str(folder / "counts")}
        if place is not None and place.victim == "target":
            variables[KILL_AT] = f"{place.kind}:{place.number}"
        with (folder / "log").open("w+b") as log, states.open("wb") as output:
            target = WarmRun(
                [*module, "--config", config, "--input", str(channel)], variables, output.fileno(), log.fileno()
            )
            sink = _opened_by_reader(channel)
            reading, writing = os.pipe()
            begun = threading.Event()

            def kill() -> None:
                begun.wait(_SECONDS)
                tap.send_signal(signal.SIGKILL)

            mine = place if place is not None and place.victim == "tap" else None
            end = self.app.on_answer(_counting(done.counts, mine, kill))
            tap = WarmRun(command, environment(measured=False), writing, log.fileno())
            begun.set()
            os.close(writing)
            tap.shown(_pump(reading, sink, done.counts, mine, kill))
            done.codes = {"tap": tap.wait(_SECONDS), "target": target.wait(_SECONDS)}
            tap.close()
            target.close()
            end()
            log.seek(0)
            done.log = log.read().decode(errors="replace")[-3000:]
        channel.unlink()
        text = states.read_bytes()
        lines = text[: text.rfind(b"\n") + 1].splitlines()
        done.state = json.loads(lines[-1]) if lines else None
        return done


def _counting(counts: Counter[str], place: Place | None, kill: Callable[[], None]) -> Callable[[Moment], None]:
    """Return what counts requests, and kills whoever sent one."""

    def count(moment: Moment) -> None:
        kind = "asked" if moment.when == "before" else "answered"
        counts[kind] += 1
        if place is not None and (place.kind, place.number) == (kind, counts[kind]):
            kill()

    return count


def _pump(reading: int, writing: int, counts: Counter[str], place: Place | None, kill: Callable[[], None]) -> bytes:
    """Hand lines on from the tap to the target, as Meltano does, the half of one in which the tap dies; return them."""
    seen = bytearray()
    with os.fdopen(reading, "rb") as source, suppress(BrokenPipeError), os.fdopen(writing, "wb") as sink:
        for line in source:
            seen += line
            counts["line"] += 1
            is_last = place is not None and (place.kind, place.number) == ("line", counts["line"])
            if is_last:
                kill()
            sink.write(line[: len(line) // 2] if is_last else line)
            sink.flush()
            if is_last:
                break
    return bytes(seen)


def _opened_by_reader(channel: Path) -> int:
    """Return a descriptor to write to, as soon as somebody reads.

    Raises:
        TimeoutError: nobody does.
    """
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            found = os.open(channel, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            time.sleep(0.01)
        else:
            os.set_blocking(found, True)
            return found
    raise TimeoutError(channel)


def _place(state: dict[str, Any], stream: str) -> int:
    place: int = state.get("bookmarks", {}).get(stream, {}).get("inbox", {}).get("place", 0)
    return place


def _lasting(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record less the time at which a run found it deleted."""
    is_gone = record.get(DELETED_AT) is not None
    return {**{name: value for name, value in record.items() if not name.startswith("_sdc_")}, DELETED_AT: is_gone}

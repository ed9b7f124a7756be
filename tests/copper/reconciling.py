"""Loads an account of Copper run by run, and checks after each that no row was marked as deleted that lives."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.moments import to_epoch
from tests.copper.truth import SOURCES
from tests.killing import stopped
from tests.singer import only
from tests.target import Targets, aged
from tests.truth import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.copper import CopperSandbox
    from tests.singer import Record, Run, Tap

#: The incremental streams that have a time of change.
EDITED = ("people", "companies", "leads", "opportunities", "projects", "tasks")
INCREMENTAL = (*EDITED, "activities")
TIMES = ("date_modified", "activity_date", "converted_at")
#: Milliseconds of an answer, in which what the one before had is written.
SLOW = 30
_DISCOVERED: list[dict[str, Any]] = []


class Load:
    """An account, a tap, and the targets of its runs.

    Args:
        app: the sandbox.
        tap: the tap.
        streams: those that are read; the incremental ones if none is named.

    Attributes:
        targets: two, of which one loses what follows the last STATE.
        state: the last one.
        catalog: selects the streams.
    """

    def __init__(self, app: CopperSandbox, tap: Tap, *streams: str) -> None:
        self.app, self.tap = app, tap
        self.streams = streams or INCREMENTAL
        self.targets = Targets()
        self.state: dict[str, Any] | None = None
        tap.config["custom_fields"] = "raw"
        if not _DISCOVERED:  # with raw custom fields it is the same for every account
            _DISCOVERED.append(tap.discover()[0])
        self.catalog = only(_DISCOVERED[0], *self.streams, "sync_audit")

    def run(self, *, expect: int | None = 0, **config: Any) -> Run:  # noqa: ANN401 - settings of any type
        """Run the tap once more from the last state; None expects any exit code."""
        self.app.stats.reset()
        run = self.tap.call(self.tap.command(state=self.state, catalog=self.catalog, **config))
        assert expect in {None, run.code}, run.said()
        return self.took(run)

    def took(self, run: Run) -> Run:
        """Let the targets take a run, and check that it marked nothing that lives."""
        self.targets.take(run)
        self.state = run.state or self.state
        for stream in self.streams:
            alive = {(number,) for number in self._seen(SOURCES.get(stream, stream))}
            assert self.targets.wrongly_marked(stream, alive) == set(), stream
        return run

    def _seen(self, name: str) -> Iterable[int | str]:
        account = self.app.account
        if name not in self.app.behaviour.hidden:
            return account.ids(name)
        return [int(number) for number in account.ids(name) if account.sees(name, int(number))]

    def reconcile(self, *, expect: int = 0, **config: Any) -> Run:  # noqa: ANN401 - settings of any type
        """Run the tap with a complete read of all streams."""
        return self.run(expect=expect, reconcile="true", **config)

    def age(self, *streams: str) -> None:
        """Let the last complete read be long ago."""
        assert self.state is not None
        self.state = aged(self.state, *streams)

    def kept(self, stream: str) -> dict[str, Any]:
        """Return what the state has of a stream."""
        assert self.state is not None
        kept: dict[str, Any] = self.state["bookmarks"][stream]
        return kept

    def killed(self, answers: int, number: int = signal.SIGKILL, **config: Any) -> Run:  # noqa: ANN401
        """Run until so many answers were given, then send a signal."""
        behaviour = self.app.behaviour
        behaviour.latency_ms, usual = SLOW, behaviour.latency_ms
        run = stopped(self.app, self.tap, answers, number, state=self.state, catalog=self.catalog, **config)
        behaviour.latency_ms = usual
        return self.took(run)

    def differences(self, *streams: str) -> dict[str, Any]:
        """Return how the rows that are not marked differ from what lives, by stream; empty if they do not."""
        return self._differences(self.app.account.records, streams or self.streams)

    def differences_from_what_is_seen(self, *streams: str) -> dict[str, Any]:
        """Return the same against what the key may see."""
        return self._differences(self.app.account.visible, streams or self.streams)

    def _differences(self, truth: Callable[[str], list[Record]], streams: tuple[str, ...]) -> dict[str, Any]:
        found = {}
        for stream in streams:
            expected = {(one["id"],): _told_apart(one) for one in truth(SOURCES.get(stream, stream))}
            for number, table in enumerate(self.targets.living(stream)):
                if other := compared(expected, {key: _told_apart(record) for key, record in table.items()}):
                    found[f"{stream} {number}"] = other
        return found

    def requests(self, stream: str) -> int:
        """Return how many requests the last run sent for a stream, by the sandbox's own count."""
        return self.app.stats.by_path.get(f"{stream}/search", 0)


def _told_apart(record: Record) -> Record:
    """Return what shows that a record is there as it is now; all its fields are compared in other tests."""
    told = {name: record.get(name) for name in ("name", "details", "converted_contact_id")}
    return told | {name: to_epoch(record.get(name)) for name in TIMES}

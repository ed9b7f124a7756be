"""A tiny account of each CRM, loaded once and then changed: what every cell of the matrix begins with."""

from __future__ import annotations

import re
from collections import defaultdict
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.contract.conftest import tap_for
from tests.proof.seam import BASE, AppServer, Asked, answered_by
from tests.proof.virtual_time import virtual_time
from tests.singer import Run, only
from tests.target import Target
from tests.truth import compared

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from random import Random

    from tests.contract.crm import Crm
    from tests.proof.seam import Piece
    from tests.singer import Key, Record

#: What makes an account small, where it has to be smaller than that of the contract's tests.
TINY: dict[str, dict[str, Any]] = {
    "copper": {
        **dict.fromkeys(("companies", "opportunities", "leads", "projects", "tasks"), 4),
        "people": 25,
        "activities": 12,
        "users": 3,
        "tags": 12,
        "future_activities": 1,
        "odd_close_dates": 1,
    },
    "close": {
        **dict.fromkeys(("opportunities", "tasks"), 6),
        **dict.fromkeys(("custom_fields", "sequences", "small_lists"), 2),
        **dict.fromkeys(("users", "sequence_subscriptions", "custom_objects", "comments"), 3),
        "leads": 12,
        "contacts": 8,
        "events": 12,
        "activities": 30,
    },
    "copera": {
        **dict.fromkeys(("boards", "teams", "booking_types"), 2),
        **dict.fromkeys(("members", "channels"), 4),
        **dict.fromkeys(("documents", "drive_files", "bookings", "comments"), 6),
        "tables": 5,
        "rows": 30,
        "notifications": 25,
    },
    "pebble": {"contacts": 12},
}
KNOBS: dict[str, dict[str, Any]] = {
    "copper": {"page_cap": 10, "tags_page": 5},
    "close": {"limit_caps": {"data/search": 5, "opportunity": 4, "task": 4, "activity": 4, "event": 5}},
}
#: What makes it another account.
OTHER: dict[str, dict[str, Any]] = {
    "copper": {"seed": 99, "account": 2},
    "close": {"seed": 99},
    "copera": {"seed": 99},
}
#: What is left as it is: the sandbox makes no whole records of it, or streams are called by it.
UNCHANGED = frozenset({"copper activity_types", "copera boards", "copera tables", "copera columns"})
#: Streams of each way in which streams are read.
SAMPLE = {
    "copper": ("companies", "activities", "tags", "loss_reasons"),
    "close": ("leads", "tasks", "notes", "groups"),
    "copera": ("sales__leads", "channels", "notifications"),
    "pebble": ("account", "contacts", "labels", "custom_fields"),
}
#: Parts of paths that name a record.
_ID = re.compile(r"[^/]*\d[^/]*")
#: Seconds between the two runs: what is closed at the first one is past by then.
PAUSE = 7_200.0
AUDIT = "sync_audit"
#: What records are made as, where the sandbox needs more of them than an id and a name.
MADE_AS = {"copper webhooks": {"type": "person", "event": "new", "target": "https://example.com/hook"}}
#: How the sandbox says that it has no such order.
REFUSED = (ValueError, LookupError, AttributeError, TypeError)
#: Of fewer records none is deleted.
FEW = 4
#: Streams beside the one with the fault, which stay complete.
COMPANIONS = 2


def template(asked: Asked, base_path: str) -> str:
    """Return what kind of question it is: its method and path, without the ids of records."""
    path = _ID.sub("{}", asked.path.removeprefix(base_path).strip("/"))
    kind = re.search(rb'"object_type":\s*"(\w+)"', asked.body) if path.startswith("data/search") else None
    return f"{asked.method} {path}{f' {kind[1].decode()}' if kind else ''}"


@dataclass
class Recorder:
    """Answers as the sandbox does, and keeps what was asked."""

    server: AppServer
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        self.asked.append(asked)
        return self.server(asked)


class Account:
    """An account of a CRM before the seam, what a first run loaded of it, and what was changed since.

    Args:
        crm: the CRM.
        folder: for the files of runs.

    Attributes:
        crm: the CRM.
        server: answers without a fault.
        other: another account of the same CRM.
        catalog: all streams of the account.
        first: the run before the changes.
    """

    def __init__(self, crm: Crm, folder: Path) -> None:
        shape = {**crm.shape, **crm.everything, **TINY.get(crm.name, {})}
        knobs = {"rate_limit": 0, **crm.knobs, **KNOBS.get(crm.name, {})}
        self.crm = crm
        self.server = AppServer(crm.app(shape, **knobs))
        self.other = AppServer(crm.app({**shape, **OTHER.get(crm.name, {})}, **knobs))
        self.base_path = self.server.app.base_path
        self.tap = tap_for(crm, BASE + self.base_path, folder)
        recorder = Recorder(self.server)
        with virtual_time() as clock, answered_by(recorder, clock.wait):
            self.catalog, _ = self.tap.discover()
            self.streams = tuple(entry["tap_stream_id"] for entry in self.catalog["streams"])
            self.streams = tuple(name for name in self.streams if name not in (AUDIT, "writes"))
            self.first = self.tap.sync(catalog=only(self.catalog, *self.streams, AUDIT))
            self.edited = self._change()
            self.server.app.behaviour.clock_skew = self.tap.clock_ahead = PAUSE
            self.other.app.behaviour.clock_skew = PAUSE
        self.templates: dict[str, tuple[str, ...]] = {}
        self.asked: dict[str, list[Asked]] = {}
        self._all: dict[bool, dict[str, dict[Key, Record]]] = {}
        self._kinds: dict[bool, tuple[str, ...]] = {}
        self._truth: dict[tuple[str, bool], dict[Key, Record]] = {}

    def of(self, *streams: str) -> Account:
        """Return the same account as if it had these streams only: what is learned of each of them takes a while."""
        part = copy(self)
        part.streams = streams
        part.templates, part.asked = {}, {}
        part._all, part._kinds, part._truth = {}, {}, {}  # noqa: SLF001 - of its own kind
        part.__dict__.pop("common", None)
        return part

    @cached_property
    def sample(self) -> Account:
        """The same account with some streams, of each way in which streams are read."""
        return self.of(*SAMPLE[self.crm.name])

    def _change(self) -> set[str]:
        """Change, make and delete records of every object that lets itself be changed."""
        return {
            f"{stream}: {verb}"
            for stream in self.streams
            for verb in ("edit", "create", "delete")
            # Of lists as small as these, too little would be left.
            if (verb != "delete" or stream in self.crm.edited) and self._has_changed(verb, stream, 2)
        }

    def change_some(self, streams: tuple[str, ...], choice: Random) -> list[str]:
        """Change, make and delete a record of each object that lets itself be changed; return what was done."""
        return [
            f"{verb} {stream}"
            for stream in streams
            for verb in choice.sample(("edit", "create", "delete"), 3)
            if not (verb == "delete" and self._has_few(stream)) and self._has_changed(verb, stream, 1)
        ]

    def _has_few(self, stream: str) -> bool:
        """Tell whether a list may be empty soon, which is not believed at once."""
        if stream in self.crm.edited:
            return False
        try:
            return len(self.server.app.account.ids(self.crm.named(stream))) < FEW
        except REFUSED:
            return True

    def _has_changed(self, verb: str, stream: str, count: int) -> bool:
        """Carry out an order; tell whether the sandbox has such an order."""
        name = self.crm.named(stream)
        known = f"{self.crm.name} {name}"
        if known in UNCHANGED:
            return False
        order = {"object": name, "count": count}
        if verb == "create" and (made := MADE_AS.get(known)):
            order["changes"] = made
        try:
            self.server.app.account.change(verb, order)
        except REFUSED:
            return False
        return True

    def learn(self, stream: str) -> None:
        """Find out what is asked for a stream, and what a faultless run loads of it."""
        if stream in self.templates:
            return
        templates: set[str] = set()
        for is_first in (False, True):
            recorder = Recorder(self.server)
            with virtual_time() as clock, answered_by(recorder, clock.wait):
                run = self.run((stream,), is_first=is_first)
            assert run.code == 0, run.said()
            self.asked.setdefault(stream, []).extend(recorder.asked)
            templates.update(template(asked, self.base_path) for asked in recorder.asked)
            self._truth[stream, is_first] = self.loaded(stream, *(() if is_first else (self.first,)), run)
        self.templates[stream] = tuple(sorted(templates))  # in an order that no thread decides

    @cached_property
    def common(self) -> frozenset[str]:
        """The kinds of questions that every run asks, whatever it reads."""
        for one in self.streams:
            self.learn(one)
        return frozenset.intersection(*(frozenset(self.templates[one]) for one in self.streams))

    def own(self, stream: str) -> tuple[str, ...]:
        """Return the kinds of questions that are asked for a stream, without those that every run asks."""
        self.learn(stream)
        return tuple(one for one in self.templates[stream] if one not in self.common) or self.templates[stream]

    def companions(self, stream: str) -> tuple[str, ...]:
        """Return streams of which nothing is asked that is asked for this one."""
        asked = set(self.own(stream)) - self.common
        others = [one for one in self.streams if one != stream and not asked & set(self.templates[one])]
        others.sort(key=lambda one: len(self.own(one)))
        return tuple(others[:COMPANIONS])

    def run(self, streams: tuple[str, ...], *, is_first: bool, state: dict[str, Any] | None = None) -> Run:
        """Read streams, all of them or what changed since the first run."""
        return self.tap.call(self.command(streams, state=state or self.begun(streams, is_first=is_first)))

    def command(self, streams: tuple[str, ...], *, state: dict[str, Any] | None, **settings: Any) -> list[str]:  # noqa: ANN401
        """Return the command that reads streams."""
        return self.tap.command(state=state, catalog=only(self.catalog, *streams, AUDIT), **settings)

    def begun(self, streams: tuple[str, ...], *, is_first: bool) -> dict[str, Any] | None:
        """Return what a run goes on from: the first run's state, had it read these streams only; None for none."""
        if is_first:
            return None
        known = self.first.state
        return {**known, "bookmarks": {name: one for name, one in known["bookmarks"].items() if name in streams}}

    def differences(self, stream: str, *runs: Run, is_first: bool, in_all: bool = False) -> dict[str, Any]:
        """Return how what a target has after these runs differs from what faultless ones load.

        Rows that the CRM has deleted may be there or not: which run looks for them depends on the clocks.

        Args:
            stream: the stream.
            runs: all of them, but for the first one of the account.
            is_first: whether they began without a state.
            in_all: whether they read all streams.
        """
        table = self.loaded(stream, *(() if is_first else (self.first,)), *runs)
        truth = self.truth_of_all(is_first=is_first)[stream] if in_all else self.truth(stream, is_first=is_first)
        if truth == table:
            return {}
        alive = self.truth_of_all(is_first=True)[stream] if in_all else self.truth(stream, is_first=True)
        return compared({key: row for key, row in truth.items() if key in table or key in alive}, table)

    def truth_of_all(self, *, is_first: bool) -> dict[str, dict[Key, Record]]:
        """Return what one faultless run of all streams loads, by stream."""
        if is_first not in self._all:
            recorder = Recorder(self.server)
            with virtual_time() as clock, answered_by(recorder, clock.wait):
                run = self.run(self.streams, is_first=is_first)
            assert run.code == 0, run.said()
            known = () if is_first else (self.first,)
            self._all[is_first] = {stream: self.loaded(stream, *known, run) for stream in self.streams}
            self._kinds[is_first] = tuple(sorted({template(asked, self.base_path) for asked in recorder.asked}))
        return self._all[is_first]

    def kinds(self, *, is_first: bool) -> tuple[str, ...]:
        """Return every kind of question that a run of all streams asks, in an order that no thread decides."""
        self.truth_of_all(is_first=is_first)
        return self._kinds[is_first]

    def truth(self, stream: str, *, is_first: bool) -> dict[Key, Record]:
        """Return what a faultless run loads."""
        self.learn(stream)
        return self._truth[stream, is_first]

    def loaded(self, stream: str, *runs: Run) -> dict[Key, Record]:
        """Return what a target has of a stream after some runs."""
        if not any(stream in run.schemas for run in runs):
            return {}
        wanted = [Run(run.code, run.log, [one for one in run.messages if one.get("stream") == stream]) for run in runs]
        return Target(*wanted).living(stream)


def by_template(asked: Iterable[Asked], base_path: str) -> dict[str, list[Asked]]:
    """Return questions by their kind."""
    found: defaultdict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        found[template(one, base_path)].append(one)
    return found

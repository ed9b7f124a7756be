"""A state machine: whatever happens to an account, its runs and its states, in whatever order, is loaded in the end.

Records are edited, made, deleted and merged, several of them in one second; definitions of custom fields come, change
and go; rights are taken and given back; runs end, are cut off anywhere, and go on from old states; `target-crm` writes;
events wait in an inbox, or are lost; another account is asked with the state of this one; the machine's clock is wrong.
"""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tap_crm.inbox.entries import Delivery
from target_crm.singer.target import TargetCRM
from tests.contract.conftest import tap_for
from tests.contract.crms import CRMS
from tests.hints.tellers import TELLERS, Told
from tests.proof.accounts import FEW, OTHER, REFUSED, TINY
from tests.proof.crashes import EMPTIED
from tests.proof.seam import BASE, AppServer, answered_by
from tests.proof.virtual_time import virtual_time
from tests.singer import Run, only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.proof.seam import Server
    from tests.proof.virtual_time import VirtualTime

Record = dict[str, Any]
#: Streams of each way in which streams are read, whose truth the sandbox tells. Close's log of events is not among
#: them: what it has forgotten stays loaded.
STREAMS = {
    "copper": ("people", "companies", "activities", "loss_reasons", "pipeline_stages", "tags"),
    "close": ("leads", "contacts", "tasks", "notes", "opportunities", "groups"),
    "copera": ("tables", "columns", "sales__leads", "channels", "notifications"),
    "pebble": ("account", "contacts", "labels", "custom_fields"),
}
#: Copper gives as few records in a page as its documentation has as the usual number.
SMALL_PAGES: dict[str, Record] = {
    "copper": {"page_cap": 20},
    "close": {"limit_caps": {"data/search": 5, "opportunity": 4, "task": 4, "activity": 4, "event": 5}},
}
#: Where rights can be taken: knobs, and the streams that cannot be read then.
RIGHTS: dict[str, list[str]] = {"copper": ["pipeline_stages"], "close": ["group"]}
#: What is written, by the field that is set.
WRITTEN = {"copper": ("people", "title"), "close": ("leads", "description")}
DAY = 86_400.0
#: Seconds that pass between two things, and by which the machine's clock is wrong.
PAUSES = (0.0, 1.0, 61.0, 3_600.0, 3 * DAY)
WRONG = (0.0, DAY, -DAY, 600.0, -600.0)
#: Of catalogs, by CRM: accounts of one CRM are alike.
_CATALOGS: dict[str, Record] = {}


class Steps:
    """Counts what was done, over all examples."""

    done = 0


class Machine(RuleBasedStateMachine):
    """One account, a target that takes what every run writes, and the states that runs have written.

    Attributes:
        name: the CRM's.
        serve: returns what answers, by the account.
    """

    name: ClassVar[str]

    def __init__(self, streams: tuple[str, ...] = ()) -> None:
        """Open the account, and load it: some of the streams of `STREAMS`, or all."""
        super().__init__()
        self.crm = CRMS[self.name]
        self.serve: Callable[[Any], Server] = AppServer
        self.folder = tempfile.TemporaryDirectory()
        shape = {**self.crm.shape, **self.crm.everything, **TINY.get(self.name, {})}
        knobs = {"rate_limit": 0, **self.crm.knobs, **SMALL_PAGES.get(self.name, {})}
        self.app = self.crm.app(shape, **knobs)
        self._make_other = partial(self.crm.app, {**shape, **OTHER.get(self.name, {})}, **knobs)
        self.tap = tap_for(self.crm, BASE + self.app.base_path, Path(self.folder.name))
        self.passed, self.wrong = 0.0, 0.0
        self.runs: list[Run] = []
        self.states: list[Record | None] = [None]
        self.is_restricted = False
        self.told: Told | None = None
        self.streams = streams or STREAMS[self.name]
        self.fields: list[Any] = []
        self.is_stale = False
        if self.name in TELLERS:
            self.told = Told(Path(self.folder.name), self.name)
            self.tap.config["inbox"] = self.told.path
        with self.now():
            if self.name not in _CATALOGS:
                _CATALOGS[self.name] = self.tap.discover()[0]
        self.catalog = only(_CATALOGS[self.name], *self.streams, "sync_audit")
        self.steps = 0
        self.run_to_its_end()
        self.steps = 0

    @cached_property
    def other(self) -> Any:  # noqa: ANN401 - any sandbox
        """Another account of the CRM."""
        return self._make_other()

    def teardown(self) -> None:
        """Check that all is there in the end, unless nothing has happened, and close."""
        try:
            if self.steps:
                self.settle()
        finally:
            self.close()

    def close(self) -> None:
        """Remove its files."""
        if self.told is not None:
            self.told.spool.close()
        self.folder.cleanup()

    # How it is done

    @contextmanager
    def now(self, app: Any = None) -> Iterator[VirtualTime]:  # noqa: ANN401 - any sandbox
        """Let it be as late as it is by now, and an account be there."""
        with virtual_time() as clock, answered_by(self.serve(app or self.app), clock.wait):
            clock.wait(self.passed)
            try:
                yield clock
            finally:
                self.passed = clock.passed

    def sync(self, state: Record | None, app: Any = None, **settings: Any) -> Run:  # noqa: ANN401
        """Run the tap, whose machine's clock may be wrong; the CRM's is not."""
        with self.now(app):
            # The run's clock is that of the threads in which the sandbox answers, too.
            (app or self.app).behaviour.clock_skew = -self.wrong
            self.tap.clock_ahead = self.wrong
            try:
                run = self.tap.call(self.tap.command(state=state, catalog=self.catalog, **settings))
            finally:
                (app or self.app).behaviour.clock_skew = self.tap.clock_ahead = 0.0
        assert "Traceback" not in run.log, run.log[-3000:]
        assert self.crm.config["api_key"] not in run.log
        assert run.code in (0, 1), run.said()
        return run

    def take(self, run: Run) -> None:
        """Have the target take what a run wrote."""
        self.runs.append(run)
        self.states += [message["value"] for message in run.messages if message["type"] == "STATE"]

    def count(self) -> None:
        """Count a step."""
        Steps.done += 1
        self.steps += 1

    def few(self, stream: str) -> bool:
        """Tell whether a list may be empty soon, which is not believed at once."""
        try:
            return len(self.app.account.ids(self.crm.named(stream))) < FEW
        except REFUSED:
            return stream not in self.crm.edited

    # What happens to the account

    @rule(which=st.integers(0, 9), verb=st.sampled_from(["edit", "create", "delete"]), count=st.integers(1, 3))
    def change(self, which: int, verb: str, count: int) -> None:
        """Edit, make or delete records; their events come, or are lost."""
        self.count()
        stream = self.streams[which % len(self.streams)]
        if verb == "delete" and (self.few(stream) or stream in ("tables", "columns", "pipeline_stages")):
            return
        with self.now():
            try:
                keys = getattr(self.crm, verb)(self.app, stream, count)
            except REFUSED:
                return
            if currently_in_test_context():
                note(f"{verb} {stream} {keys}")
            if self.told is not None and stream in TELLERS[self.name].streams and which < 5:
                what = {"edit": "update", "create": "new", "delete": "delete"}[verb]
                bodies = TELLERS[self.name].events(self.app, stream, [key for (key,) in keys], what)
                self.told.behind = timedelta(seconds=-self.passed)
                moment = datetime.now(UTC) + timedelta(seconds=self.passed)
                self.told.spool.append([Delivery(self.name, body, moment) for body in bodies])

    @precondition(lambda self: self.name in ("copper", "close"))
    @rule()
    def merge(self) -> None:
        """Make one record of two."""
        self.count()
        with self.now():
            self.app.account.change("merge", {"object": "people", "count": 1})

    @rule(verb=st.sampled_from(["add", "rename", "retype", "remove"]), which=st.integers(0, 3))
    def change_fields(self, verb: str, which: int) -> None:
        """Define a custom field, give it another name or type, or remove it."""
        self.count()
        if self.name not in _FIELDS or (verb != "add" and not self.fields):
            return
        number = None if verb == "add" else self.fields[which % len(self.fields)]
        with self.now():
            made = self.app.account.change(*_FIELDS[self.name].order(verb, number, f"Field {self.steps}"))
        self.is_stale = True
        if verb == "add":
            self.fields += made
        elif verb == "remove":
            self.fields.remove(number)

    @precondition(lambda self: self.name in RIGHTS)
    @rule()
    def change_rights(self) -> None:
        """Take the right to read a list, or give it back."""
        self.count()
        self.is_restricted = not self.is_restricted
        self.app.behaviour.forbidden = list(RIGHTS[self.name]) if self.is_restricted else []

    @precondition(lambda self: self.name in WRITTEN)
    @rule(text=st.sampled_from(["A", "B", "ü"]))
    def write(self, text: str) -> None:
        """Have `target-crm` set a field of some records."""
        self.count()
        stream, name = WRITTEN[self.name]
        rows = [{"id": key, name: text} for key in self.app.account.ids(stream)[:3]]
        schema: Record = {"properties": {"id": {}, name: {}}}
        messages: list[Record] = [{"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]}]
        messages += [{"type": "RECORD", "stream": stream, "record": row} for row in rows]
        config = {**self.tap.config, "streams": {stream: {"mode": "update"}}}
        config = {key: value for key, value in config.items() if key not in ("inbox", "custom_fields")}
        config["journal"] = str(Path(self.folder.name) / "journal.sqlite")
        with self.now(), redirect_stdout(io.StringIO()):
            TargetCRM(config=config).run(io.StringIO("".join(json.dumps(one) + "\n" for one in messages)))

    @rule(seconds=st.sampled_from(PAUSES))
    def wait(self, seconds: float) -> None:
        """Let time pass: what happens without that may be in the same second."""
        self.count()
        self.passed += seconds

    @rule(seconds=st.sampled_from(WRONG))
    def set_clock(self, seconds: float) -> None:
        """Set the clock of the machine on which the tap runs."""
        self.count()
        self.wrong = seconds

    # Runs

    @rule(reconcile=st.sampled_from(["auto", "auto", "true", "false"]))
    def run_to_its_end(self, reconcile: str = "auto") -> None:
        """Go on from the last state; exit code 0 where nothing keeps a stream from being read."""
        self.count()
        run = self.sync(self.states[-1], reconcile=reconcile)
        self.take(run)
        if self.is_restricted:
            assert run.code == 1, run.said()
        else:
            assert run.code == 0 or EMPTIED in run.log, run.said()

    @rule(share=st.floats(0, 1))
    def run_and_die(self, share: float) -> None:
        """Cut a run off: what was written is the beginning of what it would have written."""
        self.count()
        run = self.sync(self.states[-1])
        self.take(Run(-9, "", run.messages[: int(share * len(run.messages))]))

    @rule(back=st.integers(1, 60))
    def lose_states(self, back: int) -> None:
        """Go on from an older state; the target has what came after it."""
        self.count()
        del self.states[max(1, len(self.states) - back) :]

    @precondition(lambda self: self.states[-1] and self.name in OTHER)
    @rule()
    def ask_another_account(self) -> None:
        """Ask another account with the state of this one: nothing is written."""
        self.count()
        run = self.sync(self.states[-1], self.other)
        written = [message for message in run.messages if message["type"] == "RECORD"]
        if {one.get("account") for one in (self.states[-1] or {}).get("bookmarks", {}).values()} - {None}:
            assert (run.code, written) == (1, []), run.said()

    @rule()
    def settle(self) -> None:
        """Give back all rights, let time pass, and read everything: the target has what the CRM has.

        With a catalog made before definitions changed, some values would be in `_extra` (docs/custom-fields.md), so it
        is made anew.
        """
        self.count()
        self.is_restricted, self.wrong = False, 0.0
        if self.name in RIGHTS:
            self.app.behaviour.forbidden = []
        if self.is_stale:
            with self.now():
                self.catalog = only(self.tap.discover()[0], *self.streams, "sync_audit")
            self.is_stale = False
        for reconcile in ("auto", "true", "true"):
            self.passed += 3_600.0
            run = self.sync(self.states[-1], reconcile=reconcile)
            self.take(run)
            assert run.code == 0 or EMPTIED in run.log, run.said()
        assert run.code == 0, run.said()
        self.check()

    def check(self, *, without: tuple[str, ...] = ()) -> None:
        """Compare what the target has with what the CRM has, but for some streams."""
        with self.now():
            for stream in (one for one in self.streams if one not in without):
                found = self.crm.differences(self.app, stream, *self.runs)
                assert not found, f"{stream}: {str(found)[:1500]}"


@dataclass(frozen=True)
class _Definitions:
    """How a sandbox is told of a definition: what it is called, by which keys, and what it is made as."""

    what: str
    number: str
    called: str
    add: Record
    retype: Record
    always: Record = field(default_factory=dict)

    def order(self, verb: str, number: Any, name: str) -> tuple[str, Record]:  # noqa: ANN401
        """Return the order that adds a definition, or changes the one of a number."""
        orders: dict[str, Record] = {
            "add": {self.called: name, "fill": True, **self.add},
            "rename": {self.called: name},
            "retype": self.retype,
        }
        which = {} if number is None else {self.number: number}
        return f"{verb}_{self.what}", {**self.always, **orders.get(verb, {}), **which}


#: Texts stay where their column gets another type: a type is named here that takes them.
_FIELDS = {
    "copper": _Definitions("field", "id", "name", {"data_type": "String"}, {"data_type": "Text"}),
    "close": _Definitions("field", "id", "name", {"object_type": "lead", "type": "text"}, {"type": "number"}),
    "copera": _Definitions("column", "column", "label", {"type": "TEXT"}, {"type": "GAUGE"}, {"table": "Leads"}),
}
MACHINES = {name: type(f"{name.title()}Machine", (Machine,), {"name": name}) for name in CRMS}

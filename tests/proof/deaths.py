"""The crash matrix of writing: a run of `target-crm` that dies anywhere, and the next one, which is given the rest.

What dies is all that is in memory. So at the moment of a death the files are copied as they are, and what was written
to the standard output is kept; what the dying run still does to its own files, as exceptions pass, is seen by nobody.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from tests.proof.images import copied
from tests.target_crm.copera_account import COMPANIES
from tests.target_crm.crms import CRMS, Account
from tests.target_crm.running import Killed, records, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target_crm.crms import Crm

Record = dict[str, Any]
Kind = Literal["before a request", "after a request", "at a step of the journal"]
KINDS: tuple[Kind, ...] = ("before a request", "after a request", "at a step of the journal")
DELETED = "2026-11-01T00:00:00Z"


@dataclass(frozen=True)
class Linked:
    """A second stream whose records refer to those of the first, and what the CRM keeps the reference in.

    Attributes:
        stream: the second stream.
        field: of its records, with the key of one of the first stream.
        there: the CRM's field.
        many: whether both are lists.
    """

    stream: str
    field: str
    there: str
    many: bool = False


LINKED = {
    "copper": Linked("opportunities", "primary_contact_id", "primary_contact_id"),
    "close": Linked("contacts", "lead_id", "lead_id"),
    "copera": Linked(COMPANIES, "people", "People", many=True),
}


@dataclass
class Writing:
    """An account that is written to, run after run, each with new records of its own.

    Attributes:
        name: the CRM's.
        crm: the account.
        folder: for journals and reports.
        tried: places by kind.
        steps: names of the steps of the journal at which a run died.
    """

    name: str
    crm: Crm
    folder: Path
    tried: Counter[str] = field(default_factory=Counter)
    steps: set[str] = field(default_factory=set)
    _runs: Iterator[int] = field(default_factory=lambda: count(1))

    def die(self, kind: Kind, at: int) -> list[str] | None:
        """Let a run die at a place and give the rest to another one; return what is wrong, None if it ended before."""
        attempt = Attempt(self, f"{next(self._runs)}")
        died = attempt.first(kind, at)
        if not died:
            return None
        self.tried[kind] += 1
        return [f"{kind} {at}: {one}" for one in attempt.wrong()]

    def everywhere(self, kind: Kind, each: int = 1, begin: int = 1) -> list[str]:
        """Let runs die at each place of a kind, or at each so many-th; return what is wrong."""
        wrong: list[str] = []
        for at in count(begin, each):
            found = self.die(kind, at)
            if found is None:
                return wrong
            wrong += found
        raise AssertionError("unreachable")


class Attempt:
    """A run that dies, and the next one.

    Its records: one that is there and differs, one that is there as it should be, one that is to be deleted, two new
    ones, and one of another stream that refers to one of these. A STATE comes after each of them.
    """

    def __init__(self, writing: Writing, name: str) -> None:
        self.writing, self.name = writing, name
        self.folder = writing.folder / name
        self.folder.mkdir()
        self.account = Account(writing.crm, self.folder)
        crm, linked = writing.crm, LINKED[writing.name]
        self.linked = linked
        self.settings: Record = {
            "streams": {
                crm.stream: {**self.account.keyed, "on_delete": "delete"},
                linked.stream: {"match": ["key"], "external_id": crm.external},
            },
            "max_deletions_percent": 100,
        }
        known = [self._row(one, text) for one, text in (("a", "B"), ("b", "A"), ("c", "A"))]
        done = self.account.bench.run(records(crm.stream, *known), **self.settings)
        assert (done.code, done.outcomes) == (0, {"created": 3}), done.said
        self.account = self.account.reopened()
        refers = [self.key("e")] if linked.many else self.key("e")
        rows = [
            *((crm.stream, self._row(one)) for one in ("a", "b")),
            (crm.stream, self._row("c", _sdc_deleted_at=DELETED)),
            *((crm.stream, self._row(one)) for one in ("d", "e")),
            (linked.stream, {"key": self.key("f"), "name": self.named("f"), linked.field: refers}),
        ]
        self.rows = [(stream, row, state(at)) for at, (stream, row) in enumerate(rows, 1)]
        self.states: list[Record] = []
        self.image = writing.folder / f"{name} image"

    def key(self, one: str) -> str:
        """Return the key of a record of this attempt."""
        return f"k{self.name}{one}"

    def named(self, one: str) -> str:
        """Return its name."""
        return f"Name {self.key(one)}"

    def _row(self, one: str, text: str = "A", **more: Any) -> Record:  # noqa: ANN401
        return {"key": self.key(one), "name": self.named(one), self.writing.crm.text: text, **more}

    def first(self, kind: Kind, at: int) -> bool:
        """Run until it dies; return whether it did."""
        door = self.account.door
        left = at

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.writing.steps.add(name)
                self._keep()
                raise Killed

        if kind == "at a step of the journal":
            done = self.account.bench.run(self._input(0), step, **self.settings)
        else:
            door.dies, door.dying = (at, kind.split(maxsplit=1)[0]), self._keep
            done = self.account.bench.run(self._input(0), **self.settings)
        if done.code != -9:
            assert done.code == 0, done.said
        return done.code != 0

    def _keep(self) -> None:
        """Keep what a process would leave that dies now."""
        self.states = [json.loads(line) for line in sys.stdout.getvalue().splitlines()]  # type: ignore[union-attr]
        copied(self.folder, self.image)

    def _input(self, after: int) -> list[Record]:
        """Return what a tap gives that goes on after a place."""
        given: list[Record] = []
        for stream in dict.fromkeys(stream for stream, _, _ in self.rows):
            parts = [(row, last) for of, row, last in self.rows if of == stream and last["value"]["at"] > after]
            given += records(stream, *(row for row, _ in parts))[:1] if parts else []
            for row, last in parts:
                given += [{"type": "RECORD", "stream": stream, "record": row}, last]
        return given

    def wrong(self) -> Iterator[str]:
        """Give the rest to another process, and tell what is wrong after that."""
        place = self.states[-1]["at"] if self.states else 0
        shutil.rmtree(self.folder)
        self.image.rename(self.folder)  # the journal knows the path of the report
        later = self.account.reopened()
        done = later.bench.run(self._input(place), **self.settings)
        if done.code != 0:
            yield f"the next run fails: {done.said}"
            return
        if (done.states or self.states)[-1] != {"at": len(self.rows)}:
            yield f"the last STATE is {done.states}"
        yield from self._untrue()
        with closing(sqlite3.connect(later.bench.journal)) as journal:
            if left := journal.execute("SELECT * FROM target_crm_intents WHERE state = 'open'").fetchall():
                yield f"the journal has open intents: {left}"
            if left := journal.execute("SELECT line FROM target_crm_lines").fetchall():
                yield f"lines of the report are left: {left}"
        each = Counter((line["run_id"], line["stream"], line["key"]) for line in later.bench.lines())
        if doubled := {key for key, lines in each.items() if lines > 1}:
            yield f"the report has two lines of {doubled}"
        made = Counter(line["key"] for line in later.bench.lines() if line["outcome"] == "created")
        if made != Counter(map(self.key, "abcdef")):
            yield f"the report tells of these as created: {made}"

    def _untrue(self) -> Iterator[str]:
        crm, linked = self.writing.crm, self.linked
        mine = {self.named(one): one for one in "abcdef"}
        names = {name: number for name, number in crm.names().items() if name in mine}
        if names != dict.fromkeys(map(self.named, "abde"), 1):
            yield f"the CRM has {names}"
        texts = {name: text for name, text in crm.texts().items() if name in mine}
        if set(texts.values()) != {"A"}:
            yield f"the CRM has {texts}"
        ids = {
            row.get("Name", row.get("name")): row.get("_id", row.get("id")) for row in crm.transport.rows(crm.stream)
        }
        there = [
            row for row in crm.transport.rows(linked.stream) if row.get("Name", row.get("name")) == self.named("f")
        ]
        refers = [ids.get(self.named("e"))] if linked.many else ids.get(self.named("e"))
        if [row.get(linked.there) for row in there] != [refers]:
            yield f"the CRM has of {linked.stream}: {there}"


__all__ = ["CRMS", "KINDS", "Writing"]

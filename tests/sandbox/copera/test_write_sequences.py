"""Whatever valid writes come in whatever order: reads give back what was written."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sandbox.copera import PAT, Shape, copera_app
from sandbox.exchange import Refusal, Request

_APP = copera_app(Shape(seed=7, now=1_790_000_000, rows={"Deals": 2, "Companies": 3, "People": 3}), rate_limit=0)
_TABLE = _APP.account.table_named("Deals")
_TEXTS = st.sampled_from(["", "x", "Zoë 🥾", "two\nlines", "  padded  "])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "TEXT": _TEXTS,
    "EMAIL": _TEXTS,
    "NUMBER": st.one_of(st.none(), st.integers(-5, 5)),
    "MONEY": st.one_of(st.none(), st.sampled_from([0.1, 1e9])),
    "CHECKBOX": st.booleans(),
    "DATE": st.sampled_from([None, "2026-02-28", "2026-02-28T08:00:00.000Z"]),
}
_COLUMNS = {one.id: _VALUES[one.type] for one in _TABLE.columns if one.type in _VALUES}
_COLUMNS |= {
    one.id: st.sampled_from([None, *one.option_ids()]) for one in _TABLE.columns if one.type in ("STATUS", "DROPDOWN")
}
_COLUMNS |= {
    one.id: st.lists(st.sampled_from(one.option_ids()), unique=True) for one in _TABLE.columns if one.type == "LABELS"
}
_COLUMNS |= {
    one.id: st.lists(st.sampled_from(list(_APP.account.tables[one.target].rows)), unique=True)
    for one in _TABLE.columns
    if one.type == "LINK" and one.target and _APP.account.tables[one.target].rows and one.target != _TABLE.id
}
_CELLS = st.fixed_dictionaries({}, optional=_COLUMNS)
_PLACES = st.integers(0, 50)


class Writes(RuleBasedStateMachine):
    """A table, and what a client knows that it wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.path = f"board/{_TABLE.board}/table/{_TABLE.id}"
        self.written: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        """Ask without a network; a refusal answers with its status."""
        data = msgspec.json.encode(body) if body is not None else b""
        request = Request(1, 0.0, method, path, {}, {"content-type": "application/json"}, data, path, PAT)
        try:
            answered = _APP.answer(request).body
        except Refusal as refusal:
            return refusal.status
        return msgspec.json.decode(answered) if answered else None

    def some(self, place: int) -> str | None:
        """Choose a row that was written."""
        return sorted(self.written)[place % len(self.written)] if self.written else None

    @rule(cells=_CELLS)
    def create(self, cells: dict[str, Any]) -> None:
        """A new row has what it was given."""
        body = {"columns": [{"columnId": column, "value": value} for column, value in cells.items()]}
        self.written[self.ask("POST", f"{self.path}/row", body)["_id"]] = cells

    @rule(place=_PLACES, cells=_CELLS)
    def update(self, place: int, cells: dict[str, Any]) -> None:
        """An update changes what it names."""
        if row := self.some(place):
            body = {"columns": [{"columnId": column, "value": value} for column, value in cells.items()]}
            self.ask("PATCH", f"{self.path}/row/{row}", body)
            self.written[row] = self.written[row] | cells

    @rule(place=_PLACES, text=_TEXTS)
    def append(self, place: int, text: str) -> None:
        """A text is appended to the description."""
        if row := self.some(place):
            self.ask("POST", f"{self.path}/row/{row}/md", {"operation": "append", "content": text})
            self.texts[row] = self.texts.get(row, "") + text

    @rule(place=_PLACES)
    def delete(self, place: int) -> None:
        """A row that was deleted is gone."""
        if row := self.some(place):
            self.ask("DELETE", f"{self.path}/row/{row}")
            assert self.ask("GET", f"{self.path}/row/{row}") == 404
            del self.written[row]
            self.texts.pop(row, None)

    @invariant()
    def reads_give_back_what_was_written(self) -> None:
        """By id, and in the whole table; an empty cell may be missing."""
        shown = {one["_id"]: one for one in self.ask("GET", f"{self.path}/rows")}
        for row, wanted in self.written.items():
            assert self.ask("GET", f"{self.path}/row/{row}") == shown[row]
            held = {one["columnId"]: one.get("value") for one in shown[row]["columns"]}
            assert {column: held.get(column) or None for column in wanted} == {
                column: value or None for column, value in wanted.items()
            }
            assert self.ask("GET", f"{self.path}/row/{row}/md")["content"] == self.texts.get(row, "")


TestWrites = Writes.TestCase
TestWrites.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)

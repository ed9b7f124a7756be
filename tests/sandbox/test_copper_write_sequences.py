"""Whatever valid writes come in whatever order: reads give back what was written."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.copper.routes import answer
from sandbox.exchange import Refusal, Request

_HEADERS = {"x-pw-accesstoken": API_KEY, "x-pw-useremail": USER_EMAIL, "content-type": "application/json"}
_KEY = "custom_field_definition_id"
_TEXTS = st.one_of(st.none(), st.sampled_from(["", "x", "Zoë 🥾", "two\nlines", "  padded  "]))
_CATEGORIES = st.sampled_from(["work", "other", None])
_CUSTOM = {
    126_240: _TEXTS,
    126_249: st.sampled_from([None, 700_120, 700_124]),
    126_252: st.lists(st.sampled_from([700_160, 700_162, 700_164]), unique=True),
    126_255: st.one_of(st.none(), st.integers(-20_000, 20_000).map(lambda day: day * 86_400)),
    126_258: st.booleans(),
    126_261: st.one_of(st.none(), st.integers(-5, 5).map(lambda n: n / 4)),
}
_ENTRIES = st.sampled_from(sorted(_CUSTOM)).flatmap(lambda key: st.tuples(st.just(key), _CUSTOM[key]))
_CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "title": _TEXTS,
    "details": _TEXTS,
    "assignee_id": st.sampled_from([None, 137_650]),
    "tags": st.lists(st.sampled_from("abc"), unique=True),
    "address": st.one_of(
        st.none(),
        st.fixed_dictionaries(dict.fromkeys(("street", "city", "state", "postal_code", "country"), _TEXTS)),
    ),
    "phone_numbers": st.lists(st.fixed_dictionaries({"number": st.sampled_from("12"), "category": _CATEGORIES})),
    "custom_fields": st.lists(_ENTRIES, unique_by=lambda one: one[0]).map(
        lambda found: [{_KEY: key, "value": value} for key, value in found]
    ),
}
_BODIES = st.fixed_dictionaries({}, optional=_CHANGES)
_OBJECTS = st.sampled_from(["people", "leads"])
_PLACES = st.integers(0, 50)


class Writes(RuleBasedStateMachine):
    """An account, and what a client knows that it wrote."""

    def __init__(self) -> None:
        super().__init__()
        shape = Shape(people=2, companies=1, opportunities=1, leads=1, projects=1, tasks=1, activities=1, tags=3)
        self.app = copper_app(shape, rate_limit=0)
        self.written: dict[tuple[str, int], dict[str, Any]] = {}

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        """Ask without a network; a refusal answers with its status."""
        request = Request(1, 0.0, method, path, {}, _HEADERS, msgspec.json.encode(body) if body is not None else b"")
        try:
            return msgspec.json.decode(answer(self.app.service, request).body)
        except Refusal as refusal:
            return refusal.status

    def note(self, name: str, answered: dict[str, Any], body: dict[str, Any]) -> None:
        """Remember what was written over what was there."""
        held = self.written.setdefault((name, answered["id"]), {})
        values = held.get("custom_fields", {}) | {one[_KEY]: one["value"] for one in body.get("custom_fields", ())}
        held |= body | {"custom_fields": values}

    def some(self, place: int) -> tuple[str, int] | None:
        """Choose a record that was written."""
        return sorted(self.written)[place % len(self.written)] if self.written else None

    @rule(name=_OBJECTS, body=_BODIES)
    def create(self, name: str, body: dict[str, Any]) -> None:
        """A new record has what it was given."""
        self.note(name, self.ask("POST", name, {"name": "Ada"} | body), {"name": "Ada"} | body)

    @rule(name=_OBJECTS, bodies=st.lists(_BODIES, max_size=3))
    def create_many(self, name: str, bodies: list[dict[str, Any]]) -> None:
        """So has each one of a bulk request."""
        items = [{"name": f"Ada {n}"} | body for n, body in enumerate(bodies)]
        for item, answered in zip(items, self.ask("POST", f"{name}/bulk_create", {name: items}), strict=True):
            self.note(name, answered, item)

    @rule(place=_PLACES, body=_BODIES)
    def update(self, place: int, body: dict[str, Any]) -> None:
        """An update changes what it names."""
        if one := self.some(place):
            self.note(one[0], self.ask("PUT", f"{one[0]}/{one[1]}", body), body)

    @rule(body=_BODIES)
    def upsert(self, body: dict[str, Any]) -> None:
        """An upsert finds the one lead of its name."""
        match = {"field_name": "name", "field_value": "Upserted"}
        item = {"name": "Upserted"} | body
        self.note("leads", self.ask("PUT", "leads/upsert", {"properties": item, "match": match}), item)

    @rule(place=_PLACES)
    def delete(self, place: int) -> None:
        """A record that was deleted is gone."""
        if one := self.some(place):
            path = f"{one[0]}/{one[1]}"
            assert self.ask("DELETE", path) == {"id": one[1], "is_deleted": True}
            assert self.ask("GET", path) == 404
            del self.written[one]

    @invariant()
    def reads_give_back_what_was_written(self) -> None:
        """By id, and in a search that has caught up."""
        shown = {
            (name, record["id"]): record
            for name in ("people", "leads")
            for record in self.ask("POST", f"{name}/search", {"page_size": 200})
        }
        for (name, number), wanted in self.written.items():
            record = self.ask("GET", f"{name}/{number}")
            assert shown[name, number] == record
            values = {one[_KEY]: one["value"] for one in record["custom_fields"]}
            assert {key: values[key] for key in wanted["custom_fields"]} == wanted["custom_fields"]
            plain = wanted.keys() - {"custom_fields"}
            assert {key: record[key] for key in plain} == {key: wanted[key] for key in plain}
        upserted = [one for one in shown.values() if one["name"] == "Upserted"]
        assert len(upserted) <= 1


TestWrites = Writes.TestCase
TestWrites.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)

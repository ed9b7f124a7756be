"""Whatever is written to the Close server, in whatever order, can be read back in the form that Close gives it."""

# ruff: noqa: D102, D103  (the name of a test is its sentence)
from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.close import API_KEY, Shape, close_app
from sandbox.exchange import Refusal, Request

SERVER = close_app(
    Shape(
        now=1_790_000_000,
        leads=1,
        contacts=1,
        opportunities=0,
        tasks=0,
        activities=0,
        events=0,
        sequence_subscriptions=0,
        custom_objects=0,
        comments=0,
        small_lists=2,
    ),
    rate_limit=0,
)
"""Examples write into one organization: each looks only at the records that it made."""
HEADERS = {
    "authorization": f"Basic {base64.b64encode(f'{API_KEY}:'.encode()).decode()}",
    "content-type": "application/json",
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
USERS = st.sampled_from(SERVER.account.source.user_ids)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def day(moment: datetime) -> str:
    return moment.date().isoformat()


VALUES: dict[str, st.SearchStrategy[tuple[Any, Any]]] = {
    "text": st.tuples(TEXTS).map(lambda one: (one[0], one[0] or None)),
    "number": (st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)).map(lambda one: (one, one)),
    "choices": st.sampled_from(["Nord", "Süd", "東京"]).map(lambda one: (one, one)),
    "user": USERS.map(lambda one: (one, one)),
    "date": MOMENTS.map(lambda one: (one.isoformat(), day(one))),
    "datetime": MOMENTS.map(lambda one: (one.isoformat(), one.replace(microsecond=0).isoformat())),
}
"""Values of a type of custom field: as they are sent, and as they come back."""
DEFINITIONS = {
    f"custom.{one['id']}": one for one in SERVER.account.lists["custom_fields"] if one["object_type"] == "lead"
}
SINGLE = {key: one for key, one in DEFINITIONS.items() if one["type"] in VALUES and not one["accepts_multiple_values"]}
CHOICES = next(key for key, one in DEFINITIONS.items() if one["type"] == "choices" and one["accepts_multiple_values"])
PLAIN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "lead": {
        "name": (TEXTS | st.none()).map(lambda one: (one, one or "")),
        "description": (TEXTS | st.none()).map(lambda one: (one, one or "")),
        "url": (TEXTS | st.none()).map(lambda one: (one, one)),
        "addresses": st.lists(TEXTS, max_size=2).map(
            lambda cities: ([{"city": one} for one in cities], [{"city": one, "label": "business"} for one in cities])
        ),
    },
    "contact": {
        "name": (TEXTS | st.none()).map(lambda one: (one, one or "")),
        "emails": st.lists(st.integers(0, 9), max_size=3).map(
            lambda ones: (
                [{"email": f"m{one}@example.com"} for one in ones],
                [{"email": f"m{one}@example.com", "type": "office"} for one in ones],
            )
        ),
        "phones": st.lists(st.integers(0, 9_999), max_size=2).map(
            lambda ones: (
                [{"phone": f"(650) 555-{one:04d}", "type": "mobile"} for one in ones],
                [{"phone": f"+1650555{one:04d}", "type": "mobile"} for one in ones],
            )
        ),
    },
    "opportunity": {
        "value": st.none() | st.integers(0, 10**12),
        "confidence": st.integers(0, 100),
        "value_period": st.sampled_from(["one_time", "monthly", "annual"]),
        "note": st.none() | TEXTS,
        "user_id": USERS,
    },
    "task": {"text": TEXTS, "is_complete": st.booleans(), "assigned_to": st.none() | USERS},
    "activity/note": {"note": st.none() | TEXTS, "title": st.none() | TEXTS},
    "activity/call": {"note_html": st.none() | TEXTS, "duration": st.integers(0, 10**5)},
}
"""Fields by path; a value that comes back as it was sent stands alone."""


CHILDREN = [path for path in PLAIN if path != "lead"]


def ask(method: str, path: str, body: object = None, **query: str) -> tuple[int, Any]:
    """Ask the server without a port; gives the status and the body."""
    request = Request(0, 0.0, method, path, query, HEADERS, msgspec.json.encode(body), f"/api/v1/{path}/", API_KEY)
    try:
        with SERVER.account.lock:
            answer = SERVER.answer(request)
    except Refusal as refusal:
        return refusal.status, refusal.message
    return answer.status, msgspec.json.decode(answer.body)


def fits(there: Any, wanted: Any) -> bool:  # noqa: ANN401
    """Whether what is there has all that is wanted; null and missing are one."""
    if isinstance(wanted, dict):
        return all(fits(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(there) == len(wanted) and all(map(fits, there, wanted))
    return bool(there == wanted)


class Writer(RuleBasedStateMachine):
    """Writes records and remembers what must be there: of each record, the fields that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[str, dict[str, dict[str, Any]]] = {path: {} for path in PLAIN}
        self.lead_of: dict[str, str] = {}

    def drawn(self, data: st.DataObject, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draw some fields: as they are sent, and as they come back."""
        sent, back = {}, {}
        known = PLAIN[path]
        for key in data.draw(st.lists(st.sampled_from(sorted(known)), unique=True)):
            value = data.draw(known[key])
            sent[key], back[key] = value if isinstance(value, tuple) else (value, value)
        if path == "lead":
            for key in data.draw(st.lists(st.sampled_from(sorted(SINGLE)), max_size=3, unique=True)):
                sent[key], back[key] = data.draw(st.just((None, None)) | VALUES[SINGLE[key]["type"]])
        return sent, back

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.create_lead(data)
        for path in CHILDREN:
            self.create_child(data, path)

    @rule(data=st.data())
    def create_lead(self, data: st.DataObject) -> None:
        sent, back = self.drawn(data, "lead")
        status, record = ask("POST", "lead", sent)
        assert status == 200, record
        self.there["lead"][record["id"]] = back

    @precondition(lambda self: self.there["lead"])
    @rule(data=st.data(), path=st.sampled_from(CHILDREN))
    def create_child(self, data: st.DataObject, path: str) -> None:
        lead_id = data.draw(st.sampled_from(list(self.there["lead"])))
        sent, back = self.drawn(data, path)
        status, record = ask("POST", path, sent | {"lead_id": lead_id})
        assert status == 200, record
        self.there[path][record["id"]] = back
        self.lead_of[record["id"]] = lead_id

    @rule(data=st.data(), path=st.sampled_from(sorted(PLAIN)))
    def update(self, data: st.DataObject, path: str) -> None:
        for number in self.chosen(data, path):
            sent, back = self.drawn(data, path)
            status, record = ask("PUT", f"{path}/{number}", sent)
            assert status == 200, record
            self.there[path][number] |= back

    @precondition(lambda self: self.there["lead"])
    @rule(data=st.data(), choice=st.sampled_from(["Nord", "Süd"]), change=st.sampled_from(["add", "remove"]))
    def change_one_value(self, data: st.DataObject, choice: str, change: str) -> None:
        for number in self.chosen(data, "lead"):
            assert ask("PUT", f"lead/{number}", {f"{CHOICES}.{change}": choice})[0] == 200
            rest = [one for one in self.there["lead"][number].get(CHOICES) or [] if one != choice]
            had = len(rest) < len(self.there["lead"][number].get(CHOICES) or [])
            if change == "remove":
                self.there["lead"][number][CHOICES] = rest or None
            elif not had:
                self.there["lead"][number][CHOICES] = [*rest, choice]

    @rule(data=st.data(), path=st.sampled_from(sorted(PLAIN)))
    def delete(self, data: st.DataObject, path: str) -> None:
        for number in self.chosen(data, path):
            assert ask("DELETE", f"{path}/{number}") == (200, {})
            del self.there[path][number]
            for gone in [child for child, lead_id in self.lead_of.items() if number in (child, lead_id)]:
                del self.lead_of[gone]
                for records in self.there.values():
                    records.pop(gone, None)
            assert ask("GET", f"{path}/{number}")[0] == 404

    def chosen(self, data: st.DataObject, path: str) -> list[str]:
        """Draw one of the records that are there, if any: in the order of their creation, since ids are random."""
        known = list(self.there[path])
        return [data.draw(st.sampled_from(known))] if known else []

    @invariant()
    def all_is_there(self) -> None:
        for path, records in self.there.items():
            for number, wanted in records.items():
                status, record = ask("GET", f"{path}/{number}")
                assert status == 200
                assert fits(record, wanted)
        for lead_id in self.there["lead"]:
            for path in CHILDREN:
                _, listed = ask("GET", path, lead_id=lead_id)
                wanted_ids = {one for one in self.there[path] if self.lead_of[one] == lead_id}
                assert {one["id"] for one in listed["data"]} == wanted_ids


TestWriter = Writer.TestCase
TestWriter.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    # Without shrinking, which takes minutes here: a sequence is short enough to be read as it is.
    phases=(Phase.generate,),
)

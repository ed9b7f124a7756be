"""What the events of each CRM hint at, and how what waits becomes ids, however much of it there is."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.contract.hints import GAP, Arrived, Hint
from tap_crm.providers import PROVIDERS
from tap_crm.sync import hints as module
from tap_crm.sync.hints import Hints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


def parser(crm: str) -> Callable[[bytes], Sequence[Hint] | None]:
    """Return what understands the events of a CRM."""
    rules = PROVIDERS[crm].hints
    assert rules is not None
    return rules.parse


def close_event(kind: str, key: str, action: str = "updated", **more: Any) -> bytes:  # noqa: ANN401
    """Return a delivery of Close."""
    return json.dumps({"event": {"object_type": kind, "object_id": key, "action": action, **more}}).encode()


COPPER = {"ids": [3, "4"], "type": "person", "event": "update", "subscription_id": 1, "secret": "s"}
MERGE = {"merge_source_lead_id": "lead_a", "merge_destination_lead_id": "lead_b"}


@pytest.mark.parametrize(
    ("crm", "body", "expected"),
    [
        ("copper", json.dumps(COPPER).encode(), [Hint("people", 3), Hint("people", 4)]),
        ("copper", b'{"ids": [3], "type": "activity_log", "event": "delete"}', [Hint("activities", 3, deleted=True)]),
        ("copper", b'{"ids": [3, null, true, -1, 1.5, "x"], "type": "lead", "event": "new"}', [Hint("leads", 3)]),
        ("copper", json.dumps({**COPPER, "ids": ["9" * 5_000, 3]}).encode(), [Hint("people", 3)]),
        ("copper", b'{"ids": [3], "type": "something", "event": "new"}', []),
        ("copper", b'{"ids": [], "type": "lead", "event": "new"}', None),
        ("copper", b'{"type": "lead", "event": "new"}', None),
        ("close", close_event("lead", "lead_a"), [Hint("leads", "lead_a")]),
        ("close", close_event("contact", "cont_a", "deleted"), [Hint("contacts", "cont_a", deleted=True)]),
        ("close", close_event("task.incoming_email", "task_a"), [Hint("tasks", "task_a")]),
        ("close", close_event("activity.email_thread", "acti_a"), [Hint("email_threads", "acti_a")]),
        ("close", close_event("activity.emailthread", "acti_a"), [Hint("email_threads", "acti_a")]),
        ("close", close_event("custom_fields.lead", "cf_a"), [Hint("custom_fields", "cf_a")]),
        ("close", close_event("membership", "memb_a"), [Hint("memberships", "memb_a")]),
        ("close", close_event("report", "x"), []),
        (
            "close",
            close_event("lead", "lead_b", "merged", meta=MERGE),
            [Hint("leads", "lead_b"), Hint("leads", "lead_a")],
        ),
        ("close", b'{"event": {"object_type": "lead"}}', None),
        ("close", b'{"event": null}', None),
        ("copera", b'{"event": "booking.created", "data": {"uid": "b1"}}', [Hint("bookings", "b1")]),
        ("copera", b'{"booking": {"uid": "b1", "status": "CANCELLED"}}', [Hint("bookings", "b1")]),
        ("copera", b'{"uid": "b1"}', [Hint("bookings", "b1")]),
        ("copera", b"[1]", None),
    ],
)
def test_what_an_event_hints_at(crm: str, body: bytes, expected: list[Hint] | None) -> None:
    """Ids of streams; nothing where it is of no stream; None where it is not understood."""
    assert parser(crm)(body) == expected


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"1", b"\xff\xfe", b"[" * 5_000, b'{"ids": {}}'])
def test_what_is_not_understood_is_no_error(crm: str, body: bytes) -> None:
    """Whatever arrives with a proof."""
    assert parser(crm)(body) is None


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_every_stream_that_events_name_exists(crm: str) -> None:
    """And each that is read by ids is named by some."""
    provider = PROVIDERS[crm]
    assert provider.hints is not None
    assert provider.hints.streams <= {spec.name for spec in provider.streams}
    assert {spec.name for spec in provider.streams if spec.by_id is not None} <= provider.hints.streams


class Waiting:
    """An inbox in memory."""

    def __init__(self, *bodies: bytes | tuple[str, bytes]) -> None:
        self.events = [
            SimpleNamespace(place=place, kind=one[0], body=one[1])
            if isinstance(one, tuple)
            else SimpleNamespace(place=place, kind="delivery", body=one)
            for place, one in enumerate(bodies, start=1)
        ]
        self.most = self.gone_to = 0

    def read(self, provider: str, after: int, limit: int) -> Sequence[Arrived]:  # noqa: ARG002
        """Return the next events."""
        found = [one for one in self.events if one.place > after][:limit]
        self.most = max(self.most, len(found))
        return found

    def identity(self) -> str:
        """Return which inbox it is."""
        return "waiting"

    def newest(self, provider: str) -> int:  # noqa: ARG002
        """Return the last place."""
        return len(self.events)

    def removed(self, provider: str) -> int:  # noqa: ARG002
        """Return the place of the last event that was removed."""
        return self.gone_to

    def confirm(self, provider: str, place: int) -> None:
        """Take note of nothing."""

    def note_gap(self, provider: str, since: datetime, reason: str) -> int:  # noqa: ARG002
        """Take note of nothing."""
        return 0

    def close(self) -> None:
        """Hold nothing."""


def collected(waiting: Waiting, **places: int | None) -> Hints:
    """Return the hints of what waits."""
    rules = PROVIDERS["copper"].hints
    assert rules is not None
    found = Hints(waiting, "copper", rules)
    found.collect(places)
    return found


def person(key: int, event: str = "update", kind: str = "person") -> bytes:
    """Return a notification of Copper."""
    return json.dumps({"ids": [key], "type": kind, "event": event}).encode()


def test_ten_thousand_events_are_a_few_ids() -> None:
    """Some are in the memory at a time; each record is there once, with its last deletion."""
    waiting = Waiting(*(person(number % 7 + 1) for number in range(10_000)), person(3, "delete"), person(3))
    told = collected(waiting, people=0).of("people")
    assert told is not None
    assert told.keys == {1: 0, 2: 0, 3: 10_001, 4: 0, 5: 0, 6: 0, 7: 0}
    assert (told.newest, told.is_cut, waiting.most) == (10_002, False, 500)


def test_of_endless_records_no_more_ids_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read one by one then."""
    monkeypatch.setattr(module, "MOST_KEYS", 50)
    told = collected(Waiting(*(person(number + 1) for number in range(60))), people=0).of("people")
    assert told is not None
    assert (len(told.keys), told.is_cut) == (50, True)


def test_each_stream_goes_on_from_its_own_place() -> None:
    """One that has none begins behind all that waits."""
    waiting = Waiting(person(1), person(2, kind="lead"), person(3), person(4, kind="lead"), person(5, kind="task"))
    found = collected(waiting, people=1, leads=3, tasks=None, users=None)
    keys = {name: told.keys for name in ("people", "leads", "tasks") if (told := found.of(name)) is not None}
    assert keys == {"people": {3: 0}, "leads": {4: 0}, "tasks": {}}
    assert found.of("users") is None
    assert found.of("companies") is None


def test_a_gap_concerns_those_that_stood_before_it() -> None:
    """The first of several counts; a time that is none is no gap."""
    gaps = [(GAP, b"2026-09-21T14:13:20+00:00"), (GAP, b"2026-09-22T00:00:00Z"), (GAP, b"yesterday")]
    found = collected(Waiting(person(1), *gaps), people=0, leads=4, tasks=2)
    told = [found.of(name) for name in ("people", "leads", "tasks")]
    assert [None if one is None else one.gap for one in told] == [1_790_000_000, None, 1_790_035_200]


def test_what_was_removed_behind_a_place_before_all_events_is_missed_too() -> None:
    """A run kept it before the first event came, and others have used what came then."""
    waiting = Waiting(person(1), person(2))
    waiting.gone_to = 2
    found = collected(waiting, people=0, leads=2, tasks=None)
    torn = [one.is_torn for name in ("people", "leads", "tasks") if (one := found.of(name)) is not None]
    assert torn == [True, False, False]


@pytest.mark.parametrize(("place", "is_torn"), [(0, False), (1, False), (2, True)])
def test_a_place_beyond_all_events_is_of_another_inbox(place: int, is_torn: bool) -> None:
    """What waited there was never heeded."""
    told = collected(Waiting(person(1)), people=place).of("people")
    assert told is not None
    assert told.is_torn is is_torn

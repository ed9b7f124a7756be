"""A list without an end fails its own stream, by name and soon; the other streams are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

SHAPE: dict[str, Any] = {
    "leads": 45,
    "contacts": 12,
    "opportunities": 45,
    "tasks": 45,
    "activities": {"notes": 45},
    "events": 45,
    "sequences": 3,
    "sequence_subscriptions": 90,
    "custom_fields": 12,
    "small_lists": 12,
    "users": 45,
}
#: A stream of each way to go on, with the resource that it is read from.
KINDS = {
    "leads": "data/search",
    "opportunities": "opportunity",
    "tasks": "task",
    "notes": "activity/note",
    "events": "event",
    "users": "user",
    "bulk_actions": "bulk_action/email",
    "sequence_subscriptions": "sequence_subscription",
    "custom_fields": "custom_field/lead",
}
CAPS = dict.fromkeys(
    ("data/search", "opportunity", "task", "activity", "event", "user", "sequence_subscription", "custom_field"), 10
)
#: Of these, answers have a count, and the next question begins at the last time seen, whatever a cursor says.
COUNTED = ("leads", "opportunities", "tasks")
#: Requests of one stream of a few dozen records.
SOON = 250


@pytest.mark.parametrize("knob", ["endless", "stuck"])
@pytest.mark.parametrize("stream", KINDS)
def test_a_stream_whose_list_has_no_end_is_whole_or_named(start_some: Start, stream: str, knob: str) -> None:
    """Whether each answer says that there is more, or each gives the first page; a count may prove that all came."""
    knobs = {"endless": [KINDS[stream]]} | ({"stuck": [KINDS[stream]]} if knob == "stuck" else {})
    app, tap = start_some((stream, "outcomes"), SHAPE, limit_caps=CAPS, **knobs)
    run = tap.call(tap.command())
    audit = run.audit()
    assert run.code == (0 if audit[stream]["complete"] else 1)
    if audit[stream]["complete"]:
        assert stream in COUNTED
        assert differences(app.account, stream, merged(stream, run)) == {}
    else:
        assert f"`{stream}` is not complete" in run.log
    assert audit[stream]["requests"] < SOON
    assert "Traceback" not in run.log
    assert audit["outcomes"]["complete"]
    assert differences(app.account, "outcomes", merged("outcomes", run)) == {}

"""What only Close's custom fields have: a list of definitions for each kind of record, and one of shared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.close.truth import DETAILS, PER_PARENT
from tests.custom_truth import (
    Close,
    assert_right,
    columns_of,
    differences,
    in_columns,
)
from tests.singer import Tap, selecting

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

STREAMS = Close.streams
SHAPE: dict[str, Any] = {
    "leads": 30,
    "contacts": 30,
    "opportunities": 20,
    "tasks": 3,
    "activities": {"custom_activities": 30},
    "events": 3,
    "sequence_subscriptions": 3,
    "custom_fields": 6,
    "custom_objects": 20,
    "comments": 2,
    "small_lists": 2,
}
FEW_RECORDS = dict.fromkeys(STREAMS, 12) | {"activities": {"custom_activities": 12}}
FEW_RECORDS.pop("custom_activities")
LISTS = ("lead", "contact", "opportunity", "activity", "custom_object_type", "shared")


@pytest.fixture
def begin(start: Start) -> Start:
    """Return a function that starts a small sandbox, and a tap with the default form of custom fields."""
    return in_columns(start, SHAPE)


def catalog_of(tap: Tap, *streams: str, without: tuple[str, ...] = (), **overrides: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what discovery finds, with these streams selected; else those with custom fields."""
    chosen = streams or (*STREAMS, "custom_fields")
    return selecting(tap.discover(**overrides)[0], *chosen, "sync_audit", without=without)


def asked(app: CloseSandbox) -> dict[str, int]:
    """Return how often each list of definitions was asked for."""
    found = {path: count for path, count in app.stats.by_path.items() if path.startswith("custom_field/")}
    return {path.removeprefix("custom_field/"): count for path, count in found.items()}


def answer_with(app: CloseSandbox, status: int, path: str) -> None:
    """Let every answer of a path be of this status."""

    def refuse(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.startswith(path):
            moment.answer.status = status
            moment.answer.body = msgspec.json.encode({"error": "Not for you."})

    app.on_answer(refuse)


def test_each_list_is_asked_for_once_with_all_streams(begin: Start) -> None:
    """The stream of definitions has them from there."""
    app, tap = begin({"custom_fields": 30, **FEW_RECORDS})
    catalog, _ = tap.discover()
    every = [
        entry["tap_stream_id"] for entry in catalog["streams"] if entry["tap_stream_id"] not in (*PER_PARENT, *DETAILS)
    ]
    app.stats.reset()
    run = tap.sync(catalog=selecting(catalog, *every, "custom_objects"))
    assert asked(app) == dict.fromkeys(LISTS, 1)
    assert run.count("custom_fields") == 6 * 30
    assert differences(Close(app.account), "leads", run) == {}


def test_an_organization_without_shared_fields_has_its_own(begin: Start) -> None:
    """Not every plan has shared ones: values of those are in `_extra`, if there are any."""
    app, tap = begin()
    answer_with(app, 402, "custom_field/shared")
    run = tap.sync(catalog=catalog_of(tap))
    shared = {one["id"] for one in app.account.records("custom_fields") if one["object_type"] == "shared"}
    assert shared
    for stream in STREAMS:
        assert columns_of(run, stream).keys() == Close(app.account).fields(stream).keys() - shared
    assert_right(Close(app.account), run)

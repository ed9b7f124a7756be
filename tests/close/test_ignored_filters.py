"""A filter that Close ignores or refuses must cost requests, not records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import ACTIVITIES, ALL, CHANGING, differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

SHAPE = {"opportunities": 1_100, "tasks": 2_300, "activities": 2_500}
STREAMS = ("opportunities", "tasks", *ACTIVITIES)


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param({"ignored_filters": ["opportunity"]}, id="opportunities"),
        pytest.param({"ignored_filters": ["task"]}, id="tasks"),
        pytest.param({"ignored_filters": ["activity"]}, id="activities"),
        pytest.param({"ignored_filters": ["activity/email", "activity/custom"]}, id="some types of activity"),
        pytest.param({"ignored_filters": ["opportunity", "task", "activity"], "totals": "missing"}, id="no totals"),
        pytest.param({"ignored_filters": ["opportunity", "task", "activity"], "unstable_ties": True}, id="unstable"),
    ],
)
def test_every_record_arrives_where_filters_have_no_effect(start: Start, knobs: dict[str, Any]) -> None:
    """The list is read whole instead, and the audit says so."""
    app, tap = start(SHAPE, **knobs)
    run = tap.sync()
    for stream in (*CHANGING, *ACTIVITIES):
        assert differences(app.world, stream, merged(stream, run)) == {}, stream
    audit = run.audit()
    assert all(row["complete"] for row in audit.values())
    big = [stream for stream in STREAMS if _ignored(stream, knobs) and audit[stream]["records"] > 250]
    assert big
    assert [stream for stream in big if not any("ignored by the CRM" in note for note in audit[stream]["notes"])] == []


def _ignored(stream: str, knobs: dict[str, Any]) -> bool:
    paths = {"opportunities": "opportunity", "tasks": "task", "emails": "activity/email"}
    path = paths.get(stream, "activity/other")
    return any(path.startswith(one) for one in knobs["ignored_filters"])


def test_a_later_run_brings_what_changed(start: Start) -> None:
    """Unchanged records are read, and left out."""
    app, tap = start(SHAPE, ignored_filters=["opportunity", "task"])
    first = tap.sync()
    changed = {stream: set(app.world.edit(stream, count=20)) for stream in ("opportunities", "tasks")}
    second = tap.sync(state=first.state)
    for stream, ids in changed.items():
        assert {record["id"] for record in second.records(stream)} >= ids
        assert second.count(stream) < 60
        assert differences(app.world, stream, merged(stream, first, second)) == {}, stream


def test_a_list_that_cannot_be_bounded_and_is_longer_than_the_skip_cap_is_an_error(start: Start) -> None:
    """By name, exit code 1; the others are complete."""
    app, tap = start(
        {"opportunities": 2_600}, ignored_filters=["opportunity"], skip_caps={"opportunity": 1_000}, totals="missing"
    )
    run = tap.sync(expect=1)
    assert "`opportunities` is not complete" in run.log
    assert "Traceback" not in run.log
    audit = run.audit()
    assert not audit["opportunities"]["complete"]
    for stream in ALL:
        if stream != "opportunities":
            assert differences(app.world, stream, merged(stream, run)) == {}, stream
            assert audit[stream]["complete"]
    assert "replication_key_value" not in run.state["bookmarks"].get("opportunities", {})

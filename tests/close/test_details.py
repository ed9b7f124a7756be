"""Details that few want, each read when it is selected: counts of sequences, schemas of fields, transcripts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tests.target import activated

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.close.conftest import Start

TINY: dict[str, Any] = {
    "leads": 10,
    "contacts": 10,
    "opportunities": 3,
    "tasks": 3,
    "activities": {"meetings": 30},
    "events": 5,
    "custom_fields": 4,
    "sequences": 3,
    "sequence_subscriptions": 12,
}


def test_sequences_have_counts(start_some: Start) -> None:
    """A row for each sequence, a column for each status; a request for each, and one for the list."""
    app, tap = start_some(("sequence_counts",), TINY)
    run = tap.sync()
    counted = {one["id"]: Counter[str]() for one in app.account.records("sequences")}
    for one in app.account.records("sequence_subscriptions"):
        counted[one["sequence_id"]][one["status"]] += 1
    found = {row.pop("sequence_id"): Counter(row) for row in run.records("sequence_counts")}
    assert found == counted
    assert run.audit()["sequence_counts"]["requests"] == 1 + len(counted)


def test_a_broken_answer_costs_no_count(start_some: Start) -> None:
    """It is asked for again."""
    app, tap = start_some(("sequence_counts",), TINY)
    app.behaviour.faults.append(FaultRule(["cut_json", "503"], at=[2, 3], path="sequence"))
    assert tap.sync().count("sequence_counts") == TINY["sequences"]


def test_each_kind_of_record_has_its_schema(start_some: Start) -> None:
    """Leads, contacts and opportunities, and each type of activity and object; with shared fields."""
    app, tap = start_some(("custom_field_schemas",), TINY)
    run = tap.sync()
    custom, account = app.account.source.custom, app.account
    kinds = {"lead": "lead", "contact": "contact", "opportunity": "opportunity"}
    fields = {kind: [one["id"] for one in custom.of(kind)] for kind in kinds}
    for kind, of, stream in (
        ("activity", "activity", "custom_activity_types"),
        ("custom_object", "custom_object_type", "custom_object_types"),
    ):
        for one in account.records(stream):
            fields[f"{kind}/{one['id']}"] = [field["id"] for field in custom.of(of, one["id"])]
    rows = {row["object"]: row for row in run.records("custom_field_schemas")}
    assert {name: [field["id"] for field in row["fields"]] for name, row in rows.items()} == fields
    assert run.audit()["custom_field_schemas"]["complete"]


def nowhere(moment: Any) -> None:  # noqa: ANN401 - a moment
    """Answer as if schemas of activities had no address."""
    if moment.when == "before" and moment.request.path.startswith("custom_field_schema/activity/"):
        moment.request.path = "nowhere"


def test_a_type_without_a_schema_is_left_out_with_a_note(start_some: Start) -> None:
    """Close describes these addresses, and lists none."""
    app, tap = start_some(("custom_field_schemas",), TINY)
    app.on_answer(nowhere)
    run = tap.sync()
    objects = {row["object"].partition("/")[0] for row in run.records("custom_field_schemas")}
    assert objects == {"lead", "contact", "opportunity", "custom_object"}
    assert any("no schema of activity/" in note for note in run.audit()["custom_field_schemas"]["notes"])


@pytest.mark.parametrize("refusal", ["400", "404"])
def test_a_schema_that_is_refused_later_is_not_told_as_deleted(start_some: Start, refusal: str) -> None:
    """Its row stays: no version ends in a run that could not ask for it."""
    app, tap = start_some(("custom_field_schemas",), TINY)
    first = tap.sync()
    assert "custom_field_schemas" in activated(first)
    if refusal == "400":
        app.behaviour.faults.append(FaultRule(["400"], every=1, path="custom_field_schema/activity/"))
    else:
        app.on_answer(nowhere)
    run = tap.sync(state=first.state)
    assert "custom_field_schemas" not in activated(run)
    assert any("no schema of activity/" in note for note in run.audit()["custom_field_schemas"]["notes"])


def test_a_schema_of_fields_without_ids_is_asked_for_again(start_some: Start) -> None:
    """A field that has something else where its id should be is not the answer that Close documents."""
    app, tap = start_some(("custom_field_schemas",), TINY)
    spoiled: list[Any] = []

    def spoil(moment: Any) -> None:  # noqa: ANN401 - a moment
        if moment.when == "after" and not spoiled and moment.request.path == "custom_field_schema/lead":
            spoiled.append(moment)
            told = json.loads(moment.answer.body)
            told["fields"] = [{**one, "id": {"a": 1}} for one in told["fields"]]
            moment.answer.body = json.dumps(told).encode()

    app.on_answer(spoil)
    row = next(one for one in tap.sync().records("custom_field_schemas") if one["object"] == "lead")
    assert spoiled
    assert [one["id"] for one in row["fields"]] == [one["id"] for one in app.account.source.custom.of("lead")]


def test_meetings_have_transcripts(start_some: Start) -> None:
    """A row for each meeting, with the transcripts as JSON text, null where there are none."""
    app, tap = start_some(("meeting_transcripts",), TINY)
    run = tap.sync()
    meetings = {one["id"]: one for one in app.account.records("meetings")}
    assert {row["id"] for row in run.records("meeting_transcripts")} == meetings.keys()
    for row in run.records("meeting_transcripts"):
        meeting = meetings[row["id"]]
        said = None if row["transcripts"] is None else json.loads(row["transcripts"])[0]["text"]
        assert said == (f"About {meeting['title']}" if meeting["status"] == "completed" else None)


def _without_fields(often: str) -> tuple[Callable[[Any], None], list[str]]:
    """Return what lets `_fields` have no effect on a list, and the paths where it had none."""
    paths: list[str] = []

    def ignore(moment: Any) -> None:  # noqa: ANN401 - a moment
        asks = moment.when == "before" and "_fields" in moment.request.query
        if asks and (often == "ever" or not paths):
            paths.append(moment.request.path)
            del moment.request.query["_fields"]

    return ignore, paths


def test_transcripts_that_are_left_out_are_asked_for_again(start_some: Start) -> None:
    """They come only if they are asked for: where that had no effect, nulls would say that there are none."""
    app, tap = start_some(("meeting_transcripts",), TINY)
    expected = tap.sync().records("meeting_transcripts")
    ignore, paths = _without_fields("once")
    app.on_answer(ignore)
    assert tap.sync().records("meeting_transcripts") == expected
    assert paths


def test_transcripts_that_never_come_end_the_stream(start_some: Start) -> None:
    """It is named, and no row of nulls is written."""
    app, tap = start_some(("meeting_transcripts",), TINY)
    app.on_answer(_without_fields("ever")[0])
    run = tap.sync(expect=1, retry_seconds=1)
    assert run.records("meeting_transcripts") == []
    assert "meeting_transcripts" in run.log.splitlines()[-1]


def test_memberships_without_their_users_are_told(start_some: Start) -> None:
    """The rest of each is loaded."""
    app, tap = start_some(("memberships",), TINY)

    def ignore(moment: Any) -> None:  # noqa: ANN401 - a moment
        moment.request.query.pop("_expand", None)

    app.on_answer(ignore)
    run = tap.sync()
    assert run.records("memberships")
    assert any("`user`" in note for note in run.audit()["memberships"]["notes"])

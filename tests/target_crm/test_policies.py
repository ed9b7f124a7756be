"""Settings of a stream: what wins, what is cleared, what is refused, what is held back."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm import errors
from tap_crm.errors import ConfigError
from tap_crm.providers import PROVIDERS
from target_crm.config.settings import TargetSettings
from tests.target_crm.copper_double import COLOURS, EXTERNAL, SCORE, SIZE
from tests.target_crm.doors import Door
from tests.target_crm.running import CREDENTIALS, Killed, records, schema, state

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

DELETED = "2026-11-01T00:00:00Z"


def rows(count: int, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [{"key": f"k{at}", "name": f"Person {at}", **more} for at in range(count)]


KEYED: dict[str, Any] = {"match": ["key"], "external_id": "custom_our_key"}


def test_rejects_that_are_tolerated_end_with_0(bench: Bench, crm: CopperDouble) -> None:
    crm.refuses = lambda body: "no" if body.get("name") == "Person 1" else None
    done = bench.run(records("people", *rows(3)), streams={"people": KEYED}, on_reject="tolerate")
    assert (done.code, done.outcomes) == (0, {"created": 2, "rejected": 1})


def test_a_reject_is_tried_again_at_the_end_of_the_next_run(bench: Bench, crm: CopperDouble) -> None:
    crm.refuses = lambda body: "no" if body.get("name") == "Person 1" else None
    bench.run(records("people", *rows(3)), streams={"people": KEYED})
    again = bench.run(records("people", rows(1)[0]), streams={"people": KEYED})
    assert (again.code, again.outcomes) == (1, {"unchanged": 1, "rejected": 1})
    crm.refuses = lambda _: None
    last = bench.run([], streams={"people": KEYED})
    assert (last.code, last.outcomes, last.lines[0]["key"]) == (0, {"created": 1}, "k1")
    assert bench.run([], streams={"people": KEYED}).lines == []


def test_a_reject_is_forgotten_when_the_record_comes_as_it_is_in_the_crm(bench: Bench, crm: CopperDouble) -> None:
    crm.refuses = lambda body: "no" if body.get("title") == "bad" else None
    bench.run(records("people", *rows(3)), streams={"people": KEYED})
    bench.run(records("people", *rows(3, title="bad")), streams={"people": KEYED})
    again = bench.run(records("people", *rows(2)), streams={"people": KEYED})
    assert again.outcomes == {"unchanged": 2, "rejected": 1}
    assert [line["key"] for line in bench.run([], streams={"people": KEYED}).lines] == ["k2"]


def test_a_stream_of_which_too_much_is_rejected_is_stopped(bench: Bench, crm: CopperDouble) -> None:
    crm.refuses = lambda body: "no" if int(body["name"].split()[1]) < 30 else None
    done = bench.run([*records("tasks", *({"id": at, "name": f"T {at}"} for at in range(1, 900))), state(1)])
    assert done.code == 1
    assert done.outcomes["rejected"] < 60
    assert done.outcomes["skipped"] > 800
    assert done.outcomes.total() == 899
    assert done.states == []


def test_a_refused_right_stops_the_stream_and_not_the_others(bench: Bench, crm: CopperDouble) -> None:
    crm.forbidden = frozenset({"leads"})
    messages = [*records("leads", {"id": 1, "name": "L"}), *records("tasks", {"id": 2, "name": "T"})]
    done = bench.run(messages)
    assert done.code == 1
    assert {line["stream"]: line["outcome"] for line in done.lines} == {"leads": "skipped", "tasks": "created"}


def test_our_own_write_is_no_conflict(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", title="A")
    own_time = {"date_modified": "2023-11-14T22:14:00Z"}
    streams = {"people": {"conflict": "fail"}}
    bench.run(records("people", {"id": held["id"], "title": "B", **own_time}), streams=streams)
    done = bench.run(records("people", {"id": held["id"], "title": "C", **own_time}), streams=streams)
    assert (done.code, done.outcomes) == (0, {"updated": 1})


def test_a_change_of_somebody_else_stays_one_when_a_record_is_found_unchanged(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", title="A", date_modified=1_700_000_100)
    own_time = {"date_modified": "2023-11-14T22:14:00Z"}
    streams = {"people": {"conflict": "skip"}}
    first = bench.run(records("people", {"id": held["id"], "title": "A", **own_time}), streams=streams)
    done = bench.run(records("people", {"id": held["id"], "title": "B", **own_time}), streams=streams)
    assert (first.outcomes, done.outcomes, held["title"]) == ({"unchanged": 1}, {"skipped": 1}, "A")


def test_a_change_of_somebody_else_after_a_lost_answer_is_not_taken_for_our_own(
    bench: Bench, crm: CopperDouble
) -> None:
    held = crm.add("people", name="Ann", title="A")
    streams = {"people": {"conflict": "skip"}}

    def die(step: str) -> None:
        if step == "before settle":
            raise Killed

    bench.run(records("people", {"id": held["id"], "title": "B"}), die, streams=streams)
    read_back = datetime.fromtimestamp(crm.now, UTC).isoformat()
    held |= {"details": "theirs", "date_modified": int(crm.now) + 3600}
    known = bench.run(records("people", {"id": held["id"], "title": "B"}), streams=streams)
    row = {"id": held["id"], "details": "ours", "date_modified": read_back}
    done = bench.run(records("people", row), streams=streams)
    assert (known.outcomes, done.outcomes, held["details"]) == ({"updated": 1}, {"skipped": 1}, "theirs")


@pytest.mark.parametrize(("nulls", "left"), [("ignore", "long"), ("clear", None)])
def test_nulls_are_ignored_or_clear(bench: Bench, crm: CopperDouble, nulls: str, left: str | None) -> None:
    held = crm.add("people", name="Ann", details="long", title="Chief")
    bench.run(records("people", {"id": held["id"], "details": None}), streams={"people": {"nulls": nulls}})
    assert (held["details"], held["title"]) == (left, "Chief")


@pytest.mark.parametrize(("arrays", "left"), [("replace", ["b"]), ("union", ["a", "b"])])
def test_arrays_are_replaced_or_united(bench: Bench, crm: CopperDouble, arrays: str, left: list[str]) -> None:
    held = crm.add("people", name="Ann", tags=["a"])
    bench.run(records("people", {"id": held["id"], "tags": ["b"]}), streams={"people": {"arrays": arrays}})
    assert held["tags"] == left


def test_labels_of_custom_fields_are_written_as_ids(bench: Bench, crm: CopperDouble) -> None:
    row = {"id": 1, "name": "Ann", "custom_size": "l", "custom_colours": ["red", "blue"], "custom_since": "2026-01-31"}
    done = bench.run(records("people", row))
    held = {entry["custom_field_definition_id"]: entry["value"] for entry in crm.rows("people")[0]["custom_fields"]}
    assert done.code == 0
    assert (held[SIZE], held[COLOURS]) == (2, [11, 12])
    again = bench.run(records("people", row))
    assert again.outcomes == {"unchanged": 1}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"custom_size": "XL"}, "there are: S, L"),
        ({"assignee_id": "Zoe"}, "there are: Ann, Bob"),
        ({"titel": "x"}, "did you mean `title`?"),
        ({"emails": [{"email": "a@b.c", "category": "office"}]}, "none of: work, personal, other"),
        ({"first_name": "Zoe"}, "disagree"),
        ({"company_id": "acme"}, "neither an id of companies nor the key"),
    ],
)
def test_what_cannot_be_meant_is_rejected_with_the_candidates(bench: Bench, row: dict[str, Any], said: str) -> None:
    done = bench.run(records("people", {"id": 1, "name": "Ann", **row}), streams={"people": {}})
    assert done.outcomes == {"rejected": 1}
    assert said in done.lines[0]["reason"]


def test_a_name_that_several_have_is_rejected_with_their_ids(bench: Bench) -> None:
    done = bench.run(
        records("opportunities", {"id": 1, "name": "Deal", "primary_contact_id": 5, "pipeline_stage_id": "New"}),
        streams={"opportunities": {}},
    )
    assert "ids 1, 2" in done.lines[0]["reason"]


@pytest.mark.parametrize("pipeline", [1, 2])
def test_of_several_stages_of_one_name_that_of_the_pipeline_is_meant(
    bench: Bench, crm: CopperDouble, pipeline: int
) -> None:
    deal = {"id": 1, "name": "Deal", "primary_contact_id": 5, "pipeline_id": pipeline, "pipeline_stage_id": "new"}
    done = bench.run(records("opportunities", deal), streams={"opportunities": {}})
    assert done.outcomes == {"created": 1}
    assert crm.rows("opportunities")[0]["pipeline_stage_id"] == pipeline


def test_an_id_and_a_label_that_disagree_are_rejected(bench: Bench) -> None:
    done = bench.run(records("leads", {"id": 1, "name": "Lee", "status_id": 1, "status": "Contacted"}))
    assert "disagree" in done.lines[0]["reason"]


def test_a_user_is_found_by_name_or_address(bench: Bench, crm: CopperDouble) -> None:
    bench.run(records("tasks", {"id": 1, "name": "A", "assignee_id": "bob@example.com"}))
    assert crm.rows("tasks")[0]["assignee_id"] == 72


def test_what_the_crm_ignores_is_rejected_and_named(bench: Bench, crm: CopperDouble) -> None:
    crm.ignores = frozenset({"title"})
    done = bench.run(records("people", {"id": 1, "name": "Ann", "title": "Chief"}))
    assert (done.code, done.outcomes) == (1, {"rejected": 1})
    assert done.lines[0]["reason"] == "the CRM ignored `title`"
    assert done.lines[0]["crm_id"] == crm.rows("people")[0]["id"]


def test_references_to_written_records_become_the_ids_of_the_crm(bench: Bench, crm: CopperDouble) -> None:
    messages = [  # people come before the companies that they refer to
        *records("people", {"id": 7, "name": "Ann", "company_id": 3}, {"id": 8, "name": "Bob"}),
        state(1),
        *records("companies", {"id": 3, "name": "Acme"}),
        *records("tasks", {"id": 1, "name": "Call", "related_resource": {"type": "person", "id": 7}}),
        state(2),
    ]
    done = bench.run(messages, streams={"*": {"mode": "create"}})
    assert done.code == 0, done.said
    acme = crm.rows("companies")[0]["id"]
    people = {one["name"]: one for one in crm.rows("people")}
    assert people["Ann"]["company_id"] == acme
    assert crm.rows("tasks")[0]["related_resource"] == {"type": "person", "id": people["Ann"]["id"]}
    assert done.states[-1] == {"at": 2}


def test_a_persons_company_is_changed_by_relations(bench: Bench, crm: CopperDouble) -> None:
    old, new = crm.add("companies", name="Old"), crm.add("companies", name="New")
    ann = crm.add("people", name="Ann", company_id=old["id"])
    done = bench.run(records("people", {"id": ann["id"], "company_id": new["id"]}), streams={"people": {}})
    assert (done.code, done.outcomes) == (0, {"updated": 1})
    assert ann["company_id"] == new["id"]
    assert crm.writes == [("DELETE", f"/people/{ann['id']}/related"), ("POST", f"/people/{ann['id']}/related")]


def test_a_person_keeps_the_company_where_the_new_one_is_refused(bench: Bench, crm: CopperDouble) -> None:
    old = crm.add("companies", name="Old")
    ann = crm.add("people", name="Ann", company_id=old["id"])
    bench.crm = door = Door(crm)
    gone = {"resource": {"id": 77, "type": "company"}}
    door.refuses = lambda question: (
        errors.Refused("422: Invalid company", said="Invalid company") if question.body == gone else None
    )
    done = bench.run(records("people", {"id": ann["id"], "company_id": 77}), streams={"people": {}})
    assert (done.code, done.outcomes, ann["company_id"]) == (1, {"rejected": 1}, old["id"])
    assert "Invalid company" in done.lines[0]["reason"]


def test_relations_are_written_and_removed(bench: Bench, crm: CopperDouble) -> None:
    deal, task = crm.add("opportunities", name="Deal"), crm.add("tasks", name="Call")
    link = {"parent_type": "opportunity", "parent_id": deal["id"], "type": "task", "id": task["id"]}
    assert bench.run(records("related_items", link)).outcomes == {"created": 1}
    assert crm.related == {("opportunities", deal["id"], "task", task["id"])}
    assert bench.run(records("related_items", link)).outcomes == {"unchanged": 1}
    gone = bench.run(
        records("related_items", {**link, "_sdc_deleted_at": DELETED}),
        streams={"related_items": {"on_delete": "delete"}},
    )
    assert (gone.outcomes, crm.related) == ({"deleted": 1}, set())


def test_activities_of_system_types_are_skipped(bench: Bench, crm: CopperDouble) -> None:
    ann = crm.add("people", name="Ann")
    note = {"id": 1, "parent": {"type": "person", "id": ann["id"]}, "details": "hello"}
    messages = records(
        "activities",
        {**note, "type": {"category": "user", "id": 0}},
        {**note, "id": 2, "type": {"category": "system", "id": 1}},
    )
    done = bench.run(messages)
    assert (done.code, done.outcomes) == (0, {"created": 1, "skipped": 1})


def test_custom_fields_that_an_update_does_not_name_are_kept_whatever_the_crm_does(
    bench: Bench, crm: CopperDouble
) -> None:
    custom = [{"custom_field_definition_id": EXTERNAL, "value": "kept"}]
    held = crm.add("people", name="Ann", custom_fields=custom)
    crm.forgets_custom = True
    done = bench.run(records("people", {"id": held["id"], "custom_size": "S"}))
    values = {entry["custom_field_definition_id"]: entry["value"] for entry in held["custom_fields"]}
    assert (done.code, values[EXTERNAL], values[SIZE]) == (0, "kept", 1)


@pytest.mark.parametrize("count", [1, 3])
def test_custom_fields_that_an_update_does_not_name_are_kept_though_it_gets_no_answer(
    bench: Bench, crm: CopperDouble, count: int
) -> None:
    custom = [{"custom_field_definition_id": EXTERNAL, "value": "kept"}]
    held = [crm.add("people", name="Ann", custom_fields=custom) for _ in range(count)]
    crm.forgets_custom = True
    crm.fault = lambda _, number: "after" if number == 1 else None
    done = bench.run(records("people", *({"id": one["id"], "custom_size": "S"} for one in held)))
    assert (done.code, done.outcomes) == (0, {"updated": count}), done.lines
    for one in held:
        values = {entry["custom_field_definition_id"]: entry["value"] for entry in one["custom_fields"]}
        assert (values[EXTERNAL], values[SIZE]) == ("kept", 1)


@pytest.mark.parametrize(("lost", "outcome", "held"), [(1, "updated", "kept"), (9, "rejected", None)])
def test_custom_fields_that_an_update_has_emptied_are_told_where_they_cannot_be_written_back(
    bench: Bench, crm: CopperDouble, lost: int, outcome: str, held: str | None
) -> None:
    ann = crm.add("people", name="Ann", custom_fields=[{"custom_field_definition_id": EXTERNAL, "value": "kept"}])
    crm.forgets_custom = True
    crm.fault = lambda _, number: "before" if 1 < number <= 1 + lost else None
    done = bench.run(records("people", {"id": ann["id"], "custom_size": "S"}))
    values = {entry["custom_field_definition_id"]: entry["value"] for entry in ann["custom_fields"]}
    assert (done.outcomes, values.get(EXTERNAL), values[SIZE]) == ({outcome: 1}, held, 1)
    assert held is not None or "`custom_our_key`" in done.lines[0]["reason"]


def test_a_custom_field_of_zero_that_an_update_does_not_name_is_kept_too(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", custom_fields=[{"custom_field_definition_id": SCORE, "value": 0}])
    crm.forgets_custom = True
    done = bench.run(records("people", {"id": held["id"], "custom_size": "S"}))
    values = {entry["custom_field_definition_id"]: entry["value"] for entry in held["custom_fields"]}
    assert (done.code, values[SCORE], values[SIZE]) == (0, 0, 1)


# Deletions


def test_deletions_are_ignored_unless_they_are_asked_for(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann")
    record = {"id": held["id"], "_sdc_deleted_at": DELETED}
    assert bench.run(records("people", record)).outcomes == {"skipped": 1}
    assert crm.rows("people") == [held]
    done = bench.run([*records("people", record), state(1)], streams={"people": {"on_delete": "delete"}})
    assert (done.code, done.outcomes, done.states) == (0, {"deleted": 1}, [{"at": 1}])
    assert crm.rows("people") == []


@pytest.mark.parametrize("moment", ["2026", "yesterday", True, 1_780_000_000])
def test_a_record_is_a_deletion_whatever_tells_when(bench: Bench, crm: CopperDouble, moment: object) -> None:
    made = crm.add("people", name="A")
    gone = records("people", {"id": made["id"], "_sdc_deleted_at": moment})
    assert bench.run(gone, streams={"people": {"on_delete": "delete"}}).outcomes == {"deleted": 1}


@pytest.mark.parametrize("moment", [None, "", " ", False])
def test_a_record_is_no_deletion_where_nothing_tells_when(bench: Bench, crm: CopperDouble, moment: object) -> None:
    made = crm.add("people", name="A", title="A")
    there = records("people", {"id": made["id"], "title": "B", "_sdc_deleted_at": moment})
    assert bench.run(there, streams={"people": {"on_delete": "delete"}}).outcomes == {"updated": 1}


def test_a_record_that_comes_after_its_deletion_is_not_deleted(bench: Bench, crm: CopperDouble) -> None:
    key = crm.add("people", name="A", title="A")["id"]
    streams = {"people": {"on_delete": "delete"}}
    row, gone = {"id": key, "title": "B"}, {"id": key, "_sdc_deleted_at": DELETED}
    for dry_run in (True, False):
        done = bench.run([*records("people", gone, row), state(1)], streams=streams, dry_run=dry_run)
        assert [line["outcome"] for line in done.lines] == ["skipped", "updated"]
        assert (done.code, done.states) == (0, [] if dry_run else [{"at": 1}])
    assert [one["title"] for one in crm.rows("people")] == ["B"]
    assert bench.run(records("people", row, gone), streams=streams).outcomes == {"unchanged": 1, "deleted": 1}
    assert crm.rows("people") == []


def test_what_was_rejected_is_not_tried_again_where_its_deletion_has_come(bench: Bench, crm: CopperDouble) -> None:
    streams = {"people": {"match": ["key"], "external_id": "custom_our_key", "on_delete": "delete"}}
    crm.refuses = lambda _: "no"
    bench.run(records("people", {"key": "k1", "name": "A"}), streams=streams)
    crm.refuses = lambda _: None
    writes = len(crm.writes)
    gone = bench.run(records("people", {"key": "k1", "_sdc_deleted_at": DELETED}), streams=streams)
    assert (len(gone.lines), len(crm.writes)) == (1, writes)
    assert bench.run([], streams=streams).lines == [], "nothing is left to be tried"


@pytest.mark.parametrize("effect", ["before", "after"])
def test_what_was_rejected_is_not_written_over_what_comes_anew_and_gets_no_answer(
    bench: Bench, crm: CopperDouble, effect: str
) -> None:
    streams = {"people": KEYED, "companies": {}}  # a person waits for the end: its company might still come
    row = {"key": "k1", "name": "A", "company_id": crm.add("companies", name="Acme")["id"]}
    crm.refuses = lambda body: "no" if body.get("title") == "old" else None
    assert bench.run(records("people", {**row, "title": "old"}), streams=streams).outcomes == {"rejected": 1}
    crm.refuses = lambda _: None
    crm.fault = lambda _, number: effect if number == 2 else None
    done = bench.run(records("people", {**row, "title": "new"}), streams=streams)
    assert (done.code, done.outcomes) == (0, {"created": 1}), done.said
    assert crm.counted("people", "title") == {"new": 1}


def test_what_was_rejected_and_comes_into_a_stream_that_is_stopped_has_one_line(
    bench: Bench, crm: CopperDouble
) -> None:
    crm.refuses = lambda _: "no"
    bench.run(records("people", {"id": "k1", "name": "A"}))
    crm.forbidden = frozenset({"people"})
    done = bench.run(records("people", {"id": "k0", "name": "A"}, {"id": "k1", "name": "A"}))
    assert (done.code, [line["key"] for line in done.lines]) == (1, ["k0", "k1"])


@pytest.mark.parametrize("key", ["²", "--5", "9" * 5000])
def test_a_key_that_is_no_id_of_the_crm_stops_no_other(bench: Bench, crm: CopperDouble, key: str) -> None:
    made = crm.add("people", name="A", title="A")
    rows = ({"id": key, "title": "B"}, {"id": made["id"], "title": "B"})
    done = bench.run(records("people", *rows), streams={"people": {"mode": "update"}})
    assert [line["outcome"] for line in done.lines] == ["skipped", "updated"]


def test_a_record_that_is_gone_is_not_made_anew(bench: Bench, crm: CopperDouble) -> None:
    bench.run(records("people", *rows(1)), streams={"people": KEYED})
    crm.tables["people"].clear()
    done = bench.run(records("people", *rows(1)), streams={"people": KEYED})
    assert (done.code, done.outcomes) == (1, {"rejected": 1})
    assert "target-crm-journal drop" in done.lines[0]["reason"]
    assert crm.rows("people") == []


# Modes and settings


def test_create_never_creates_a_key_twice(bench: Bench, crm: CopperDouble) -> None:
    streams = {"tasks": {"mode": "create"}}
    rows_without_id = [{"name": "A"}, {"name": "A"}, {"name": "B"}]
    assert bench.run(records("tasks", *rows_without_id), streams=streams).outcomes == {"created": 3}
    assert bench.run(records("tasks", *rows_without_id), streams=streams).outcomes == {"skipped": 3}
    assert len(crm.rows("tasks")) == 3


def test_update_makes_nothing(bench: Bench, crm: CopperDouble) -> None:
    done = bench.run(records("people", {"id": 1, "name": "Ann"}), streams={"people": {"mode": "update"}})
    assert (done.code, done.outcomes, crm.writes) == (0, {"skipped": 1}, [])


def test_people_are_matched_by_address(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", emails=[{"email": "Ann@example.com", "category": "work"}])
    streams = {"people": {"match": ["email"], "fields": {"email": "emails", "role": "title", "noise": None}}}
    done = bench.run(
        records(
            "people",
            {"email": "ann@example.com", "role": "Chief", "noise": 1},
            {"email": "bob@example.com", "role": "Clerk", "name": "Bob"},
        ),
        streams=streams,
    )
    assert (done.code, done.outcomes) == (0, {"updated": 1, "created": 1})
    assert held["title"] == "Chief"
    assert crm.reads() <= 5


def test_two_keys_that_are_one_record_are_not_written_in_turn(bench: Bench, crm: CopperDouble) -> None:
    crm.add(
        "people", name="Ann", emails=[{"email": "a@b.c", "category": "work"}, {"email": "d@e.f", "category": "work"}]
    )
    streams = {"people": {"match": ["email"], "fields": {"email": "emails"}, "arrays": "union"}}
    done = bench.run(
        records("people", {"email": "a@b.c", "title": "X"}, {"email": "d@e.f", "title": "Y"}), streams=streams
    )
    assert done.outcomes == {"updated": 1, "rejected": 1}
    assert "a@b.c" in done.by_key()["d@e.f"]["reason"]


def test_records_of_one_key_keep_their_order(bench: Bench, crm: CopperDouble) -> None:
    done = bench.run(records("tasks", *({"id": 1, "name": f"T{at}"} for at in range(4))))
    assert (done.outcomes, crm.counted("tasks", "name")) == ({"created": 1, "updated": 3}, {"T3": 1})


@pytest.mark.parametrize(
    ("messages", "settings", "said"),
    [
        ([schema("people", "id")], {"streams": {"peple": {}}}, "did you mean `peple`?"),
        ([schema("users", "id")], {}, "`users` is no object of Copper that this target writes"),
        ([schema("people", "id")], {"streams": {"people": {"mod": "create"}}}, "did you mean `mode`?"),
        ([schema("people", "id")], {"streams": {"people": {"mode": "upser"}}}, "did you mean `upsert`?"),
        ([schema("activities", "id")], {"streams": {"*": {"external_id": "x", "match": ["id"]}}}, "no custom fields"),
        ([schema("people", "id"), {"type": "BATCH"}], {}, "BATCH"),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(
    bench: Bench, crm: CopperDouble, messages: list[dict[str, Any]], settings: dict[str, Any], said: str
) -> None:
    try:
        line = bench.run(messages, **settings).said
    except ConfigError as error:
        line = str(error)
    assert said in line
    assert crm.asked == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "line 1 of the input is no JSON"),
        ("[]", "line 1 of the input is no Singer message"),
        ('{"type": "STATE"}', "a STATE message without `value`"),
        ('{"type": "SCHEMA", "stream": "people", "schema": {}}', "a SCHEMA without `properties`"),
        ('{"type": "RECORD", "stream": "people", "record": {"id": 1}}', "before its SCHEMA"),
    ],
)
def test_input_that_is_no_singer_message_is_told_in_one_line(bench: Bench, text: str, said: str) -> None:
    done = bench.run_text(f"{text}\n")
    assert done.code == 1
    assert said in done.said


def test_streams_that_tell_of_runs_are_not_for_the_crm(bench: Bench) -> None:
    done = bench.run([*records("sync_audit", {"run_id": "x"}), state(1)], streams={"people": {}})
    assert (done.code, done.lines, done.states) == (0, [], [{"at": 1}])


def test_an_unknown_field_in_external_id_is_named_before_anything_is_written(bench: Bench, crm: CopperDouble) -> None:
    done = bench.run(records("people", *rows(1)), streams={"people": {**KEYED, "external_id": "custom_our_kee"}})
    assert "did you mean `custom_our_key`?" in done.said
    assert crm.writes == []


def test_settings_are_read_from_json_text() -> None:
    settings = TargetSettings.from_config({**CREDENTIALS, "streams": '{"people": {"match": "email"}}'}, PROVIDERS)
    assert settings.stream("people").match == ("email",)

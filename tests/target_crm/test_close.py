"""Writing to Close: its objects, what it makes of values, and where it can be asked for what is uncertain."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tests.target_crm.close_account import CloseAccount, close_account
from tests.target_crm.doors import Door
from tests.target_crm.running import Bench, records, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.exchange import Effect
    from sandbox.faults import Kind

KEYED: dict[str, Any] = {"match": ["key"], "external_id": "custom_our_key"}
DELETED = "2026-11-01T00:00:00Z"


@pytest.fixture
def crm() -> Iterator[CloseAccount]:
    """Serve an empty account of Close's."""
    with close_account() as account:
        yield account


@pytest.fixture
def bench(tmp_path: Path, crm: CloseAccount) -> Bench:
    """A folder, and that account."""
    return Bench(tmp_path, Door(crm), crm.credentials)


def test_a_lead_and_its_contact_that_refer_to_each_other_are_both_there(bench: Bench, crm: CloseAccount) -> None:
    field = f"custom.{crm.define('lead', 'Main contact', 'contact')}"
    messages = [
        *records("leads", {"key": "l1", "name": "Acme", "custom_main_contact": "c1"}),
        *records("contacts", {"key": "c1", "name": "Ann", "lead_id": "l1"}),
    ]
    streams = {"leads": KEYED, "contacts": KEYED}
    done = bench.run(messages, streams=streams)
    assert (done.code, done.outcomes) == (0, {"created": 2}), done.lines
    (lead,), (contact,) = crm.rows("leads"), crm.rows("contacts")
    assert (lead[field], contact["lead_id"]) == (contact["id"], lead["id"])
    assert bench.run(messages, streams=streams).outcomes == {"unchanged": 2}


def test_streams_that_are_not_written_are_refused_by_name_before_any_request(bench: Bench, crm: CloseAccount) -> None:
    for stream, said in (
        ("emails", "would send it as mail"),
        ("meetings", "does not let one make them"),
        ("users", "no object of Close"),
        ("contakts", "did you mean `contacts`?"),
    ):
        done = bench.run([schema(stream, "id")])
        assert done.code == 1
        assert said in done.said
        assert f"`{stream}`" in done.said
    assert crm.asked == []


@pytest.mark.parametrize("stream", ["contacts", "opportunities", "tasks", "notes", "calls", "custom_activities"])
def test_a_child_without_its_lead_is_rejected_and_makes_no_lead(bench: Bench, crm: CloseAccount, stream: str) -> None:
    done = bench.run(records(stream, {"id": "x"}))
    assert (done.code, done.outcomes) == (1, {"rejected": 1})
    assert "needs `lead_id`" in done.lines[0]["reason"]
    assert crm.writes == []
    assert crm.rows("leads") == []


def test_contacts_within_a_lead_are_rejected_since_close_would_leave_them_as_they_are(
    bench: Bench, crm: CloseAccount
) -> None:
    done = bench.run(records("leads", {"id": "x", "name": "A", "contacts": [{"name": "Ann"}]}))
    assert "use the stream `contacts`" in done.lines[0]["reason"]
    assert crm.writes == []


def all_objects() -> list[dict[str, Any]]:
    """Return a record of each object, by our own keys, children before their parents."""
    return [
        *records("comments", {"id": "c1", "object_type": "activity.note", "object_id": "n1", "body": "Well"}),
        *records("notes", {"id": "n1", "lead_id": "l1", "note_html": "<p>Hi <b>you</b></p>"}),
        *records(
            "calls", {"id": "a1", "lead_id": "l1", "direction": "inbound", "phone": "650 555 0100", "duration": 9}
        ),
        *records("tasks", {"id": "t1", "lead_id": "l1", "text": "Ask", "date": "2026-03-01", "is_complete": False}),
        *records(
            "custom_activities",
            {"id": "u1", "lead_id": "l1", "custom_activity_type_id": "TYPE", "status": "draft"},
        ),
        *records("custom_objects", {"id": "o1", "lead_id": "l1", "custom_object_type_id": "TYPE", "name": "Car"}),
        *records(
            "opportunities",
            {"id": "p1", "lead_id": "l1", "contact_id": "k1", "value": 1200, "value_period": "monthly", "note": "Big"},
        ),
        *records(
            "contacts",
            {
                "id": "k1",
                "lead_id": "l1",
                "name": "Ann",
                "emails": ["ann@example.com"],
                "phones": [{"phone": "(650) 555-0101"}],
                "urls": ["example.com/ann"],
            },
        ),
        *records(
            "leads",
            {
                "id": "l1",
                "name": "Acme",
                "description": None,
                "addresses": [{"city": "Bern", "country": "CH"}],
            },
        ),
        *records("unsubscribed_emails", {"email": "Bob@example.com"}),
    ]


def typed(crm: CloseAccount) -> list[dict[str, Any]]:
    names = {
        "custom_activities": crm.client.rows("custom_activity")[0]["name"],
        "custom_objects": crm.client.rows("custom_object_type")[0]["name"],
    }
    given = all_objects()
    for one in given:
        for name, value in one.get("record", {}).items():
            if value == "TYPE":
                one["record"][name] = names[one["stream"]]
    return given


def test_every_object_is_made_with_its_references_whatever_their_order_and_is_unchanged_then(
    bench: Bench, crm: CloseAccount
) -> None:
    done = bench.run([*typed(crm), state(1)])
    assert (done.code, done.outcomes, done.states) == (0, {"created": 10}, [{"at": 1}]), [
        line for line in done.lines if line["outcome"] != "created"
    ]
    lead = crm.rows("leads")[0]
    (contact,) = lead["contacts"]
    assert (contact["emails"][0]["type"], contact["phones"][0]["phone"]) == ("office", "+16505550101")
    opportunity = crm.rows("opportunities")[0]
    assert (opportunity["lead_id"], opportunity["contact_id"]) == (lead["id"], contact["id"])
    note = crm.rows("notes")[0]
    assert crm.client.rows("comment", object_id=note["id"])[0]["body"] == "Well"
    assert [one["email"] for one in crm.client.rows("unsubscribe/email")][-1] == "Bob@example.com"
    crm.asked.clear()
    again = bench.run([*typed(crm), state(1)])
    assert (again.code, again.outcomes) == (0, {"unchanged": 10}), [
        line for line in again.lines if line["outcome"] != "unchanged"
    ]
    assert crm.writes == []


@pytest.mark.parametrize(
    "knobs",
    [
        {"id_in": "refused"},
        {"id_in": "ignored"},
        {"searchable": ["contact"]},
        {"totals": "missing", "unpaged_has_more": "shown"},
        {"unknown_fields": "ignored", "empty_values": "kept", "noop_update": "dated"},
        {"unsubscribed_twice": "refused", "bare_deletes": "200"},
        {"children_move_lead": True, "admin_key": False},
    ],
    ids=lambda knobs: next(iter(knobs)),
)
def test_nothing_is_sent_again_however_close_answers_where_its_documentation_is_silent(
    tmp_path: Path, knobs: dict[str, Any]
) -> None:
    with close_account(**knobs) as crm:
        bench = Bench(tmp_path, Door(crm), crm.credentials)
        notes = records("notes", *({"id": f"m{at}", "lead_id": "l1", "title": f"T{at}"} for at in range(6)))
        bench.run([*typed(crm), *notes])
        crm.asked.clear()
        again = bench.run([*typed(crm), *notes])
        assert (again.code, again.outcomes) == (0, {"unchanged": 16}), again.lines
        assert crm.writes == []


def test_children_are_found_within_their_lead(bench: Bench, crm: CloseAccount) -> None:
    lead, other = crm.add("leads", name="A"), crm.add("leads", name="B")
    crm.app.behaviour.index_lag = 3600.0
    crm.add("contacts", lead_id=lead["id"], name="Ann")
    rows = [{"lead_id": one["id"], "name": "Ann", "title": "Head"} for one in (lead, other)]
    done = bench.run(records("contacts", *rows), streams={"contacts": {"match": ["lead_id", "name"]}})
    assert {key[0]: line["outcome"] for key, line in done.by_key().items()} == {
        lead["id"]: "updated",
        other["id"]: "created",
    }


def test_every_object_is_deleted_children_first(bench: Bench, crm: CloseAccount) -> None:
    bench.run(typed(crm))
    given = [
        {**one, "record": {**one["record"], "_sdc_deleted_at": DELETED}} if "record" in one else one
        for one in typed(crm)
    ]
    done = bench.run([*given, state(1)], streams={"*": {"on_delete": "delete"}})
    assert (done.code, done.outcomes, done.states) == (0, {"deleted": 10}, [{"at": 1}]), done.lines
    assert crm.rows("leads") == []
    assert all(one["email"] != "Bob@example.com" for one in crm.client.rows("unsubscribe/email"))
    assert [path.split("/")[1] for method, path in crm.asked if method == "DELETE"][-1] == "lead"


def bobs(crm: CloseAccount) -> int:
    return sum(one["email"].casefold() == "bob@example.com" for one in crm.client.rows("unsubscribe/email"))


def test_an_address_that_gets_no_mail_is_one_however_it_is_spelled(bench: Bench, crm: CloseAccount) -> None:
    crm.add("unsubscribed_emails", email="bob@example.com")
    messages = [*records("unsubscribed_emails", {"email": "Bob@Example.com"}), state(1)]
    for _ in range(2):
        done = bench.run(messages)
        assert (done.code, done.outcomes, done.states) == (0, {"unchanged": 1}, [{"at": 1}]), done.lines
    assert crm.writes == []


@pytest.mark.parametrize("there", ["bob@example.com", "Bob@Example.com"])
def test_an_address_gets_mail_again_however_it_is_spelled(bench: Bench, crm: CloseAccount, there: str) -> None:
    crm.add("unsubscribed_emails", email=there)
    gone = records("unsubscribed_emails", {"email": "BOB@example.com", "_sdc_deleted_at": DELETED})
    done = bench.run(gone, streams={"*": {"on_delete": "delete"}})
    assert (done.code, done.outcomes) == (0, {"deleted": 1}), done.lines
    assert bobs(crm) == 0


@pytest.mark.parametrize("is_there", [False, True])
def test_of_two_spellings_of_an_address_in_one_run_the_second_is_rejected(
    bench: Bench, crm: CloseAccount, is_there: bool
) -> None:
    if is_there:
        crm.add("unsubscribed_emails", email="bob@example.com")
    messages = records("unsubscribed_emails", {"email": "Bob@example.com"}, {"email": "bob@example.com"})
    done = bench.run(messages)
    assert (done.code, done.outcomes) == (1, {"unchanged" if is_there else "created": 1, "rejected": 1}), done.lines
    assert bobs(crm) == 1


def test_a_deletion_of_an_address_that_the_same_run_keeps_in_another_spelling_is_rejected(
    bench: Bench, crm: CloseAccount
) -> None:
    crm.add("unsubscribed_emails", email="bob@example.com")
    messages = records(
        "unsubscribed_emails", {"email": "bob@example.com", "_sdc_deleted_at": DELETED}, {"email": "Bob@example.com"}
    )
    done = bench.run(messages, streams={"*": {"on_delete": "delete"}})
    assert (done.code, done.outcomes) == (1, {"rejected": 1, "unchanged": 1}), done.lines
    assert bobs(crm) == 1


def test_only_the_difference_is_sent(bench: Bench, crm: CloseAccount) -> None:
    lead = crm.add("leads", name="Acme", description="old", url="https://acme.example")
    row = {"id": lead["id"], "name": "Acme", "description": "new", "url": "https://acme.example", "status_label": None}
    done = bench.run(records("leads", row))
    assert done.outcomes == {"updated": 1}
    assert crm.bodies == [{"description": "new"}]
    assert done.lines[0]["changes"] == {"description": ["old", "new"]}


def test_names_stand_for_ids(bench: Bench, crm: CloseAccount) -> None:
    lead = crm.add("leads", name="Acme")
    user = crm.client.rows("user")[1]
    status = crm.client.rows("status/lead")[1]
    pipeline = crm.client.rows("pipeline")[0]
    done = bench.run(
        [
            *records("leads", {"id": lead["id"], "status_label": status["label"].upper()}),
            *records(
                "opportunities",
                {
                    "id": "p1",
                    "lead_id": lead["id"],
                    "user_name": f"{user['first_name']} {user['last_name']}",
                    "status_id": pipeline["statuses"][1]["id"],
                    "status_label": pipeline["statuses"][1]["label"],
                    "pipeline_id": pipeline["id"],
                    "pipeline_name": pipeline["name"],
                },
            ),
            *records("tasks", {"id": "t1", "lead_id": lead["id"], "assigned_to": user["email"]}),
        ]
    )
    assert done.code == 0, done.lines
    assert crm.one("leads", lead["id"])["status_id"] == status["id"]
    made = crm.rows("opportunities")[0]
    assert (made["user_id"], made["status_id"]) == (user["id"], pipeline["statuses"][1]["id"])
    assert crm.rows("tasks")[0]["assigned_to"] == user["id"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("status_label", "Nope", "there are:"),
        ("status_id", "Nope", "there are:"),
        ("custom_size", "XL", "there are: S, L"),
        ("desription", "x", "did you mean `description`?"),
    ],
)
def test_what_has_no_meaning_is_rejected_with_what_there_is(
    bench: Bench, crm: CloseAccount, field: str, value: str, said: str
) -> None:
    crm.define("lead", "Size", "choices", choices=["S", "L"])
    done = bench.run(records("leads", {"id": "x", "name": "A", field: value}))
    assert done.outcomes == {"rejected": 1}
    assert said in done.lines[0]["reason"]
    assert crm.writes == []


def test_a_label_that_several_statuses_have_is_rejected_unless_the_id_stands_beside_it(
    bench: Bench, crm: CloseAccount
) -> None:
    lead = crm.add("leads", name="Acme")
    one, other = (pipeline["statuses"][0] for pipeline in crm.client.rows("pipeline")[:2])
    assert one["label"] == other["label"]
    given = {"lead_id": lead["id"], "status_label": one["label"]}
    done = bench.run(records("opportunities", {"id": "a", **given}, {"id": "b", "status_id": other["id"], **given}))
    lines = done.by_key()
    assert one["id"] in lines["a"]["reason"]
    assert other["id"] in lines["a"]["reason"]
    assert lines["b"]["outcome"] == "created"
    assert crm.rows("opportunities")[0]["status_id"] == other["id"]


def two_pipelines(crm: CloseAccount) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two pipelines whose statuses have the same labels."""
    one, other = crm.client.rows("pipeline")[:2]
    labels, others = ([status["label"] for status in pipeline["statuses"]] for pipeline in (one, other))
    assert labels == others
    return one, other


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("said", ["pipeline_name", "pipeline_id"])
def test_of_several_statuses_of_one_label_that_of_the_pipeline_is_meant(
    bench: Bench, crm: CloseAccount, said: str, at: int
) -> None:
    pipeline = two_pipelines(crm)[at]
    row = {
        "id": "a",
        "lead_id": crm.add("leads", name="Acme")["id"],
        "status_label": pipeline["statuses"][0]["label"],
        said: pipeline[said.removeprefix("pipeline_")],
    }
    assert bench.run(records("opportunities", row)).outcomes == {"created": 1}
    assert crm.rows("opportunities")[0]["status_id"] == pipeline["statuses"][0]["id"]
    assert bench.run(records("opportunities", row)).outcomes == {"unchanged": 1}


def test_a_label_alone_is_that_of_the_pipeline_in_which_the_opportunity_is(bench: Bench, crm: CloseAccount) -> None:
    _, pipeline = two_pipelines(crm)
    lead = crm.add("leads", name="Acme")
    there = crm.add("opportunities", lead_id=lead["id"], status_id=pipeline["statuses"][1]["id"])
    row = {"id": there["id"], "status_label": pipeline["statuses"][0]["label"]}
    assert bench.run(records("opportunities", row)).outcomes == {"updated": 1}
    assert crm.rows("opportunities")[0]["status_id"] == pipeline["statuses"][0]["id"]


def test_an_opportunity_that_moves_to_another_pipeline_gets_the_status_of_this_name_there(
    bench: Bench, crm: CloseAccount
) -> None:
    one, other = two_pipelines(crm)
    lead = crm.add("leads", name="Acme")
    there = crm.add("opportunities", lead_id=lead["id"], status_id=one["statuses"][1]["id"])
    row = {"id": there["id"], "status_label": one["statuses"][1]["label"], "pipeline_name": other["name"]}
    assert bench.run(records("opportunities", row)).outcomes == {"updated": 1}
    made = crm.rows("opportunities")[0]
    assert (made["pipeline_id"], made["status_id"]) == (other["id"], other["statuses"][1]["id"])


def test_a_label_that_several_statuses_have_but_none_of_the_pipeline_is_rejected(
    bench: Bench, crm: CloseAccount
) -> None:
    one, other = two_pipelines(crm)
    empty = {**other, "id": "pipe_renewals", "name": "Renewals", "statuses": []}
    crm.app.account.lists["pipelines"].append(empty)
    lead = crm.add("leads", name="Acme")
    before = len(crm.writes)
    row = {"id": "a", "lead_id": lead["id"], "status_label": one["statuses"][0]["label"], "pipeline_name": "Renewals"}
    done = bench.run(records("opportunities", row))
    assert done.outcomes == {"rejected": 1}
    assert f"none in `{empty['id']}`" in done.lines[0]["reason"]
    assert len(crm.writes) == before


def test_custom_fields_are_written_by_their_columns_ids_or_as_they_come(bench: Bench, crm: CloseAccount) -> None:
    many = crm.define("lead", "Colours", "choices", many=True, choices=["red", "blue"])
    day = crm.define("lead", "Since", "date")
    number = crm.define("lead", "Score", "number")
    who = crm.define("lead", "Owner", "user")
    user = crm.client.rows("user")[0]
    row = {
        "id": "x",
        "name": "Acme",
        "custom_colours": ["BLUE", "red"],
        f"custom.{day}": "2026-01-31T00:00:00Z",
        "custom_score": "12.5",
        "custom_fields": {who: user["email"]},
    }
    done = bench.run(records("leads", row))
    assert done.code == 0, done.lines
    made = crm.rows("leads")[0]
    assert sorted(made[f"custom.{many}"]) == ["blue", "red"]
    assert made[f"custom.{day}"] == "2026-01-31"
    assert made[f"custom.{number}"] == 12.5
    assert made[f"custom.{who}"] == user["id"]
    crm.asked.clear()
    assert bench.run(records("leads", row)).outcomes == {"unchanged": 1}
    assert crm.writes == []


def test_a_union_adds_to_a_custom_field_so_that_nobody_elses_value_is_lost(bench: Bench, crm: CloseAccount) -> None:
    many = crm.define("lead", "Colours", "choices", many=True, choices=["red", "blue", "green", "white"])
    lead = crm.add("leads", name="Acme", **{f"custom.{many}": ["red"]})
    row = {"id": lead["id"], "name": "Acme 2", "custom_colours": ["blue", "green"]}

    def meanwhile(number: int) -> None:
        if number == 1:
            crm.change("leads", lead["id"], **{f"custom.{many}.add": "white"})

    bench.crm.lost = meanwhile
    done = bench.run(records("leads", row), streams={"leads": {"arrays": "union"}})
    assert (done.code, done.outcomes) == (0, {"updated": 1}), done.lines
    assert sorted(crm.one("leads", lead["id"])[f"custom.{many}"]) == ["blue", "green", "red", "white"]


def test_lists_are_replaced_or_united(bench: Bench, crm: CloseAccount) -> None:
    lead = crm.add("leads", name="Acme", contacts=[{"name": "Ann", "emails": [{"email": "a@example.com"}]}])
    row = {"id": lead["contacts"][0]["id"], "emails": ["b@example.com"]}
    bench.run(records("contacts", row), streams={"contacts": {"arrays": "union"}})
    assert {one["email"] for one in crm.rows("contacts")[0]["emails"]} == {"a@example.com", "b@example.com"}
    bench.run(records("contacts", row))
    assert {one["email"] for one in crm.rows("contacts")[0]["emails"]} == {"b@example.com"}


@pytest.mark.parametrize(("nulls", "left"), [("ignore", "k"), ("clear", None)])
def test_nulls_are_ignored_or_clear(bench: Bench, crm: CloseAccount, nulls: str, left: str | None) -> None:
    key = f"custom.{crm.keys['contact']}"
    lead = crm.add("leads", name="Acme")
    made = crm.add("contacts", lead_id=lead["id"], name="Ann", title="Head", emails=[{"email": "a@b.ch"}], **{key: "k"})
    row = {"id": made["id"], "name": None, "title": None, "emails": None, "custom_our_key": None}
    done = bench.run(records("contacts", row), streams={"contacts": {"nulls": nulls}})
    now = crm.one("contacts", made["id"])
    assert now.get(key) == left
    assert bool(now["title"]) is bool(now["emails"]) is bool(now["name"]) is (nulls == "ignore")
    assert done.outcomes == ({"unchanged": 1} if nulls == "ignore" else {"updated": 1})
    assert bench.run(records("contacts", row), streams={"contacts": {"nulls": nulls}}).outcomes == {"unchanged": 1}


def test_the_lead_of_a_contact_cannot_be_changed(bench: Bench, crm: CloseAccount) -> None:
    one, other = crm.add("leads", name="A"), crm.add("leads", name="B")
    made = crm.add("contacts", lead_id=one["id"], name="Ann")
    done = bench.run(records("contacts", {"id": made["id"], "lead_id": other["id"]}))
    assert "`lead_id` cannot be changed" in done.lines[0]["reason"]
    assert crm.writes == []


def test_a_reference_that_is_neither_an_id_nor_a_key_is_rejected_before_it_is_sent(
    bench: Bench, crm: CloseAccount
) -> None:
    done = bench.run(records("notes", {"id": "n", "lead_id": "l9", "note": "x"}))
    assert "neither an id of leads nor the key" in done.lines[0]["reason"]
    assert crm.writes == []


def test_tasks_that_close_makes_itself_are_skipped(bench: Bench, crm: CloseAccount) -> None:
    done = bench.run(records("tasks", {"id": "task_x", "_type": "incoming_email", "lead_id": "lead_x"}))
    assert done.outcomes == {"skipped": 1}
    assert crm.writes == []


def test_a_note_and_its_html_that_disagree_are_rejected(bench: Bench, crm: CloseAccount) -> None:
    lead = crm.add("leads", name="A")
    done = bench.run(
        records(
            "notes",
            {"id": "a", "lead_id": lead["id"], "note": "one", "note_html": "<p>two</p>"},
            {"id": "b", "lead_id": lead["id"], "note": "one two", "note_html": "<p>one&nbsp;<b>two</b></p>"},
        )
    )
    lines = done.by_key()
    assert "disagree" in lines["a"]["reason"]
    assert lines["b"]["outcome"] == "created"
    assert [row["note_html"] for row in crm.rows("notes")] == ["<p>one&nbsp;<b>two</b></p>"]


def test_a_note_as_close_has_it_is_unchanged(bench: Bench, crm: CloseAccount) -> None:
    lead = crm.add("leads", name="A")
    html = '<p>See <a href="https://example.com/x">this</a>:</p><ul><li>one</li><li>two</li></ul>'
    made = crm.add("notes", lead_id=lead["id"], note_html=html)
    assert made["note"]
    bench.run(records("notes", {"id": made["id"], "note": made["note"], "note_html": made["note_html"]}))
    assert crm.bodies == []


def test_history_keeps_the_time_at_which_it_was(bench: Bench, crm: CloseAccount) -> None:
    lead = crm.add("leads", name="A")
    row = {"id": "a", "lead_id": lead["id"], "note": "one", "date_created": "2020-05-01T10:00:00Z"}
    assert bench.run(records("notes", row)).outcomes == {"created": 1}
    assert crm.rows("notes")[0]["date_created"].startswith("2020-05-01T10:00:00")
    row["date_created"] = "2021-01-01T00:00:00Z"
    assert bench.run(records("notes", row)).outcomes == {"unchanged": 1}


# What is uncertain


def test_a_lead_that_was_sent_and_not_answered_is_found_by_the_event_log_while_searches_lag(
    bench: Bench, crm: CloseAccount
) -> None:
    crm.app.behaviour.index_lag = 3600.0
    bench.crm.lost = lambda number: "after" if number <= 2 else None
    rows = [{"key": f"k{at}", "name": f"L{at}"} for at in range(4)]
    done = bench.run(records("leads", *rows), streams={"leads": KEYED}, lookup_seconds=120)
    assert (done.code, done.outcomes) == (0, {"created": 4}), done.lines
    assert [method for method, _ in crm.writes] == ["POST"] * 4


def test_children_that_were_not_answered_are_found_in_the_list_of_their_lead(bench: Bench, crm: CloseAccount) -> None:
    crm.app.behaviour.index_lag = crm.app.behaviour.event_lag = 3600.0
    lead = crm.add("leads", name="A")
    bench.crm.lost = lambda _: "after"
    given = [
        *records("contacts", {"key": "k1", "name": "Ann", "lead_id": lead["id"]}),
        *records("opportunities", {"key": "k2", "value": 5, "lead_id": lead["id"]}),
        *records("notes", {"key": "k3", "note": "n", "lead_id": lead["id"]}),
        *records("tasks", {"key": "k4", "is_complete": False, "lead_id": lead["id"]}),
    ]
    streams = {
        "contacts": KEYED,
        "opportunities": KEYED,
        "notes": {"match": ["key"], "external_id": "title"},
        "tasks": {"match": ["key"], "external_id": "text"},
    }
    done = bench.run(given, streams=streams, lookup_seconds=120)
    assert (done.code, done.outcomes) == (0, {"created": 4}), done.lines
    assert [method for method, _ in crm.writes] == ["POST"] * 4
    assert [len(crm.rows(name)) for name in streams] == [1, 1, 1, 1]


def test_children_are_found_by_the_event_log_where_lists_lag_like_searches(bench: Bench, crm: CloseAccount) -> None:
    crm.app.behaviour.index_lag, crm.app.behaviour.child_lists = 3600.0, "index"
    lead = crm.add("leads", name="A")
    bench.crm.lost = lambda _: "after"
    given = records("contacts", {"key": "k1", "name": "Ann", "lead_id": lead["id"]})
    done = bench.run(given, streams={"contacts": KEYED}, lookup_seconds=120)
    assert (done.code, done.outcomes) == (0, {"created": 1}), done.lines
    assert [method for method, _ in crm.writes] == ["POST"]


def test_without_an_external_id_what_was_sent_is_unknown_and_not_sent_again(bench: Bench, crm: CloseAccount) -> None:
    bench.crm.lost = lambda number: "after" if number == 1 else None
    given = records("leads", {"id": "a", "name": "A"})
    assert bench.run(given).outcomes == {"unknown": 1}
    assert bench.run(given).outcomes == {"unknown": 1}
    assert [method for method, _ in crm.writes] == ["POST"]


@pytest.mark.parametrize("kind", ["502", "cut_json", "cut_connection"])
@pytest.mark.parametrize("effect", ["whole", "none"])
def test_nothing_is_doubled_or_lost_when_answers_break(
    bench: Bench, crm: CloseAccount, kind: Kind, effect: Effect
) -> None:
    crm.app.behaviour.faults = [FaultRule([kind], every=3, only="writes", effect=effect)]
    given = [*records("leads", *({"key": f"k{at}", "name": f"L{at}"} for at in range(9))), state(1)]
    done = bench.run_for_real(given, streams={"leads": KEYED}, lookup_seconds=1)
    assert (done.code, done.states, done.outcomes) == (0, [{"at": 1}], {"created": 9}), done.lines
    assert crm.counted("leads", "name") == {f"L{at}": 1 for at in range(9)}


def test_what_an_index_has_not_yet_is_not_written_over(bench: Bench, crm: CloseAccount) -> None:
    rows = [
        {"key": f"k{at}", "name": "L", "description": "A", "date_updated": "2020-01-01T00:00:00Z"} for at in range(6)
    ]
    streams = {"leads": {**KEYED, "conflict": "fail"}}
    bench.run(records("leads", *rows), streams=streams)
    crm.app.behaviour.index_lag = 3600.0
    for lead in crm.rows("leads"):
        crm.change("leads", lead["id"], description="Theirs")
    for row in rows:
        row["description"] = "B"
    done = bench.run(records("leads", *rows), streams=streams)
    assert (done.code, done.outcomes) == (1, {"conflict": 6})
    assert {lead["description"] for lead in crm.rows("leads")} == {"Theirs"}


def test_a_record_that_no_search_shows_is_read_by_its_id(bench: Bench, crm: CloseAccount) -> None:
    crm.app.behaviour.index_lag = 3600.0
    made = [crm.add("leads", name=f"L{at}") for at in range(6)]
    done = bench.run(records("leads", *({"id": one["id"], "name": "New"} for one in made)))
    assert done.outcomes == {"updated": 6}
    assert all(crm.one("leads", one["id"])["name"] == "New" for one in made)


def test_a_deletion_that_is_answered_and_not_done_is_rejected(bench: Bench, crm: CloseAccount) -> None:
    made = crm.add("leads", name="A")
    crm.app.behaviour.faults = [FaultRule(["intact"], every=1, only="writes", effect="none")]
    given = records("leads", {"id": made["id"], "_sdc_deleted_at": DELETED})
    done = bench.run(given, streams={"leads": {"on_delete": "delete"}})
    assert "ignored the deletion" in done.lines[0]["reason"]


@pytest.mark.parametrize("stream", ["leads", "contacts", "opportunities", "tasks", "notes"])
def test_records_that_are_known_are_compared_without_a_request_for_each(
    bench: Bench, crm: CloseAccount, stream: str
) -> None:
    lead = {} if stream == "leads" else {"lead_id": crm.add("leads", name="A")["id"]}
    text = {"opportunities": "note", "notes": "title", "tasks": "text"}.get(stream, "name")
    given = records(stream, *({"id": f"x{at}", text: f"T{at}", **lead} for at in range(50)))
    assert bench.run(given).outcomes == {"created": 50}
    crm.asked.clear()
    assert bench.run(given).outcomes == {"unchanged": 50}
    assert crm.writes == []
    assert len(crm.asked) < 15

"""Records of Close are created, changed and deleted through the API."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox


def made(asker: CloseClient, path: str, **body: object) -> dict[str, Any]:
    """Create a record, which must succeed."""
    answer = asker.post(path, body)
    assert answer.ok, answer.text
    record: dict[str, Any] = answer.json()
    return record


def changed(asker: CloseClient, path: str, **body: object) -> dict[str, Any]:
    """Change a record, which must succeed; what is answered is what is there."""
    answer = asker.put(path, body)
    assert answer.ok, answer.text
    record: dict[str, Any] = answer.json()
    assert asker.get(path).json() == record
    return record


@pytest.fixture
def lead(writer: CloseClient) -> str:
    return str(made(writer, "lead", name="Acme")["id"])


def statuses(server: CloseSandbox, name: str, sort: str | None = None) -> list[str]:
    return [one["id"] for one in server.account.lists[name] if sort is None or one["type"] == sort]


def test_a_lead_is_created_with_what_is_nested_in_it(writer: CloseClient) -> None:
    contact = {"name": "Jo", "emails": [{"email": "jo@example.com"}], "phones": [{"phone": "(650) 555-0100"}]}
    lead = made(writer, "lead", name="Acme", contacts=[contact], addresses=[{"city": "Wien", "country": "AT"}])
    assert writer.get(f"lead/{lead['id']}").json() == lead
    (nested,) = lead["contacts"]
    assert lead["contact_ids"] == [nested["id"]]
    assert writer.rows("contact", lead_id=lead["id"]) == [nested]
    assert nested["emails"] == [{"email": "jo@example.com", "type": "office", "is_unsubscribed": False}]
    assert nested["phones"][0].items() >= {"phone": "+16505550100", "country": "US", "type": "office"}.items()
    assert nested["phones"][0]["phone_formatted"] == "+1 650-555-0100"
    assert lead["addresses"][0].items() >= {"city": "Wien", "country": "AT", "label": "business"}.items()


def test_a_new_record_is_dated_a_little_later_than_it_was_created(writer: CloseClient) -> None:
    lead = made(writer, "lead", name="Acme")
    created, updated = (datetime.fromisoformat(lead[key]) for key in ("date_created", "date_updated"))
    assert 0 < (updated - created).total_seconds() < 0.1


def test_an_update_changes_only_what_is_sent(writer: CloseClient) -> None:
    lead = made(writer, "lead", name="Acme", description="Old", url="https://acme.example")
    new = changed(writer, f"lead/{lead['id']}", description="New")
    assert new == lead | {"description": "New", "date_updated": new["date_updated"]}
    assert new["date_updated"] > lead["date_updated"]


def test_nulls_clear_in_the_form_that_each_field_has(writer: CloseClient) -> None:
    lead = made(writer, "lead", name="Acme", description="Old", url="https://acme.example")
    new = changed(writer, f"lead/{lead['id']}", description=None, url=None)
    assert (new["description"], new["url"]) == ("", None)
    contact = made(writer, "contact", lead_id=lead["id"], name="Jo", title="CEO")
    new = changed(writer, f"contact/{contact['id']}", name=None, title=None)
    assert (new["name"], new["title"]) == ("", "")


def test_contacts_in_the_update_of_a_lead_are_not_updated(writer: CloseClient) -> None:
    lead = made(writer, "lead", name="Acme", contacts=[{"name": "Jo"}])
    new = changed(writer, f"lead/{lead['id']}", contacts=[{"id": lead["contact_ids"][0], "name": "Nobody"}])
    assert new == lead


def test_arrays_are_replaced_whole(writer: CloseClient, lead: str) -> None:
    emails = [{"email": "a@example.com", "type": "home"}, {"email": "b@example.com"}]
    contact = made(writer, "contact", lead_id=lead, emails=emails)
    new = changed(writer, f"contact/{contact['id']}", emails=[{"email": "c@example.com"}])
    assert [one["email"] for one in new["emails"]] == ["c@example.com"]
    assert changed(writer, f"contact/{contact['id']}", emails=[])["emails"] == []


@pytest.mark.parametrize(
    ("sent", "kept", "country"),
    [
        ("6505550100", "+16505550100", "US"),
        ("1 (650) 555-0100", "+16505550100", "US"),
        ("+43 1 533 20-00", "+4315332000", "AT"),
        ("+41.44.668.18.00", "+41446681800", "CH"),
        ("+390639388000", "+390639388000", None),
    ],
)
def test_phones_come_back_as_e164(writer: CloseClient, lead: str, sent: str, kept: str, country: str | None) -> None:
    (phone,) = made(writer, "contact", lead_id=lead, phones=[{"phone": sent, "type": "mobile"}])["phones"]
    assert (phone["phone"], phone["country"], phone["type"]) == (kept, country, "mobile")


def test_a_contact_without_a_lead_makes_one_named_after_it(writer: CloseClient) -> None:
    contact = made(writer, "contact", name="Jo March")
    lead = writer.get(f"lead/{contact['lead_id']}").json()
    assert (lead["name"], lead["contact_ids"]) == ("Jo March", [contact["id"]])


def test_the_lead_of_a_contact_can_not_be_changed(writer: CloseClient, lead: str) -> None:
    contact = made(writer, "contact", name="Jo")
    answer = writer.put(f"contact/{contact['id']}", {"lead_id": lead})
    assert (answer.status_code, list(answer.json()["field-errors"])) == (400, ["lead_id"])
    assert writer.put(f"contact/{contact['id']}", {"lead_id": contact["lead_id"]}).ok


def test_a_lead_takes_a_status_by_id_or_by_label(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    first, second = tiny_server.account.lists["lead_statuses"][:2]
    lead = made(writer, "lead", name="Acme")
    assert (lead["status_id"], lead["status_label"]) == (first["id"], first["label"])
    assert changed(writer, f"lead/{lead['id']}", status=second["label"])["status_id"] == second["id"]
    assert changed(writer, f"lead/{lead['id']}", status_id=first["id"])["status_label"] == first["label"]
    both = {"status": second["label"], "status_id": second["id"]}
    assert writer.put(f"lead/{lead['id']}", both).status_code == 400


@pytest.mark.parametrize("noted", [True, False])
def test_close_notes_what_happens_to_leads_and_tasks(
    writer: CloseClient, tiny_server: CloseSandbox, *, noted: bool
) -> None:
    tiny_server.behaviour.side_activities = noted
    lead = made(writer, "lead", name="Acme")
    other = statuses(tiny_server, "lead_statuses")[1]
    changed(writer, f"lead/{lead['id']}", status_id=other)
    task = made(writer, "task", lead_id=lead["id"], text="Call")
    changed(writer, f"task/{task['id']}", is_complete=True)
    kinds = [one["_type"] for one in writer.rows("activity", lead_id=lead["id"])]
    assert sorted(kinds) == (["Created", "LeadStatusChange", "TaskCompleted"] if noted else [])


def test_an_opportunity_is_in_cents_and_has_its_first_status(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    record = made(writer, "opportunity", lead_id=lead, value=123_456, value_period="monthly", confidence=50)
    assert record["status_id"] == statuses(tiny_server, "opportunity_statuses")[0]
    assert record["annualized_value"] == 12 * 123_456
    assert record["expected_value"] == 61_728
    assert record["value_formatted"] == "$1,234.56 monthly"
    assert writer.rows("opportunity", lead_id=lead) == [record]


def test_an_opportunity_without_a_lead_makes_one(writer: CloseClient) -> None:
    record = made(writer, "opportunity", value=1)
    assert writer.get(f"lead/{record['lead_id']}").json()["display_name"] == "Untitled"


def test_winning_dates_an_opportunity_and_leaving_that_status_does_not_clear_the_date(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    (won, *_), (active, *_) = (statuses(tiny_server, "opportunity_statuses", one) for one in ("won", "active"))
    number = made(writer, "opportunity", lead_id=lead)["id"]
    writer.session.headers["x-tz-offset"] = "0"
    record = changed(writer, f"opportunity/{number}", status_id=won)
    assert record["date_won"] == record["date_updated"][:10]
    assert changed(writer, f"opportunity/{number}", status_id=active)["date_won"] == record["date_won"]
    other = made(writer, "opportunity", lead_id=lead, status_id=won, date_won="2020-02-02")
    assert other["date_won"] == "2020-02-02"


def test_a_pipeline_chooses_its_first_status_and_refuses_those_of_others(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    first, second = tiny_server.account.lists["pipelines"]
    record = made(writer, "opportunity", lead_id=lead, pipeline_id=second["id"])
    assert record["status_id"] == second["statuses"][0]["id"]
    wrong = {"lead_id": lead, "pipeline_id": first["id"], "status_id": record["status_id"]}
    assert list(writer.post("opportunity", wrong).json()["field-errors"]) == ["status_id"]


@pytest.mark.parametrize("path", ["opportunity", "activity/note", "activity/call"])
def test_html_beats_the_plain_note_and_each_makes_the_other(writer: CloseClient, lead: str, path: str) -> None:
    record = made(writer, path, lead_id=lead, note="plain", note_html="<p>a &amp; b</p><p>c</p>")
    assert (record["note"], record["note_html"]) == ("a & b\nc", "<p>a &amp; b</p><p>c</p>")
    record = changed(writer, f"{path}/{record['id']}", note="x < y")
    assert record["note_html"] == "<body><p>x &lt; y</p></body>"
    record = changed(writer, f"{path}/{record['id']}", note_html=None)
    assert (record["note"], record["note_html"]) == (None, None)


def test_history_can_be_imported(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    user = tiny_server.account.source.user_ids[1]
    stamps = {"date_created": "2020-02-02T10:00:00+01:00", "user_id": user}
    note = made(writer, "activity/note", lead_id=lead, note="Old", created_by_id=user, **stamps)
    assert (note["date_created"], note["user_id"], note["created_by"]) == ("2020-02-02T09:00:00+00:00", user, user)
    opportunity = made(writer, "opportunity", lead_id=lead, created_by=user, **stamps)
    assert (opportunity["date_created"][:10], opportunity["created_by"]) == ("2020-02-02", user)


def test_a_call_is_logged(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    contact = made(writer, "contact", name="Jo")
    outcome = tiny_server.account.lists["outcomes"][0]["id"]
    call = made(
        *(writer, "activity/call"),
        contact_id=contact["id"],
        phone="+43 1 5332000",
        direction="inbound",
        duration=61,
        outcome_id=outcome,
        recording_url="https://example.com/1.mp3",
    )
    assert (call["lead_id"], call["source"], call["status"]) == (contact["lead_id"], "External", "completed")
    assert (call["phone"], call["remote_phone"], call["has_recording"]) == ("+4315332000", "+4315332000", True)
    assert call["outcome_id"] == outcome


def test_a_task_is_dated_and_done(writer: CloseClient, lead: str) -> None:
    task = made(writer, "task", lead_id=lead, text="Call", date="2999-01-01")
    assert (task["_type"], task["is_dateless"], task["view"], task["due_date"]) == (
        *("lead", False, "future"),
        "2999-01-01",
    )
    task = changed(writer, f"task/{task['id']}", date=None)
    assert (task["is_dateless"], task["view"]) == (True, "inbox")
    assert changed(writer, f"task/{task['id']}", is_complete=True)["view"] == "archive"
    assert made(writer, "task", lead_id=lead, _type="outgoing_call")["_type"] == "outgoing_call"
    assert writer.post("task", {"lead_id": lead, "_type": "incoming_email"}).status_code == 400


def test_many_tasks_change_by_filters(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    texts = ("a", "b", "c")
    ids = [made(writer, "task", lead_id=lead, text=text)["id"] for text in texts]
    call = made(writer, "task", lead_id=lead, _type="outgoing_call")["id"]
    user = tiny_server.account.source.user_ids[1]
    answer = writer.put("task", {"assigned_to": user, "date": "2030-01-01"}, id__in=",".join(ids[:2]))
    assert (answer.status_code, answer.json()) == (200, {})
    found = {one["id"]: one["assigned_to"] == user for one in writer.rows("task", lead_id=lead, _type="all")}
    assert found == {ids[0]: True, ids[1]: True, ids[2]: False, call: False}
    assert writer.put("task", {"text": "all the same"}, lead_id=lead).status_code == 400
    assert writer.put("task", {"is_complete": True}, lead=lead).status_code == 400


def test_a_custom_activity_is_published_only_with_its_required_fields(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    account = tiny_server.account
    kind = account.lists["custom_activity_types"][0]["id"]
    field = account.add_field(object_type="activity", name="Must", type="text", custom_activity_type_id=kind)
    account.edit("custom_fields", ids=[field], changes={"required": True})
    body = {"lead_id": lead, "custom_activity_type_id": kind}
    answer = writer.post("activity/custom", body)
    assert (answer.status_code, list(answer.json()["field-errors"])) == (400, [f"custom.{field}"])
    draft = made(writer, "activity/custom", **body, status="draft")
    assert writer.put(f"activity/custom/{draft['id']}", {"status": "published"}).status_code == 400
    done = changed(writer, f"activity/custom/{draft['id']}", status="published", **{f"custom.{field}": "x"})
    assert (done["status"], done[f"custom.{field}"]) == ("published", "x")
    assert done["last_published_at"] is not None


def test_custom_objects_answer_201_and_204(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    kind = tiny_server.account.lists["custom_object_types"][0]["id"]
    answer = writer.post("custom_object", {"lead_id": lead, "custom_object_type_id": kind, "name": "Press"})
    number = answer.json()["id"]
    assert answer.status_code == 201
    assert changed(writer, f"custom_object/{number}", name="Press 2")["name"] == "Press 2"
    assert [one["id"] for one in writer.rows("custom_object", lead_id=lead)] == [number]
    answer = writer.delete(f"custom_object/{number}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert writer.get(f"custom_object/{number}").status_code == 404


@pytest.mark.parametrize("status", ["204", "200"])
def test_comments_open_threads_and_stay_when_they_are_removed(writer: CloseClient, lead: str, status: str) -> None:
    writer.control("configure", {"bare_deletes": status})
    note = made(writer, "activity/note", lead_id=lead, note="Hi")["id"]
    answer = writer.post("comment", {"object_id": note, "body": "first"})
    assert answer.status_code == 201
    second = made(writer, "comment", object_id=note, body="second")
    assert answer.json()["thread_id"] == second["thread_id"]
    assert changed(writer, f"comment/{second['id']}", body="2nd")["body"] == "2nd"
    assert str(writer.delete(f"comment/{second['id']}").status_code) == status
    assert [one["body"] for one in writer.rows("comment", object_id=note)] == ["first", ""]
    (thread,) = writer.rows("comment_thread", object_ids=note)
    assert (thread["num_comments"], thread["lead_id"]) == (2, lead)


def test_unsubscribing_marks_the_address_wherever_it_is(writer: CloseClient, lead: str) -> None:
    contact = made(writer, "contact", lead_id=lead, emails=[{"email": "Jo@example.com"}])
    assert writer.post("unsubscribe/email", {"email": "jo@example.com"}).status_code == 201
    assert writer.post("unsubscribe/email", {"email": "jo@example.com"}).status_code == 201
    writer.control("configure", {"unsubscribed_twice": "refused"})
    assert writer.post("unsubscribe/email", {"email": "jo@example.com"}).status_code == 400
    assert writer.get(f"contact/{contact['id']}").json()["emails"][0]["is_unsubscribed"] is True
    assert writer.delete("unsubscribe/email/jo@example.com").status_code == 204
    assert writer.delete("unsubscribe/email/jo@example.com").status_code == 404
    assert writer.get(f"contact/{contact['id']}").json() == contact


def test_a_logged_status_change_does_not_change_the_status(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    first, second = statuses(tiny_server, "lead_statuses")[:2]
    change = {"lead_id": lead, "old_status_id": second, "new_status_id": first, "date_created": "2020-01-01T00:00:00Z"}
    assert made(writer, "activity/status_change/lead", **change)["date_created"] == "2020-01-01T00:00:00+00:00"
    assert writer.get(f"lead/{lead}").json()["status_id"] == first
    opportunity = made(writer, "opportunity", lead_id=lead)
    first, second = statuses(tiny_server, "opportunity_statuses")[:2]
    change = {"lead_id": lead, "opportunity_id": opportunity["id"], "old_status_id": first, "new_status_id": second}
    logged = made(writer, "activity/status_change/opportunity", **change)
    assert writer.get(f"opportunity/{opportunity['id']}").json() == opportunity
    assert writer.delete(f"activity/status_change/opportunity/{logged['id']}").json() == {}


@pytest.mark.parametrize("path", ["lead", "contact", "opportunity", "task", "activity/note", "activity/call"])
def test_what_is_deleted_is_gone_and_can_not_be_deleted_twice(writer: CloseClient, lead: str, path: str) -> None:
    body = {} if path == "lead" else {"lead_id": lead}
    number = made(writer, path, **body)["id"]
    answer = writer.delete(f"{path}/{number}")
    assert (answer.status_code, answer.json()) == (200, {})
    answers = [writer.delete(f"{path}/{number}"), writer.put(f"{path}/{number}", {}), writer.get(f"{path}/{number}")]
    assert [one.status_code for one in answers] == [404, 404, 404]


def test_whatsapp_messages_are_mirrored_and_meetings_get_notes(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    contact = made(writer, "contact", lead_id=lead)["id"]
    message = made(
        *(writer, "activity/whatsapp_message"),
        lead_id=lead,
        contact_id=contact,
        direction="outgoing",
        external_whatsapp_message_id="wamid.1",
        activity_at="2026-01-01T00:00:00Z",
        local_phone="6505550100",
        remote_phone="+43 1 5332000",
        message_markdown="*Hi*",
    )
    assert (message["text"], message["remote_phone"]) == ("*Hi*", "+4315332000")
    (meeting,) = tiny_server.account.create("meetings")
    assert writer.post("activity/meeting", {"lead_id": lead}).status_code == 405
    noted = changed(writer, f"activity/meeting/{meeting}", user_note_html="<p>Fine</p>")
    assert noted["user_note"] == "Fine"
    assert writer.put(f"activity/meeting/{meeting}", {"title": "x"}).status_code == 400
    assert writer.control("truth/sent") == []


def test_a_lead_takes_its_children_along(writer: CloseClient, lead: str) -> None:
    paths = ("contact", "opportunity", "task", "activity/note")
    ids = {path: made(writer, path, lead_id=lead)["id"] for path in paths}
    assert writer.delete(f"lead/{lead}").ok
    assert {writer.get(f"{path}/{number}").status_code for path, number in ids.items()} == {404}


def test_leads_are_merged(writer: CloseClient, lead: str) -> None:
    source = made(writer, "lead", name="Double", contacts=[{"name": "Jo"}])
    assert writer.post("lead/merge", {"source": source["id"], "destination": lead}).ok
    assert writer.get(f"lead/{source['id']}").status_code == 404
    assert writer.get(f"lead/{lead}").json()["contact_ids"] == source["contact_ids"]


def test_only_what_would_leave_the_house_counts_as_sent(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str
) -> None:
    for status in ("draft", "sent", "inbox", "error"):
        made(writer, "activity/email", lead_id=lead, status=status, sender="me@example.com", to=["jo@example.com"])
        made(writer, "activity/sms", lead_id=lead, status=status, text="Hi", remote_phone="6505550100")
    assert writer.control("truth/sent") == []
    draft = made(writer, "activity/email", lead_id=lead, status="draft")
    assert writer.put(f"activity/email/{draft['id']}", {"status": "outbox"}).status_code == 400
    changed(writer, f"activity/email/{draft['id']}", status="outbox", sender="me@example.com")
    sms = made(writer, "activity/sms", lead_id=lead, status="scheduled", text="Hi")
    contact = made(writer, "contact", lead_id=lead)
    sequence = tiny_server.account.lists["sequences"][0]["id"]
    subscription = made(writer, "sequence_subscription", sequence_id=sequence, contact_id=contact["id"])
    sent = writer.control("truth/sent")
    assert [one["id"] for one in sent] == [draft["id"], sms["id"], subscription["id"]]


@pytest.mark.parametrize("dated", [False, True])
def test_a_put_that_changes_nothing_may_move_the_date(writer: CloseClient, lead: str, *, dated: bool) -> None:
    writer.control("configure", {"noop_update": "dated" if dated else "untouched"})
    before = writer.get(f"lead/{lead}").json()
    events = len(writer.events(lead_id=lead))
    after = changed(writer, f"lead/{lead}", name=before["name"])
    assert (after["date_updated"] > before["date_updated"]) is dated
    assert after | {"date_updated": ""} == before | {"date_updated": ""}
    assert len(writer.events(lead_id=lead)) == events

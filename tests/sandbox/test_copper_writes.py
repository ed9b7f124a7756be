"""What Copper's server does with writes of single records, and what it turns down."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from sandbox.copper.writes.attributes import WRITABLE

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox

MINIMAL: dict[str, dict[str, Any]] = {
    "people": {"name": "Ada King Lovelace"},
    "companies": {"name": "Analytical Engines"},
    "leads": {"name": "Ada Lovelace"},
    "opportunities": {"name": "Engine", "primary_contact_id": 62_648_050},
    "projects": {"name": "Build"},
    "tasks": {"name": "Call"},
    "activities": {
        "parent": {"type": "person", "id": 62_648_050},
        "type": {"category": "user", "id": 0},
        "details": "Called.",
    },
}
_ROUTES = list(MINIMAL)


def made(client: Client, name: str, **more: object) -> dict[str, Any]:
    answer = client.post(name, MINIMAL[name] | more)
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


@pytest.mark.parametrize("name", _ROUTES)
def test_a_record_is_made_changed_read_and_deleted(client: Client, app: CopperSandbox, name: str) -> None:
    before = len(app.account.ids(name))
    record = made(client, name)
    assert set(record) == set(app.account.records(name)[0]), "the attributes of every other record"
    assert client.get(f"{name}/{record['id']}").json() == record
    changed = client.put(f"{name}/{record['id']}", {"details": "more"}).json()
    assert {key for key in changed if changed[key] != record[key]} <= {"details", "date_modified"}
    assert client.get(f"{name}/{record['id']}").json() == changed
    assert client.delete(f"{name}/{record['id']}").json() == {"id": record["id"], "is_deleted": True}
    assert len(app.account.ids(name)) == before
    gone = client.get(f"{name}/{record['id']}")
    assert gone.json() == {"id": record["id"], "is_deleted": True} if name == "activities" else gone.status_code == 404
    for answer in (client.put(f"{name}/{record['id']}", {}), client.delete(f"{name}/{record['id']}")):
        assert (answer.status_code, answer.json()["message"]) == (404, "Resource not found")
    assert app.stats.writes == {f"POST {name}": 1, f"PUT {name}/{{id}}": 2, f"DELETE {name}/{{id}}": 2}


@pytest.mark.parametrize("name", _ROUTES)
def test_what_is_required_is_missed(client: Client, app: CopperSandbox, name: str) -> None:
    for attribute in MINIMAL[name]:
        body = {key: value for key, value in MINIMAL[name].items() if key != attribute}
        answer = client.post(name, body)
        assert answer.status_code == 422, attribute
        assert answer.json()["message"].startswith("Invalid input: Validation errors: ")
    app.behaviour.contact_required = False
    assert client.post("opportunities", {"name": "Engine"}).status_code == 200


@pytest.mark.parametrize("name", _ROUTES)
@pytest.mark.parametrize("attribute", ["nickname", "id", "date_created", "interaction_count"])
def test_an_attribute_that_cannot_be_written_is_refused_or_ignored(
    client: Client, app: CopperSandbox, name: str, attribute: str
) -> None:
    record = made(client, name)
    assert client.put(f"{name}/{record['id']}", {attribute: 5}).status_code == 422
    app.behaviour.unwritable = "ignored"
    assert client.put(f"{name}/{record['id']}", {attribute: 5}).json() == record


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("people", {"name": 5}),
        ("people", {"name": ""}),
        ("people", {"emails": ["ada@example.com"]}),
        ("people", {"emails": [{"email": "no address", "category": "work"}]}),
        ("people", {"emails": [{"email": "ada@example.com", "category": "office"}]}),
        ("people", {"emails": {"email": "ada@example.com", "category": "work"}}),
        ("people", {"phone_numbers": [{"number": 5, "category": "work"}]}),
        ("people", {"tags": "vip"}),
        ("people", {"address": {"town": "London"}}),
        ("people", {"assignee_id": "137650"}),
        ("people", {"assignee_id": 1}),
        ("people", {"contact_type_id": "Other"}),
        ("people", {"company_id": -2}),
        ("people", {"custom_fields": {"126240": "x"}}),
        ("people", {"custom_fields": [{"custom_field_definition_id": 1, "value": "x"}]}),
        ("leads", {"email": [{"email": "ada@example.com", "category": "work"}]}),
        ("leads", {"status": "New"}),
        ("leads", {"status_id": 1}),
        ("leads", {"monetary_value": "1000"}),
        ("opportunities", {"close_date": 1_790_000_000}),
        ("opportunities", {"close_date": "2026-01-14"}),
        ("opportunities", {"close_date": "31/12/2026"}),
        ("opportunities", {"status": "open"}),
        ("opportunities", {"priority": "Urgent"}),
        ("opportunities", {"pipeline_id": 213_210, "pipeline_stage_id": 987_800}),
        ("opportunities", {"win_probability": 101}),
        ("tasks", {"due_date": "1/14/2026"}),
        ("tasks", {"status": "Done"}),
        ("tasks", {"related_resource": {"id": 1, "type": "person"}}),
        ("tasks", {"related_resource": {"id": 62_648_050, "type": "task"}}),
        ("activities", {"type": {"category": "system", "id": 1}}),
        ("activities", {"type": {"category": "user", "id": 3}}),
        ("activities", {"type": {"category": "user", "id": 99}}),
        ("activities", {"parent": {"type": "person", "id": 1}}),
        ("activities", {"parent": {"type": "people", "id": 62_648_050}}),
    ],
)
def test_a_value_that_is_not_documented_is_refused(
    client: Client, app: CopperSandbox, name: str, body: dict[str, Any]
) -> None:
    number = made(client, name)["id"]
    before = app.account.record(name, number)
    assert client.post(name, MINIMAL[name] | body).status_code == 422
    assert client.put(f"{name}/{number}", body).status_code == 422
    assert app.account.record(name, number) == before


def test_a_body_that_is_no_json_is_a_bad_request(client: Client) -> None:
    answer = client.session.post(f"{client.url}/people", data=b'{"name": ', timeout=30)
    assert answer.status_code == 400
    assert client.put("people/62648050", [1]).status_code == 400


def test_null_clears_and_what_is_not_named_stays(client: Client) -> None:
    lists: dict[str, Any] = {"emails": [{"email": "a@x.example", "category": "work"}], "tags": ["b", "a", "b"]}
    person = made(client, "people", details="x", title="y", address={"city": "London"}, **lists)
    assert person["tags"] == ["b", "a"]
    changed = client.put(f"people/{person['id']}", {"details": None, "emails": None, "address": None}).json()
    assert (changed["details"], changed["emails"], changed["address"]) == (None, [], None)
    assert (changed["title"], changed["tags"]) == ("y", ["b", "a"])


def test_an_array_replaces_the_old_one(client: Client) -> None:
    person = made(client, "people", emails=[{"email": f"{n}@x.example", "category": "work"} for n in range(3)])
    other = [{"email": "2@x.example", "category": "other"}]
    assert client.put(f"people/{person['id']}", {"emails": other}).json()["emails"] == other


def test_an_empty_body_changes_nothing_and_the_same_values_move_the_time_or_not(
    client: Client, app: CopperSandbox
) -> None:
    number = app.account.ids("people")[0]
    before = client.get(f"people/{number}").json()
    assert client.put(f"people/{number}", {}).json() == before
    app.behaviour.unchanged_moves_modified = False
    assert client.put(f"people/{number}", {"title": before["title"]}).json() == before
    app.behaviour.unchanged_moves_modified = True
    assert client.put(f"people/{number}", {"title": before["title"]}).json()["date_modified"] > before["date_modified"]


def test_a_name_makes_its_parts_and_parts_make_the_name(client: Client) -> None:
    person = made(client, "people")
    assert [person[part] for part in ("first_name", "middle_name", "last_name")] == ["Ada", "King", "Lovelace"]
    assert client.put(f"people/{person['id']}", {"last_name": "Byron"}).json()["name"] == "Ada King Byron"
    other = client.post("people", {"first_name": "Mary", "last_name": "Shelley"}).json()
    assert other["name"] == "Mary Shelley"
    assert client.put(f"people/{other['id']}", {"first_name": None, "last_name": None}).status_code == 422


@pytest.mark.parametrize("status", [409, 422])
def test_an_address_is_unique_over_people_and_a_domain_over_companies(
    client: Client, app: CopperSandbox, status: Literal[409, 422]
) -> None:
    app.behaviour.duplicate_status = status
    emails = [{"email": "Ada@x.example", "category": "work"}]
    person = made(client, "people", emails=emails)
    again = [{"email": "ada@X.example", "category": "other"}]
    answer = client.post("people", {"name": "Other", "emails": again})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert client.put(f"people/{person['id']}", {"emails": again}).status_code == 200, "its own"
    assert made(client, "leads", email=again[0])["email"] == again[0], "leads may share one"
    client.delete(f"people/{person['id']}")
    assert client.post("people", {"name": "Other", "emails": again}).status_code == 200, "it is free again"
    company = made(client, "companies", email_domain="x.example")
    assert client.post("companies", {"name": "Other", "email_domain": "X.example"}).status_code == status
    assert client.put(f"companies/{company['id']}", {"email_domain": "y.example"}).status_code == 200
    assert client.post("companies", {"name": "Other", "email_domain": "x.example"}).status_code == 200


def test_people_are_found_by_an_address_at_once_or_after_the_index_lag(client: Client, app: CopperSandbox) -> None:
    app.behaviour.index_lag = 60
    person = made(client, "people", emails=[{"email": "ada@x.example", "category": "work"}])
    assert client.post("people/fetch_by_email", {"email": "ADA@x.example"}).json() == person
    assert client.search("people", emails=["ada@x.example"]) == []
    app.behaviour.email_lookup_sees = "index"
    assert client.post("people/fetch_by_email", {"email": "ADA@x.example"}).status_code == 404


@pytest.mark.parametrize(("how", "street"), [("replaced", None), ("merged", "1 Main St")])
def test_a_part_of_an_address_replaces_it_or_merges(
    client: Client, app: CopperSandbox, how: Literal["replaced", "merged"], street: str | None
) -> None:
    app.behaviour.partial_address = how
    person = made(client, "people", address={"street": "1 Main St", "city": "London"})
    address = client.put(f"people/{person['id']}", {"address": {"city": "Paris"}}).json()["address"]
    assert (address["street"], address["city"]) == (street, "Paris")
    assert not any(client.put(f"people/{person['id']}", {"address": {}}).json()["address"].values())


def test_a_new_person_is_linked_to_a_company_by_name_which_is_made(client: Client, app: CopperSandbox) -> None:
    company = app.account.records("companies")[0]
    person = made(client, "people", company_name=company["name"].upper())
    assert (person["company_id"], person["company_name"]) == (company["id"], company["name"])
    before = len(app.account.ids("companies"))
    assert made(client, "people", company_name="Brand new")["company_name"] == "Brand new"
    assert len(app.account.ids("companies")) == before + 1


@pytest.mark.parametrize("rule", ["ignored", "moved", "refused"])
def test_an_update_moves_no_person_to_another_company_unless_the_account_does_so(
    client: Client, app: CopperSandbox, rule: Literal["ignored", "moved", "refused"]
) -> None:
    app.behaviour.company_of_person = rule
    first, second = app.account.ids("companies")[:2]
    person = made(client, "people", company_id=first)
    answer = client.put(f"people/{person['id']}", {"company_id": second})
    assert answer.status_code == (422 if rule == "refused" else 200)
    held = app.account.record("people", person["id"])
    assert held["company_id"] == (second if rule == "moved" else first)
    assert client.put(f"people/{person['id']}", {"company_id": held["company_id"]}).status_code == 200


def test_an_opportunity_has_a_pipeline_a_stage_and_a_close_date_without_padding(client: Client) -> None:
    deal = made(client, "opportunities", close_date="01/09/2027")
    assert (deal["pipeline_id"], deal["pipeline_stage_id"], deal["status"]) == (213_210, 987_790, "Open")
    assert (deal["close_date"], deal["win_probability"]) == ("1/9/2027", 5)
    moved = client.put(f"opportunities/{deal['id']}", {"pipeline_id": 213_211}).json()
    assert moved["pipeline_stage_id"] == 987_800, "the first stage of the other pipeline"
    changes = {"pipeline_stage_id": 987_802, "status": "Lost", "loss_reason_id": 300_987}
    lost = client.put(f"opportunities/{deal['id']}", changes).json()
    assert (lost["status"], lost["loss_reason_id"], lost["win_probability"]) == ("Lost", 300_987, 40)


def test_a_task_is_completed_and_opened_again(client: Client) -> None:
    task = made(client, "tasks", due_date=1_790_000_000)
    done = client.put(f"tasks/{task['id']}", {"status": "Completed"}).json()
    assert done["completed_date"] >= task["date_created"]
    assert client.put(f"tasks/{task['id']}", {"status": "Open"}).json()["completed_date"] is None


def test_dates_are_written_as_text_where_the_account_wants_it(client: Client, app: CopperSandbox) -> None:
    app.behaviour.written_dates = "text"
    assert client.post("tasks", {"name": "x", "due_date": 1_790_000_000}).status_code == 422
    assert made(client, "tasks", due_date="09/21/2026")["due_date"] == 1_789_948_800
    app.behaviour.written_dates = "both"
    assert made(client, "tasks", due_date=1_790_000_000)["due_date"] == 1_790_000_000


def test_a_copy_of_another_accounts_record_is_taken_as_it_is(client: Client, app: CopperSandbox) -> None:
    app.behaviour.contact_required = False
    own = ("company_id", "primary_contact_id", "related_resource", "emails", "email_domain")
    for name in ("companies", "people", "leads", "opportunities", "projects", "tasks"):
        for record in app.account.records(name)[10:13]:
            body = {key: value for key, value in record.items() if key in WRITABLE[name] and key not in own}
            body |= {} if name == "leads" else dict.fromkeys(body.keys() & {"company_name"})
            answered = client.post(name, body).json()
            assert {key: answered[key] for key in body} == body


def test_activities_of_the_system_are_read_only(client: Client, app: CopperSandbox) -> None:
    system = next(one for one in app.account.records("activities") if one["type"]["category"] == "system")
    assert client.put(f"activities/{system['id']}", {"details": "x"}).status_code == 422
    assert client.delete(f"activities/{system['id']}").status_code == 422


def test_a_layout_says_what_is_required_and_writes_are_held_to_it(client: Client, app: CopperSandbox) -> None:
    app.behaviour.required_fields = {"leads": ["cf_126240", "title"]}
    layout = client.get("field_layouts/by_entity/leads").json()
    assert {one["field_key"] for one in layout if one["required"]} == {"name", "title", "cf_126240"}
    entry = {"custom_field_definition_id": 126_240, "value": "42"}
    for body in ({"title": "CEO"}, {"custom_fields": [entry]}):
        assert client.post("leads", MINIMAL["leads"] | body).status_code == 422
    lead = made(client, "leads", title="CEO", custom_fields=[entry])
    assert client.put(f"leads/{lead['id']}", {"details": "x"}).status_code == 200
    assert client.put(f"leads/{lead['id']}", {"custom_fields": [entry | {"value": None}]}).status_code == 422


def test_texts_that_are_empty_are_kept_or_null(client: Client, app: CopperSandbox) -> None:
    assert made(client, "people", title="")["title"] == ""
    app.behaviour.empty_texts = "null"
    assert made(client, "people", title="")["title"] is None


def test_hidden_records_can_neither_be_changed_nor_pointed_at(client: Client, app: CopperSandbox) -> None:
    number = app.account.ids("people")[0]
    app.behaviour.hidden = {"people": [int(number)]}
    assert client.put(f"people/{number}", {"title": "x"}).status_code == 404
    assert client.delete(f"people/{number}").status_code == 404
    assert client.post("opportunities", {"name": "x", "primary_contact_id": number}).status_code == 422


def test_a_key_that_may_only_read_is_refused(client: Client, app: CopperSandbox) -> None:
    app.behaviour.forbidden_writes = ["people", "leads/upsert"]
    assert client.post("people", {"name": "x"}).status_code == 403
    assert client.put("leads/upsert", {}).status_code == 403
    assert client.post("leads", {"name": "x"}).status_code == 200
    assert client.search("people")
    app.behaviour.leads_enabled = False
    assert client.post("leads", {"name": "x"}).status_code == 403


def test_webhooks_are_subscribed_changed_and_removed(client: Client, app: CopperSandbox) -> None:
    body = {"target": "https://example.com/x", "type": "lead", "event": "new", "secret": {"key": "s"}}
    hook = client.post("webhooks", body).json()
    assert client.get(f"webhooks/{hook['id']}").json() == hook
    moved = {"target": "https://example.com/b", "secret": {"key": "1"}}
    assert client.put(f"webhooks/{hook['id']}", moved).json() == hook | moved
    assert client.put(f"webhooks/{hook['id']}", {"event": "update"}).status_code == 422
    wrong: list[dict[str, Any]]
    wrong = [{"target": "http://example.com/x"}, {"type": "people"}, {"event": "created"}, {"ids": []}]
    for one in wrong:
        assert client.post("webhooks", body | one).status_code == 422
    assert client.delete(f"webhooks/{hook['id']}").status_code == 200
    assert client.delete(f"webhooks/{hook['id']}").status_code == 404
    app.behaviour.webhook_targets = "any"
    assert client.post("webhooks", body | {"target": "http://127.0.0.1:8480/x"}).status_code == 200


def test_lists_that_are_read_only_have_no_route_that_writes(client: Client) -> None:
    for name in ("users", "tags", "pipelines", "lead_statuses", "loss_reasons", "customer_sources", "contact_types"):
        assert client.post(name, {"name": "x"}).status_code == 404

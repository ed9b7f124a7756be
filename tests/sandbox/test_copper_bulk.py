"""Bulk requests of Copper's server, upserts and conversions of leads, and relations."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox

KEY = "custom_field_definition_id"


@pytest.fixture(autouse=True)
def _unlimited(app: CopperSandbox) -> None:
    app.behaviour.bulk_rate_limit = 0


@pytest.mark.parametrize("name", ["people", "companies", "leads", "opportunities"])
def test_each_record_of_a_bulk_request_has_its_own_result(client: Client, app: CopperSandbox, name: str) -> None:
    more = {"primary_contact_id": app.account.ids("people")[0]} if name == "opportunities" else {}
    items = [{"name": "a"} | more, {"name": None}, {"name": "c"} | more, {"name": "d", "nickname": 5} | more]
    answer = client.post(f"{name}/bulk_create", {name: items})
    assert answer.status_code == 200
    first, blank, third, unknown = answer.json()
    assert (first["name"], third["name"]) == ("a", "c")
    assert client.get(f"{name}/{third['id']}").json() == third
    assert blank == {"success": False, "message": {"name": [{"error": "blank"}]}}
    assert unknown["message"] == {"nickname": [{"error": "unknown"}]}


@pytest.mark.parametrize("name", ["people", "companies", "leads"])
def test_failures_of_a_bulk_update_have_the_id(client: Client, app: CopperSandbox, name: str) -> None:
    first, second = app.account.ids(name)[:2]
    items = [{"id": first, "details": "x"}, {"id": second, "tags": "vip"}, {"id": 5, "details": "x"}, {"details": "x"}]
    good, wrong, gone, none = client.post(f"{name}/bulk_update", {name: items}).json()
    assert (good["id"], good["details"]) == (first, "x")
    assert wrong == {"id": second, "success": False, "message": {"tags": [{"error": "invalid"}]}}
    assert gone == {"id": 5, "success": False, "message": {"id": [{"error": "not_found"}]}}
    assert "id" not in none


def test_activities_are_made_in_bulk_but_not_changed(client: Client, app: CopperSandbox) -> None:
    parent = {"type": "person", "id": app.account.ids("people")[0]}
    item = {"parent": parent, "type": {"category": "user", "id": 0}, "details": "x"}
    assert client.post("activities/bulk_create", {"activities": [item]}).json()[0]["id"]
    for path in ("activities/bulk_update", "opportunities/bulk_update", "tasks/bulk_create", "projects/bulk_create"):
        assert client.post(path, {path.partition("/")[0]: []}).status_code == 404


def test_more_than_ten_are_refused_as_a_whole(client: Client, app: CopperSandbox) -> None:
    before = len(app.account.ids("people"))
    answer = client.post("people/bulk_create", {"people": [{"name": "x"}] * 11})
    assert (answer.status_code, answer.json()) == (422, {"error": "Request size too large, limit is 10"})
    assert len(app.account.ids("people")) == before
    bodies: list[dict[str, Any]] = [{"leads": []}, {"people": {}}, {"people": ["x"]}, {"people": [], "more": 1}]
    for body in bodies:
        assert client.post("people/bulk_create", body).status_code == 422


def test_an_address_is_unique_within_a_bulk_request_too(client: Client) -> None:
    item = {"name": "x", "emails": [{"email": "a@x.example", "category": "work"}]}
    made, taken = client.post("people/bulk_create", {"people": [item, item]}).json()
    assert made["id"]
    assert taken == {"success": False, "message": {"emails": [{"error": "taken"}]}}


def test_bulk_requests_have_a_limit_of_their_own(client: Client, app: CopperSandbox) -> None:
    app.behaviour.bulk_rate_limit = 3
    statuses = [client.post("people/bulk_create", {"people": []}).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert client.post("people", {"name": "x"}).status_code == 200
    client.control("reset_stats", {})
    assert client.post("people/bulk_create", {"people": []}).status_code == 200


def _upsert(client: Client, field: str, value: object, **properties: object) -> Any:  # noqa: ANN401
    return client.put("leads/upsert", {"properties": properties, "match": {"field_name": field, "field_value": value}})


def test_an_upsert_makes_one_lead_changes_it_and_names_several(client: Client, app: CopperSandbox) -> None:
    lead = _upsert(client, "name", "Zed Zed", name="Zed Zed").json()
    again = _upsert(client, "name", "zed zed", title="CEO").json()
    assert (again["id"], again["title"]) == (lead["id"], "CEO")
    other = client.post("leads", {"name": "Zed Zed"}).json()
    answer = _upsert(client, "name", "Zed Zed", title="CTO")
    assert answer.status_code == 422
    assert all(str(one["id"]) in answer.json()["message"] for one in (lead, other))
    app.account.create("leads", count=31, changes={"name": "Zed Zed"})
    assert str(lead["id"]) not in _upsert(client, "name", "Zed Zed").json()["message"]


def test_an_upsert_by_an_address_is_in_one_revision_of_the_page_only(client: Client, app: CopperSandbox) -> None:
    email = {"email": "Zed@x.example", "category": "work"}
    lead = _upsert(client, "email", "zed@x.example", name="Zed", email=email).json()
    assert _upsert(client, "email", "zed@X.example").json()["id"] == lead["id"]
    app.behaviour.upsert_by_email = False
    assert _upsert(client, "email", "zed@x.example").status_code == 422


def test_an_upsert_by_a_custom_field_needs_one_that_filters_have(client: Client, app: CopperSandbox) -> None:
    number = app.account.add_field("Key", "String", available_on=["lead"], is_filterable=True, sampled=False)
    value = {KEY: number, "value": "k-1"}
    lead = _upsert(client, "custom", value, name="Zed", custom_fields=[value]).json()
    assert _upsert(client, "custom", value, title="CEO").json()["id"] == lead["id"]
    assert _upsert(client, "custom", value | {"value": "k-2"}, name="Zed").json()["id"] != lead["id"]
    for wrong in ({KEY: 126_240, "value": "k-1"}, {KEY: 1, "value": "k-1"}, value | {"value": None}, "k-1"):
        assert _upsert(client, "custom", wrong, name="Zed").status_code == 422
    assert _upsert(client, "title", "x", name="Zed").status_code == 422


@pytest.mark.parametrize(("sees", "same"), [("index", False), ("records", True)])
def test_an_upsert_within_the_index_lag_makes_a_second_lead_or_not(
    client: Client, app: CopperSandbox, sees: Literal["index", "records"], same: bool
) -> None:
    app.behaviour.index_lag, app.behaviour.upsert_sees = 60, sees
    first, second = (_upsert(client, "name", "Zed Zed", name="Zed Zed").json() for _ in range(2))
    assert (first["id"] == second["id"]) is same


def test_an_upsert_matches_converted_leads_or_not(client: Client, app: CopperSandbox) -> None:
    lead = _upsert(client, "name", "Zed Zed", name="Zed Zed").json()
    app.account.convert(ids=[lead["id"]])
    app.behaviour.upsert_matches_converted = True
    assert _upsert(client, "name", "Zed Zed", name="Zed Zed").json()["id"] == lead["id"]
    app.behaviour.upsert_matches_converted = False
    assert _upsert(client, "name", "Zed Zed", name="Zed Zed").json()["id"] != lead["id"]


def test_the_address_of_a_converted_lead_shows_it_or_not(client: Client, app: CopperSandbox) -> None:
    """Searches that ask for it find it in either case."""
    (key,) = app.account.convert(count=1)
    assert client.get(f"leads/{key}").status_code == 200
    app.behaviour.converted_by_id = "removed"
    assert client.get(f"leads/{key}").status_code == 404
    found = client.post("leads/search", {"ids": [key], "include_converted_leads": True}).json()
    assert [one["id"] for one in found] == [key]


def test_a_lead_is_converted_once(client: Client, app: CopperSandbox) -> None:
    lead = client.post("leads", {"name": "Zed Zed", "email": {"email": "z@x.example", "category": "work"}}).json()
    details = {"person": {}, "company": {"name": "Brand new"}, "opportunity": {"name": "Deal", "monetary_value": 5}}
    made = client.post(f"leads/{lead['id']}/convert", {"details": details}).json()
    assert (made["person"]["name"], made["company"]["name"]) == ("Zed Zed", "Brand new")
    assert made["person"]["company_id"] == made["company"]["id"]
    assert made["person"]["emails"] == [{"email": "z@x.example", "category": "work"}]
    assert made["opportunity"]["primary_contact_id"] == made["person"]["id"]
    assert client.get(f"people/{made['person']['id']}").json() == made["person"]
    held = app.account.record("leads", lead["id"])
    assert held["converted_contact_id"] == made["person"]["id"]
    assert client.search("leads", ids=[lead["id"]]) == []
    assert client.post(f"leads/{lead['id']}/convert", {}).status_code == 422


def test_a_conversion_may_answer_candidates_unless_the_match_is_exact(client: Client, app: CopperSandbox) -> None:
    lead = client.post("leads", {"name": "Zed Zed"}).json()
    company = app.account.create("companies", changes={"name": "Quaxolotl Trading"})[0]
    body = {"details": {"company": {"name": "quaxolotl holding"}}}
    answer = client.post(f"leads/{lead['id']}/convert", body)
    assert answer.json() == [{"id": company, "name": "Quaxolotl Trading"}]
    assert app.account.record("leads", lead["id"])["converted_at"] is None
    body["details"]["company"]["exact_match"] = True  # type: ignore[assignment]
    assert client.post(f"leads/{lead['id']}/convert", body).json()["company"]["name"] == "quaxolotl holding"


@pytest.mark.parametrize(
    "details", [{"company": {"id": 1, "name": "x"}}, {"company": {"id": 1}}, {"deal": {}}, {"person": {"title": "x"}}]
)
def test_a_conversion_that_is_not_documented_is_refused(client: Client, app: CopperSandbox, details: object) -> None:
    lead = client.post("leads", {"name": "Zed"}).json()
    assert client.post(f"leads/{lead['id']}/convert", {"details": details}).status_code == 422
    assert app.account.record("leads", lead["id"])["converted_at"] is None


_PAIRS = [
    ("people", "companies"),
    ("people", "opportunities"),
    ("people", "projects"),
    ("tasks", "leads"),
    ("tasks", "people"),
    ("companies", "tasks"),
    ("opportunities", "companies"),
    ("opportunities", "projects"),
    ("projects", "opportunities"),
]
_SINGULAR = {
    "people": "person",
    "companies": "company",
    "leads": "lead",
    "opportunities": "opportunity",
    "projects": "project",
    "tasks": "task",
}


@pytest.mark.parametrize(("near", "far"), _PAIRS)
def test_a_relation_is_added_and_removed_at_both_ends(client: Client, app: CopperSandbox, near: str, far: str) -> None:
    ids = [_fresh(client, app, name) for name in (near, far)]
    body = {"resource": {"id": ids[1], "type": _SINGULAR[far]}}
    path, back = f"{near}/{ids[0]}/related", f"{far}/{ids[1]}/related"
    assert client.post(path, body).status_code == 200
    assert client.get(path).json() == [body["resource"]]
    assert {"id": ids[0], "type": _SINGULAR[near]} in client.get(back).json()
    assert client.post(path, body).status_code == 422
    assert client.delete(path, body).json() == {"removed": True} | body
    assert client.get(path).json() == []
    assert client.delete(path, body).status_code == 422
    app.behaviour.repeated_relation = "accepted"
    assert client.delete(path, body).status_code == 200


def _fresh(client: Client, app: CopperSandbox, name: str) -> int:
    app.behaviour.contact_required = False
    number: int = client.post(name, {"name": "x"}).json()["id"]
    return number


def test_a_person_has_one_company_and_a_task_one_relation(client: Client, app: CopperSandbox) -> None:
    person, task = _fresh(client, app, "people"), _fresh(client, app, "tasks")
    first, second = app.account.ids("companies")[:2]
    one, two = ({"resource": {"id": number, "type": "company"}} for number in (first, second))
    for path in (f"people/{person}/related", f"tasks/{task}/related"):
        assert client.post(path, one).status_code == 200
        assert client.post(path, two).status_code == 422
        client.delete(path, one)
        assert client.post(path, two).status_code == 200
    assert app.account.record("people", person)["company_id"] == second
    other = {"resource": {"id": person, "type": "person"}}
    assert client.post(f"companies/{first}/related", other).status_code == 422, "from the other end, too"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"resource": {"id": 1, "type": "company"}},
        {"resource": {"id": 62_648_050, "type": "lead"}},
        {"resource": {"id": 62_648_050, "type": "people"}},
        {"resource": {"id": 62_648_050}},
    ],
)
def test_a_relation_that_is_not_allowed_is_refused(client: Client, body: object) -> None:
    assert client.post("people/62648053/related", body).status_code == 422

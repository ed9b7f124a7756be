"""The small lists, and what hangs on single records."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox

LISTS = (
    *("pipelines", "pipeline_stages", "customer_sources", "loss_reasons", "lead_statuses", "contact_types"),
    *("custom_activity_types", "custom_field_definitions", "webhooks"),
)


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_given_whole(client: Client, app: CopperSandbox, name: str) -> None:
    rows = client.get(name).json()
    assert rows == app.account.records(name)
    assert len({row["id"] for row in rows}) == len(rows) > 0


@pytest.mark.parametrize("name", ["custom_activity_types", "custom_field_definitions", "webhooks", "users"])
def test_single_items_of_lists(client: Client, app: CopperSandbox, name: str) -> None:
    for row in app.account.records(name):
        assert client.get(f"{name}/{row['id']}").json() == row
    assert client.get(f"{name}/1").status_code == 404


def test_users_are_searched_by_page(client: Client, app: CopperSandbox) -> None:
    first = client.search("users", page_size=7)
    rest = client.search("users", page_size=7, page_number=2)
    assert first + rest == app.account.records("users")
    assert client.search("users", page_number=3) == []


def test_activity_types_come_in_two_groups_whose_ids_collide(client: Client) -> None:
    types = client.get("activity_types").json()
    user, system = ({one["id"] for one in types[group]} for group in ("user", "system"))
    assert user & system == {1, 3}


def test_stages_of_a_pipeline(client: Client) -> None:
    pipeline = client.get("pipelines").json()[1]
    stages = client.get(f"pipeline_stages/pipeline/{pipeline['id']}").json()
    assert [one["id"] for one in stages] == [one["id"] for one in pipeline["stages"]]


@pytest.mark.parametrize("envelope", [False, True])
@pytest.mark.parametrize("sort_by", ["name", "count"])
def test_tags_are_read_by_the_last_name(client: Client, app: CopperSandbox, sort_by: str, *, envelope: bool) -> None:
    app.behaviour.tags_envelope, app.behaviour.tags_page = envelope, 50
    names: list[str] = []
    query = {"sort_by": sort_by, "tag_names_only": "true"}
    while True:
        answer = client.get("tags", **query, **({"last_tag_value": names[-1]} if names else {})).json()
        page = answer["tags"] if envelope else answer
        if not page:
            break
        assert len(page) <= 50
        names += page
    assert sorted(names) == app.account.ids("tags")
    vip = next(one for one in app.account.records("tags") if one["name"] == "vip")
    assert vip["count_people"] == sum("vip" in one["tags"] for one in app.account.records("people"))


def test_field_layouts_need_a_pipeline_for_opportunities_only(client: Client) -> None:
    pipeline = client.get("pipelines").json()[0]["id"]
    assert client.get("field_layouts/by_entity/opportunities").status_code == 422
    assert client.get("field_layouts/by_entity/people", pipeline_id=pipeline).status_code == 422
    assert client.get("field_layouts/by_entity/products").status_code == 404
    rows = client.get("field_layouts/by_entity/opportunities", pipeline_id=pipeline).json()
    kinds = {row["field_type"] for row in rows}
    assert kinds == {"static_field", "custom_field", "embedded_app_field"}
    assert client.get("field_layouts/by_entity/people").json()


def test_computed_values_name_the_options(client: Client) -> None:
    definitions = {one["id"]: one for one in client.get("custom_field_definitions").json()}
    rows = client.post("people/search", {"page_size": 50}, custom_field_computed_values="true").json()
    seen = set()
    for entry in (entry for row in rows for entry in row["custom_fields"]):
        kind = definitions[entry["custom_field_definition_id"]]["data_type"]
        assert ("computed_value" in entry) is (kind in ("Dropdown", "MultiSelect"))
        seen.add(type(entry.get("computed_value")).__name__)
    assert seen == {"str", "list", "NoneType"}
    one = client.get(f"people/{rows[0]['id']}", custom_field_computed_values="true").json()
    assert one == rows[0]


def test_related_items_are_seen_from_both_ends(client: Client, app: CopperSandbox) -> None:
    deal = next(one for one in app.account.records("opportunities") if one["company_id"] and one["primary_contact_id"])
    near = {"id": deal["id"], "type": "opportunity"}
    found = client.get(f"opportunities/{deal['id']}/related").json()
    assert {"id": deal["company_id"], "type": "company"} in found
    assert near in client.get(f"companies/{deal['company_id']}/related/opportunities").json()
    assert near in client.get(f"people/{deal['primary_contact_id']}/related").json()
    assert client.get(f"opportunities/{deal['id']}/related/leads").status_code == 422
    person = deal["primary_contact_id"]
    by_contact = client.search("people", opportunity_ids=[deal["id"]])
    assert [row["id"] for row in by_contact] == [person]


def test_connect_links_have_two_ends(client: Client, app: CopperSandbox) -> None:
    definition = next(one for one in app.account.records("custom_field_definitions") if one["data_type"] == "Connect")
    person = next(
        one
        for one in app.account.records("people")
        if any(
            entry["custom_field_definition_id"] == definition["id"] and entry["value"] for entry in one["custom_fields"]
        )
    )
    links = client.get("related_links", source_type="people", source_id=person["id"]).json()
    target = links[0]["target"]
    back = client.get("related_links", source_type="company", source_id=target["id"]).json()
    assert person["id"] in {link["target"]["id"] for link in back}
    for wrong in ("person", "organization", "task", "dog"):
        assert client.get("related_links", source_type=wrong, source_id=1).status_code == 422
    assert client.get("related_links", source_type="people", source_id=1, source_name="x").status_code == 422
    assert client.get("tags", sort_by="name", tag="x").status_code == 422
    assert client.get("related_links", source_type="people").status_code == 422


def test_files(client: Client, app: CopperSandbox) -> None:
    for number in app.account.ids("people"):
        files = client.get(f"people/{number}/files").json()
        if files:
            break
    assert client.get(f"people/{number}/files/{files[0]['id']}").json() == files[0]
    assert client.get(f"people/{number}/files/0").status_code == 404
    assert client.get("people/1/files").status_code == 404

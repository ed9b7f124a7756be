"""Searches give every record once, in order, filtered as documented."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.copper import SMALL, CopperSandbox, copper_app

if TYPE_CHECKING:
    from sandbox.client import Client

SORTED = ("people", "companies", "leads", "opportunities", "projects", "tasks")


@pytest.fixture(scope="module")
def app() -> CopperSandbox:
    """Make one account for all tests: none changes a record."""
    return copper_app(SMALL, rate_limit=0)


@pytest.mark.parametrize("name", [*SORTED, "activities"])
def test_a_complete_read_is_the_truth(client: Client, app: CopperSandbox, name: str) -> None:
    body: dict[str, object] = {} if name == "activities" else {"sort_by": "date_modified"}
    if name == "leads":
        body["include_converted_leads"] = True
    rows = client.everything(name, **body)
    assert sorted(rows, key=lambda row: row["id"]) == app.account.records(name)
    assert sorted(rows, key=lambda row: row["id"]) == client.control(f"truth/{name}")


@pytest.mark.parametrize("name", SORTED)
@pytest.mark.parametrize("attribute", ["date_modified", "date_created"])
def test_dates_sort_both_ways(client: Client, name: str, attribute: str) -> None:
    up = [row[attribute] for row in client.everything(name, sort_by=attribute)]
    down = [row[attribute] for row in client.everything(name, sort_by=attribute, sort_direction="desc")]
    assert up == sorted(up)
    assert down == up[::-1]


@pytest.mark.parametrize("name", SORTED)
def test_every_documented_sort_is_taken(
    client: Client, app: CopperSandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.copper.sorting import SORTS  # noqa: PLC0415

    monkeypatch.setattr(app.behaviour, "leads_enabled", True)
    for sort_by in SORTS[name]:
        assert client.search(name, sort_by=sort_by)


def test_activities_come_newest_first(client: Client) -> None:
    dates = [row["activity_date"] for row in client.everything("activities")]
    assert dates == sorted(dates, reverse=True)


def test_the_default_is_twenty_rows_by_name(client: Client, app: CopperSandbox) -> None:
    rows = client.search("leads")
    assert len(rows) == 20
    names = sorted(one["name"].casefold() for one in app.account.records("leads") if not one["converted_at"])
    assert [row["name"].casefold() for row in rows] == names[:20]


@pytest.mark.parametrize("attribute", ["modified", "created"])
def test_date_bounds_are_inclusive(client: Client, app: CopperSandbox, attribute: str) -> None:
    people = app.account.records("people")
    dates = sorted(one[f"date_{attribute}"] for one in people)
    low, high = dates[50], dates[200]
    bounds = {f"minimum_{attribute}_date": low, f"maximum_{attribute}_date": high}
    wanted = {one["id"] for one in people if low <= one[f"date_{attribute}"] <= high}
    for sort_by in ("date_modified", "date_created", "name"):
        rows = client.everything("people", sort_by=sort_by, **bounds)
        assert {row["id"] for row in rows} == wanted
        assert len(rows) == len(wanted)
    one_second = {f"minimum_{attribute}_date": low, f"maximum_{attribute}_date": low}
    assert client.search("people", **one_second)


def test_bounds_on_both_dates_are_anded(client: Client, app: CopperSandbox) -> None:
    people = app.account.records("people")
    middle = sorted(one["date_modified"] for one in people)[150]
    body = {"minimum_modified_date": middle, "maximum_created_date": middle}
    rows = client.everything("people", sort_by="date_modified", **body)
    assert {row["id"] for row in rows} == {
        one["id"] for one in people if one["date_modified"] >= middle >= one["date_created"]
    }


def test_activities_are_cut_by_activity_date(client: Client, app: CopperSandbox) -> None:
    now = app.account.shape.now
    past = client.everything("activities", maximum_activity_date=now)
    future = client.everything("activities", minimum_activity_date=now + 1)
    assert len(future) == 5
    assert len(past) + len(future) == 400


def test_activities_by_parent_type_and_user(client: Client, app: CopperSandbox) -> None:
    activities = app.account.records("activities")
    parent = next(one["parent"] for one in activities if one["parent"]["type"] == "person")
    wanted = {one["id"] for one in activities if one["parent"] == parent}
    assert {row["id"] for row in client.search("activities", parent=parent)} == wanted
    rows = client.post(f"people/{parent['id']}/activities", {"page_size": 200}).json()
    assert {row["id"] for row in rows} == wanted
    notes = client.everything("activities", activity_types=[{"id": 1, "category": "system"}])
    assert {row["id"] for row in notes} == {
        one["id"] for one in activities if one["type"] == {"id": 1, "category": "system"}
    }
    user = activities[0]["user_id"]
    mine = client.everything("activities", user_ids=[user])
    assert len(mine) == sum(one["user_id"] == user for one in activities)


def test_full_result_may_repeat_activities_for_admins(
    client: Client, app: CopperSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.behaviour, "full_result_duplicates", 0.1)
    rows = client.everything("activities", full_result=True)
    assert len({row["id"] for row in rows}) == 400 < len(rows)
    monkeypatch.setattr(app.behaviour, "admin_key", False)
    assert len(client.everything("activities", full_result=True)) == 400


def test_converted_leads_show_only_on_request(client: Client, app: CopperSandbox) -> None:
    leads = app.account.records("leads")
    converted = {one["id"] for one in leads if one["converted_at"]}
    assert converted
    default = {row["id"] for row in client.everything("leads", sort_by="date_modified")}
    assert default == {one["id"] for one in leads} - converted
    everything = client.everything("leads", sort_by="date_modified", include_converted_leads=True)
    assert {row["id"] for row in everything} == {one["id"] for one in leads}
    one = next(row for row in everything if row["converted_at"])
    person = client.get(f"people/{one['converted_contact_id']}").json()
    assert person["leads_converted_from"] == [{"lead_id": one["id"], "converted_timestamp": one["converted_at"]}]


@pytest.mark.parametrize(
    ("name", "body", "passes"),
    [
        ("people", {"assignee_ids": [137_650, -2]}, lambda one: one["assignee_id"] in (137_650, None)),
        ("people", {"tags": ["vip"]}, lambda one: "vip" in one["tags"]),
        ("people", {"followed": 2}, lambda one: one["id"] % 7 != 0),
        ("people", {"minimum_interaction_count": 10}, lambda one: one["interaction_count"] >= 10),
        ("people", {"country": "CH"}, lambda one: (one["address"] or {}).get("country") == "CH"),
        ("people", {"name": "ZOË"}, lambda one: "zoë" in one["name"].casefold()),
        (
            "companies",
            {"email_domains": ["c3.example.com"]},
            lambda one: one["email_domain"] == "c3.example.com",
        ),
        ("opportunities", {"status_ids": [1, 2]}, lambda one: one["status"] in ("Won", "Lost")),
        (
            "opportunities",
            {"minimum_monetary_value": 2500.5},
            lambda one: (one["monetary_value"] or 0) >= 2500.5,
        ),
        ("projects", {"status_ids": [1]}, lambda one: one["status"] == "Completed"),
        ("tasks", {"statuses": ["Open"]}, lambda one: one["status"] == "Open"),
        ("tasks", {"maximum_due_date": -1}, lambda one: one["due_date"] is not None and one["due_date"] < 0),
    ],
)
def test_filters(client: Client, app: CopperSandbox, name: str, body: dict[str, object], passes: object) -> None:
    assert callable(passes)
    rows = client.everything(name, **body)
    wanted = {one["id"] for one in app.account.records(name) if passes(one)}
    assert {row["id"] for row in rows} == wanted
    assert wanted


def test_ids_fields_and_custom_field_filters(client: Client, app: CopperSandbox) -> None:
    people = app.account.records("people")
    numbers = [one["id"] for one in people[:3]]
    rows = client.search("people", ids=[*numbers, 1], fields=["id", "name"])
    assert {row["id"] for row in rows} == set(numbers)
    assert all(set(row) == {"id", "name"} for row in rows)
    definition = next(one for one in client.get("custom_field_definitions").json() if one["name"] == "Newsletter")
    entry = {"custom_field_definition_id": definition["id"], "value": True}
    found = client.everything("people", custom_fields=[entry])
    assert {row["id"] for row in found} == {one["id"] for one in people if entry in one["custom_fields"]}


def test_people_are_found_by_email(client: Client, app: CopperSandbox) -> None:
    person = next(one for one in app.account.records("people") if one["emails"])
    answer = client.post("people/fetch_by_email", {"email": person["emails"][0]["email"].upper()})
    assert answer.json() == person
    assert client.post("people/fetch_by_email", {"email": "nobody@example.com"}).status_code == 404


@pytest.mark.parametrize("kind", ["ignored", "refused"])
def test_the_modified_filter_may_not_work_on_people(client: Client, kind: str) -> None:
    client.control("configure", {"modified_filter": {"people": kind}})
    answer = client.post("people/search", {"minimum_modified_date": 4_000_000_000})
    if kind == "ignored":
        assert len(answer.json()) == 20
    else:
        assert answer.status_code == 422
    assert client.search("companies", minimum_modified_date=4_000_000_000) == []

"""Records that the key may not see are there, but not for the key."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox

MANY_RECORDS = True

EVERYTHING = ("people", "companies", "leads", "opportunities", "projects", "tasks", "activities")
ALL = {"leads": {"include_converted_leads": True}}


def test_hidden_records_are_not_in_searches_totals_or_by_id(client: Client, app: CopperSandbox) -> None:
    first, second, third, *_ = app.account.ids("people")
    client.control("configure", {"hidden": {"people": [first, second]}})
    answer = client.post("people/search", {"sort_by": "date_modified"})
    assert answer.headers["X-PW-Total"] == "298"
    rows = client.everything("people", sort_by="date_modified")
    assert len(rows) == 298
    assert not {first, second} & {row["id"] for row in rows}
    assert client.search("people", ids=[first, third]) == [client.get(f"people/{third}").json()]
    assert client.get(f"people/{first}").status_code == 404
    assert client.get(f"people/{first}/files").status_code == 404
    assert client.get(f"people/{first}/related").status_code == 404


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_part_of_an_object_may_be_hidden(client: Client, app: CopperSandbox, name: str) -> None:
    app.behaviour.hidden = {name: 0.5}
    visible = app.account.visible(name)
    assert 0.2 < len(visible) / len(app.account.ids(name)) < 0.8
    found = client.everything(name, **ALL.get(name, {}))
    assert sorted(found, key=lambda row: row["id"]) == visible


def test_a_greater_part_hides_more(app: CopperSandbox) -> None:
    seen = []
    for part in (0.0, 0.2, 0.6, 1.0):
        app.behaviour.hidden = {"people": part}
        seen.append({one["id"] for one in app.account.visible("people")})
    assert seen[0] > seen[1] > seen[2] > seen[3] == set()
    assert len(seen[0]) == 300


def test_hidden_records_stay_in_the_truth(client: Client, app: CopperSandbox) -> None:
    before = app.account.records("companies")
    app.behaviour.hidden = {"companies": 1}
    assert client.search("companies") == []
    assert app.account.records("companies") == before
    assert client.control("truth")["companies"]["count"] == 40


def test_what_was_hidden_comes_back_unchanged(client: Client, app: CopperSandbox) -> None:
    before = client.everything("people", sort_by="name")
    app.behaviour.hidden = {"people": 0.5}
    assert len(client.everything("people", sort_by="name")) < 300
    app.behaviour.hidden = {}
    assert client.everything("people", sort_by="name") == before


def test_hidden_records_are_not_found_by_email_or_as_related(client: Client, app: CopperSandbox) -> None:
    deal = next(one for one in app.account.records("opportunities") if one["primary_contact_id"])
    person = app.account.record("people", deal["primary_contact_id"])
    near = {"id": person["id"], "type": "person"}
    assert near in client.get(f"opportunities/{deal['id']}/related/people").json()
    app.behaviour.hidden = {"people": [person["id"]]}
    assert near not in client.get(f"opportunities/{deal['id']}/related/people").json()
    mailed = next(one for one in app.account.records("people") if one["emails"])
    app.behaviour.hidden = {"people": [mailed["id"]]}
    assert client.post("people/fetch_by_email", {"email": mailed["emails"][0]["email"]}).status_code == 404


def test_the_stub_of_a_hidden_activity_is_hidden(client: Client, app: CopperSandbox) -> None:
    (number,) = app.account.delete("activities")
    assert client.get(f"activities/{number}").status_code == 200
    app.behaviour.hidden = {"activities": [number]}
    assert client.get(f"activities/{number}").status_code == 404


def test_lists_are_not_hidden(app: CopperSandbox) -> None:
    app.behaviour.hidden = {"people": 1.0}
    assert app.account.visible("pipelines") == app.account.records("pipelines")
    assert app.account.visible("tags") == app.account.records("tags")

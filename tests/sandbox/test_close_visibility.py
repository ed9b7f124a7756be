"""A key that loses sight of records does not find them anywhere, though they live on."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

PATHS = {
    "leads": "lead",
    "contacts": "contact",
    "opportunities": "opportunity",
    "emails": "activity/email",
    "email_templates": "email_template",
}


def test_nothing_is_hidden_unless_ordered(calm_server: CloseSandbox) -> None:
    account = calm_server.account
    assert all(account.visible(name) == account.records(name) for name in account.objects())


@pytest.mark.parametrize("name", PATHS)
def test_lists_and_totals_lack_what_is_hidden(asker: CloseClient, server: CloseSandbox, name: str) -> None:
    account = server.account
    asker.control("configure", {"hidden": {name: 0.8}})
    kept = {row["id"] for row in account.visible(name)}
    assert 0 < len(kept) < len(account.ids(name)) == len(account.records(name))
    assert {row["id"] for row in asker.everything(PATHS[name])} == kept
    answer = asker.get(PATHS[name]).json()
    assert answer.get("total_results", len(kept)) == len(kept)


def test_searches_and_their_counts_lack_what_is_hidden(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"hidden": {"leads": 0.5}})
    answer = asker.search("lead", _limit=200, include_counts=True).json()
    kept = {row["id"] for row in server.account.visible("leads")}
    assert {row["id"] for row in answer["data"]} == kept
    assert answer["count"]["total"] == len(kept)


def test_a_cursor_loses_sight_of_them_too(asker: CloseClient, server: CloseSandbox) -> None:
    cursor = asker.search("lead", _limit=100).json()["cursor"]
    asker.control("configure", {"hidden": {"leads": 1.0}})
    assert asker.search("lead", _limit=100, cursor=cursor).json()["data"] == []
    assert server.account.ids("leads")


@pytest.mark.parametrize("name", PATHS)
def test_a_hidden_record_is_not_found_by_its_id(asker: CloseClient, server: CloseSandbox, name: str) -> None:
    hidden, shown = server.account.ids(name)[:2]
    asker.control("configure", {"hidden_ids": [hidden]})
    assert asker.get(f"{PATHS[name]}/{hidden}").status_code == 404
    assert asker.get(f"{PATHS[name]}/{shown}").status_code == 200
    assert hidden in server.account.ids(name)


def test_leads_do_not_show_hidden_contacts(asker: CloseClient, server: CloseSandbox) -> None:
    account = server.account
    contact = next(row for row in account.records("contacts") if row["lead_id"])
    asker.control("configure", {"hidden_ids": [contact["id"]]})
    lead = asker.get(f"lead/{contact['lead_id']}").json()
    assert contact["id"] not in lead["contact_ids"] + [one["id"] for one in lead["contacts"]]
    assert lead in account.visible("leads")
    assert contact["id"] in next(row for row in account.records("leads") if row["id"] == lead["id"])["contact_ids"]


def test_a_greater_part_hides_the_same_ones_and_more(server: CloseSandbox) -> None:
    found = []
    for part in (0.2, 0.6, 1.0):
        server.behaviour.hidden = {"contacts": part}
        found.append({row["id"] for row in server.account.visible("contacts")})
    assert found[0] > found[1] > found[2] == set()


def test_no_event_tells_of_hidden_records(asker: CloseClient, server: CloseSandbox) -> None:
    before = asker.events()
    asker.control("configure", {"hidden": {"leads": 1.0}})
    assert asker.events() == before
    asker.control("configure", {"hidden": {}})
    assert len(asker.everything("lead")) == len(server.account.ids("leads"))

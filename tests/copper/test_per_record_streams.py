"""Relations, links and files: a request for each record, only where they are selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from sandbox.copper import API_KEY, USER_EMAIL
from tests.singer import selecting

if TYPE_CHECKING:
    from tests.copper.conftest import Start

TINY = {"people": 8, "companies": 4, "opportunities": 5, "leads": 4, "projects": 3, "tasks": 3, "activities": 5}
HEADERS = {
    "X-PW-AccessToken": API_KEY,
    "X-PW-Application": "developer_api",
    "X-PW-UserEmail": USER_EMAIL,
    "Content-Type": "application/json",
}
SINGULAR = {
    "leads": "lead",
    "people": "person",
    "companies": "company",
    "opportunities": "opportunity",
    "projects": "project",
    "tasks": "task",
}


def test_every_record_is_asked_for_its_relations_links_and_files(start: Start) -> None:
    """The same as a plain client finds when it asks for each record."""
    app, tap = start(TINY)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "related_items", "related_links", "files"))
    url = tap.config["api_url"]
    related, found_files = set(), set()
    for entity, singular in SINGULAR.items():
        for identity in app.account.ids(entity):
            answer = requests.get(f"{url}/{entity}/{identity}/related", headers=HEADERS, timeout=10).json()
            related |= {(singular, identity, item["type"], item["id"]) for item in answer}
            if entity != "tasks":
                answer = requests.get(f"{url}/{entity}/{identity}/files", headers=HEADERS, timeout=10).json()
                found_files |= {(singular, identity, file["id"]) for file in answer}
    assert run.keys("related_items") == related != set()
    assert run.keys("files") == found_files != set()
    assert run.count("related_links") > 0


def test_an_object_that_the_key_may_not_read_is_noted(start: Start) -> None:
    """Its records' files cannot be read either; the others are."""
    _, tap = start(TINY, leads_enabled=False)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "files", "sync_audit"))
    assert run.audit()["files"]["notes"] == ["the key may not read leads; nothing that belongs to them was read"]
    assert "lead" not in {record["parent_type"] for record in run.records("files")}

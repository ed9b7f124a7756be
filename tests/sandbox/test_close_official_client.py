"""Close's own Python client works against the server."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import API_KEY

closeio_api = pytest.importorskip("closeio_api")

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

MANY_RECORDS = True


@pytest.fixture
def official(asker: CloseClient) -> Any:  # noqa: ANN401
    """Give `API`, of which the package's `Client` is the kind with Close's own address."""
    return closeio_api.API(f"{asker.url}/", API_KEY, tz_offset="0")


def test_it_walks_all_leads(official: Any, calm_server: CloseSandbox) -> None:  # noqa: ANN401
    ids: list[str] = []
    while True:
        page = official.get("lead", params={"_limit": 50, "_skip": len(ids), "_fields": "id"})
        ids += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
    assert sorted(ids) == sorted(map(str, calm_server.account.ids("leads")))
    assert page["total_results"] == len(ids)


def test_it_searches_by_post(official: Any, calm_server: CloseSandbox) -> None:  # noqa: ANN401
    body = {"query": {"type": "object_type", "object_type": "contact"}, "_limit": 100, "cursor": None}
    ids: list[str] = []
    while True:
        page = official.post("data/search", data=body)
        ids += [row["id"] for row in page["data"]]
        body["cursor"] = page["cursor"]
        if body["cursor"] is None:
            break
    assert sorted(ids) == sorted(map(str, calm_server.account.ids("contacts")))


def test_it_raises_its_own_errors(official: Any) -> None:  # noqa: ANN401
    with pytest.raises(closeio_api.ValidationError) as caught:
        official.get("lead", params={"nonsense": 1})
    assert list(caught.value.field_errors) == ["nonsense"]
    with pytest.raises(closeio_api.APIError) as missing:
        official.get("lead/lead_0")
    assert missing.value.response.status_code == 404


def test_it_waits_as_long_as_the_header_says(official: Any, server: CloseSandbox) -> None:  # noqa: ANN401
    server.behaviour.rate_limit, server.behaviour.rate_window = 1, 2.0
    start = time.monotonic()
    assert official.get("me")["id"] == official.get("me")["id"]
    assert 1.5 < time.monotonic() - start < 30
    assert server.stats.by_status == {"200": 2, "429": 1}


def test_it_writes_and_reads_back(official: Any, server: CloseSandbox) -> None:  # noqa: ANN401
    lead = official.post("lead", data={"name": "Acme", "contacts": [{"name": "Jo", "emails": [{"email": "j@x.de"}]}]})
    assert official.get(f"lead/{lead['id']}") == lead
    assert official.put(f"lead/{lead['id']}", data={"description": "New"})["description"] == "New"
    note = official.post("activity/note", data={"lead_id": lead["id"], "note": "Hi"})
    assert official.get("activity/note", params={"lead_id": lead["id"]})["data"] == [note]
    kind = server.account.lists["custom_object_types"][0]["id"]
    body = {"lead_id": lead["id"], "custom_object_type_id": kind, "name": "Press"}
    thing = official.post("custom_object", data=body)
    assert official.delete(f"custom_object/{thing['id']}") == ""
    assert official.delete(f"lead/{lead['id']}") == {}
    with pytest.raises(closeio_api.APIError) as missing:
        official.put(f"lead/{lead['id']}", data={"name": "Gone"})
    assert missing.value.response.status_code == 404


def test_it_raises_what_is_wrong_with_a_body(official: Any) -> None:  # noqa: ANN401
    with pytest.raises(closeio_api.ValidationError) as caught:
        official.post("opportunity", data={"value": 1.5, "confidence": 200})
    assert sorted(caught.value.field_errors) == ["confidence", "value"]


def test_it_creates_twice_what_it_sends_again_after_a_broken_connection(
    official: Any,  # noqa: ANN401
    asker: CloseClient,
    server: CloseSandbox,
) -> None:
    """As writing.md 2.5 has it: its own client can make doubles, so no caller may repeat a create unseen."""
    rule = {"kinds": ["drop"], "at": [1], "only": "writes", "effect": "whole"}
    asker.control("configure", {"faults": [rule]})
    count = len(server.account.ids("leads"))
    official.post("lead", data={"name": "Acme"})
    assert len(server.account.ids("leads")) == count + 2

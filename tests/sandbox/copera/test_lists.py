"""Lists of people, channels, notifications and bookings, and the searches."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import Any

import pytest

from sandbox.client import CoperaClient
from sandbox.copera import SMALL, CoperaSandbox, copera_app
from sandbox.server import running

OFFSETS = {"chat/channels": "channels", "workspace/members": "members", "workspace/teams": "teams"}


def by_offset(client: CoperaClient, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    offset = 0
    while True:
        page = client.json(path, limit=limit, offset=offset)
        assert (page["limit"], page["offset"]) == (limit, offset)
        found += page[OFFSETS[path]]
        offset += limit
        if offset >= page["total"]:
            return found


@pytest.mark.parametrize("path", OFFSETS)
def test_offset_pages_add_up(app: CoperaSandbox, client: CoperaClient, path: str) -> None:
    assert by_offset(client, path, 3) == app.account.records(OFFSETS[path])
    page = client.json(path)
    assert page["limit"] == 100
    assert page["total"] == len(app.account.ids(OFFSETS[path]))


@pytest.mark.parametrize("path", OFFSETS)
def test_limits_of_offset_pages(client: CoperaClient, path: str) -> None:
    most = 500 if path.endswith("members") else 200
    assert client.get(path, limit=most).status_code == 200
    for query in ({"limit": most + 1}, {"limit": 0}, {"limit": "x"}, {"offset": -1}):
        answer = client.get(path, **query)
        assert (answer.status_code, answer.json()["message"]) == (400, f"Invalid parameter: {next(iter(query))}")


def test_filters_of_channels_and_people(app: CoperaSandbox, client: CoperaClient) -> None:
    channels = app.account.records("channels")
    got = client.json("chat/channels", type="text", kind="group")
    assert got["channels"] == [one for one in channels if (one["type"], one["kind"]) == ("text", "group")]
    someone = next(one["participantUserIds"][0] for one in channels if one["participantUserIds"])
    got = client.json("chat/channels", participantId=someone)["channels"]
    assert got == [one for one in channels if someone in one["participantUserIds"]]
    assert client.get("chat/channels", type="mail").status_code == 400
    assert client.get("chat/channels", q="x" * 201).status_code == 400
    assert [one["name"] for one in client.json("workspace/teams", q="every")["teams"]] == ["Everybody"]
    assert client.json("workspace/members", q="m3@")["total"] == 1


def test_450_channels_need_three_pages() -> None:
    app = copera_app(type(SMALL)(rows=0, channels=450, now=SMALL.now), rate_limit=0)
    with running(app) as url:
        client = CoperaClient(url)
        found = by_offset(client, "chat/channels", 200)
        client.close()
    assert found == app.account.records("channels")
    assert len({one["_id"] for one in found}) == 450
    assert app.stats.requests == 3


def test_offsets_shift_while_they_are_walked(app: CoperaSandbox, client: CoperaClient) -> None:
    client.control("configure", {"offset_churn": {"insert": 2, "times": 2}})
    found = by_offset(client, "chat/channels", 10)
    assert len(app.account.ids("channels")) == 34
    assert len({one["_id"] for one in found}) < len(found)
    client.control("configure", {"offset_churn": {"delete": 3}})
    found = by_offset(client, "chat/channels", 10)
    assert len(found) < 34
    client.control("configure", {"offset_churn": {}, "presence_changes": True})
    assert len({tuple(m["status"] for m in by_offset(client, "workspace/members", 50)) for _ in range(5)}) > 1


def test_the_workspace(app: CoperaSandbox, client: CoperaClient) -> None:
    assert [client.json("workspace/info")] == app.account.records("workspace")


@pytest.mark.parametrize("path", ["notifications", "notifications/"])
def test_notifications_newest_first(app: CoperaSandbox, client: CoperaClient, path: str) -> None:
    found: list[Any] = []
    query: dict[str, str] = {}
    while page := client.json(path, **query)["notifications"]:
        found += page
        query = {"before": page[-1]["_id"]}
    truth = sorted(app.account.records("notifications"), key=lambda one: one["_id"], reverse=True)
    assert found == truth
    assert client.json(path, after=truth[5]["_id"])["notifications"] == truth[:5]
    first = client.json(path)
    assert first["count"] == len(truth) == 70
    assert first["unreadCount"] == sum(one["status"] == "unread" for one in truth)
    client.control("configure", {"notification_count": "page", "status_case": "upper"})
    page = client.json(path)
    assert page["count"] == 20
    assert {one["status"] for one in page["notifications"]} == {"READ", "UNREAD"}


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_notifications_forward_as_the_guide_says(app: CoperaSandbox, client: CoperaClient, order: str) -> None:
    client.control("configure", {"notification_order": order, "notification_after": "next"})
    found: list[Any] = []
    query: dict[str, str] = {}
    while page := client.json("notifications", **query)["notifications"]:
        found += page
        query = {"after": page[-1]["_id"]}
    truth = sorted(app.account.records("notifications"), key=lambda one: one["_id"], reverse=order == "newest")
    assert found == truth
    assert client.get("notifications", after="x").status_code == 400
    assert client.get("notifications", limit=5).status_code == 400


@pytest.mark.parametrize("end", ["null", "absent"])
def test_bookings_by_cursor(app: CoperaSandbox, client: CoperaClient, end: str) -> None:
    client.control("configure", {"bookings_envelope": "items", "last_cursor": end})
    found: list[Any] = []
    query: dict[str, str] = {}
    while True:
        page = client.json("bookings", limit=7, **query)
        found += page["items"]
        if not page.get("nextCursor"):
            break
        query = {"cursor": page["nextCursor"]}
    assert ("nextCursor" in page) is (end == "null")
    truth = app.account.records("bookings")
    assert {one["uid"]: one for one in found} == {one["uid"]: one for one in truth}
    assert [one["start"] for one in found] == sorted((one["start"] for one in truth), reverse=True)
    assert client.json(f"bookings/{found[3]['uid']}") == found[3]
    assert client.get("bookings/bk_nobody").status_code == 404
    assert client.get("bookings", cursor="???").status_code == 400


def test_filters_of_bookings(app: CoperaSandbox, client: CoperaClient) -> None:
    truth = app.account.records("bookings")
    bounds = sorted(one["start"] for one in truth)
    got = client.json("bookings", limit=100, **{"from": bounds[20], "to": bounds[40]})["bookings"]
    assert {one["uid"] for one in got} == {one["uid"] for one in truth if bounds[20] <= one["start"] <= bounds[40]}
    kind = truth[0]["bookingTypeId"]
    got = client.json("bookings", status="PENDING", bookingTypeId=kind, limit=100)["bookings"]
    assert {(one["status"], one["bookingTypeId"]) for one in got} == {("PENDING", kind)}
    for query in ({"status": "pending"}, {"from": "yesterday"}, {"limit": 101}):
        assert client.get("bookings", **query).status_code == 400


def test_bookings_as_bare_arrays_or_not_at_all(app: CoperaSandbox, client: CoperaClient) -> None:
    assert client.json("booking-types") == {"bookingTypes": app.account.records("booking_types")}
    client.control("configure", {"bookings_envelope": "", "booking_types_envelope": ""})
    assert len(client.json("bookings", limit=5)) == 60
    assert client.json("booking-types") == app.account.records("booking_types")
    client.control("configure", {"bookings": "404"})
    for path in ("bookings", "booking-types", f"bookings/{app.account.ids('bookings')[0]}"):
        assert client.get(path).status_code == 404


def test_searches_give_one_page_only(client: CoperaClient) -> None:
    found = client.json("search", q="o", limit=100)
    assert len(found["hits"]) == 100 < found["totalHits"]
    assert {one["entityType"] for one in found["hits"]} == {"document", "driveContent"}
    assert all(isinstance(one["updatedAt"], int) for one in found["hits"])
    assert [one["updatedAt"] for one in found["hits"]] == sorted((h["updatedAt"] for h in found["hits"]), reverse=True)
    repeated = client.get("search?types=channel&types=document", q="o", limit=100).json()["hits"]
    assert {one["entityType"] for one in repeated} == {"channel", "document"}
    only = client.json("search", q="o", types="channel,todo", sortBy="createdAt", sortOrder="asc")["hits"]
    assert {one["entityType"] for one in only} == {"channel"}
    documents = client.json("docs/search", q="audit")
    assert all(isinstance(one["updatedAt"], str) and one["updatedAt"].isdigit() for one in documents["hits"])
    assert any(one["parents"] for one in documents["hits"])
    files = client.json("drive/search", q="AUDIT", limit=50)
    assert files["totalHits"] == len(files["hits"])
    assert all("audit" in one["name"].lower() for one in files["hits"])
    for path, query in (
        ("search", {}),
        ("docs/search", {"q": "x", "limit": 51}),
        ("search", {"q": "x", "types": "row"}),
    ):
        assert client.get(path, **query).status_code == 400
    client.control("configure", {"external_user": True})
    assert client.get("search", q="o").status_code == 403

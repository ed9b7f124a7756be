"""Searches of Close: queries, order, fields, cursors and where they end."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import CloseAccount, Shape

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

Rows = list[dict[str, Any]]

MANY_RECORDS = True

ALL = {"type": "match_all"}


def field(name: str, kind: str = "lead") -> dict[str, str]:
    return {"type": "regular_field", "object_type": kind, "field_name": name}


def where(name: str, condition: dict[str, Any], kind: str = "lead") -> dict[str, Any]:
    return {"type": "field_condition", "field": field(name, kind), "condition": condition}


def between(name: str, low: str | None = None, high: str | None = None, kind: str = "lead") -> dict[str, Any]:
    bounds = {"on_or_after": low, "before": high}
    moments = {key: {"type": "fixed_utc", "value": value} for key, value in bounds.items() if value}
    return where(name, {"type": "moment_range"} | moments, kind)


def found(asker: CloseClient, *conditions: object, **body: object) -> Rows:
    answer = asker.search("lead", *conditions, _limit=200, **body)
    answer.raise_for_status()
    rows: Rows = answer.json()["data"]
    return rows


def ids(rows: Rows) -> list[str]:
    return [row["id"] for row in rows]


def moment(row: dict[str, Any], name: str = "date_updated") -> datetime:
    return datetime.fromisoformat(row[name])


def walk(asker: CloseClient, *conditions: object, **body: object) -> Rows:
    """Follow the cursor to its end."""
    rows: Rows = []
    cursor = None
    while True:
        answer = asker.search("lead", *conditions, cursor=cursor, **body)
        answer.raise_for_status()
        rows += answer.json()["data"]
        cursor = answer.json()["cursor"]
        if not cursor:
            return rows


def keyset(asker: CloseClient, limit: int) -> Rows:
    """Ask again from the last date, as a complete walk does."""
    seen: dict[str, Any] = {}
    anchor = "1970-01-01T00:00:00+00:00"
    while True:
        answer = asker.search(
            "lead", between("date_updated", anchor), _limit=limit, _fields={"lead": ["date_updated", "id"]}
        )
        rows = answer.json()["data"]
        seen |= {row["id"]: row for row in rows}
        last = rows[-1]["date_updated"]
        if not answer.json()["cursor"]:
            return list(seen.values())
        assert last != anchor
        anchor = last


def test_without_fields_only_ids_come_back(calm: CloseClient, calm_server: CloseSandbox) -> None:
    rows = found(calm)
    assert {tuple(row) for row in rows} == {("__object_type", "id")}
    assert sorted(ids(rows)) == sorted(map(str, calm_server.account.ids("leads")))


def test_fields(asker: CloseClient, server: CloseSandbox) -> None:
    truth = {row["id"]: row for row in server.account.records("leads")}
    wide = [*next(iter(truth.values())), "custom", "source", "primary_email", "created_by_name", "updated_by_name"]
    names = [name for name in wide if not name.startswith("custom.")]
    assert {row.pop("id"): row for row in found(asker, _fields={"lead": names})} == {
        number: {"__object_type": "lead"} | {key: row[key] for key in row if key != "id"}
        for number, row in truth.items()
    }
    custom = next(key for row in truth.values() for key in row if key.startswith("custom."))
    rows = found(asker, _fields={"lead": ["id", custom]})
    assert {row[custom] == truth[row["id"]][custom] for row in rows if custom in row} == {True}
    asker.control("configure", {"fields_cap": 2})
    answer = asker.search("lead", _fields={"lead": ["custom.cf_1", "custom.cf_2", "custom.cf_3"]})
    assert answer.status_code == 400
    assert "List is too long." in answer.text


def test_sorted_both_ways(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = sorted(calm_server.account.records("leads"), key=lambda row: (moment(row), row["id"]))
    assert ids(found(calm)) == ids(truth)
    down = [{"direction": "desc", "field": field("date_updated")}]
    assert ids(found(calm, sort=down)) == ids(truth)[::-1]
    created = sorted(truth, key=lambda row: (moment(row, "date_created"), row["id"]))
    assert ids(found(calm, sort=[{"direction": "asc", "field": field("date_created")}])) == ids(created)
    both = [{"direction": "asc", "field": field("status_label")}, {"direction": "asc", "field": field("date_updated")}]
    assert ids(found(calm, sort=both)) == ids(sorted(truth, key=lambda row: (row["status_label"], moment(row))))


def test_bounds_include_the_first_moment_and_not_the_last(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = sorted(calm_server.account.records("leads"), key=lambda row: (moment(row), row["id"]))
    low, high = truth[20], truth[90]
    expected = [row["id"] for row in truth if moment(low) <= moment(row) < moment(high)]
    assert ids(found(calm, between("date_updated", low["date_updated"], high["date_updated"]))) == expected
    two = (between("date_updated", low["date_updated"]), between("date_created", None, high["date_created"]))
    expected = [row["id"] for row in truth[20:] if moment(row, "date_created") < moment(high, "date_created")]
    assert [one for one in ids(found(calm, *two)) if one not in ids(truth[:20])] == expected


def test_conditions(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = calm_server.account.records("leads")
    status, user = truth[0]["status_id"], calm_server.account.ids("users")[0]

    def check(condition: dict[str, Any], expected: list[dict[str, Any]]) -> None:
        assert sorted(ids(found(calm, condition))) == sorted(ids(expected))
        rest = [row for row in truth if row not in expected]
        assert sorted(ids(found(calm, condition | {"negate": True}))) == sorted(ids(rest))

    check(
        where("status_id", {"type": "term", "values": [status]}), [row for row in truth if row["status_id"] == status]
    )
    check(
        where("created_by", {"type": "reference", "reference_type": "user", "object_ids": [user]}),
        [row for row in truth if row["created_by"] == user],
    )
    check(where("created_by", {"type": "current_user"}), [row for row in truth if row["created_by"] == user])
    check(where("url", {"type": "exists"}), [row for row in truth if row["url"] is not None])
    check({"type": "id", "value": truth[3]["id"]}, truth[3:4])
    check(ALL, truth)
    either = {"type": "or", "queries": [{"type": "id", "value": one} for one in ids(truth[:5])]}
    check(either, truth[:5])
    low = truth[30]["date_created"]
    check(
        between("date_created", low),
        [row for row in truth if moment(row, "date_created") >= moment(truth[30], "date_created")],
    )
    number = next(
        one
        for one in calm_server.account.records("custom_fields")
        if (one["type"], one["object_type"]) == ("number", "lead")
    )
    key = f"custom.{number['id']}"
    custom = {"type": "custom_field", "custom_field_id": number["id"]}
    condition = {"type": "field_condition", "field": custom, "condition": {"type": "number_range", "gte": 100}}
    check(condition, [row for row in truth if row.get(key, 0) >= 100])
    related = {
        "type": "has_related",
        "this_object_type": "lead",
        "related_object_type": "contact",
        "related_query": where("title", {"type": "term", "values": ["CEO"]}, "contact"),
    }
    check(related, [row for row in truth if any(one["title"] == "CEO" for one in row["contacts"])])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ALL},
        {"query": {"type": "object_type", "object_type": "opportunity"}},
        {"query": {"type": "object_type", "object_type": "lead"}, "_skip": 100},
        {"query": {"type": "object_type", "object_type": "lead", "color": "red"}},
        {"query": {"type": "object_type", "object_type": "lead"}, "_limit": 201},
        {"query": {"type": "object_type", "object_type": "lead"}, "_limit": 0},
        {"query": {"type": "object_type", "object_type": "lead"}, "_limit": "200"},
        {"query": {"type": "object_type", "object_type": "lead"}, "cursor": "cur_unknown"},
        {"query": {"type": "object_type", "object_type": "lead"}, "include_counts": 1},
        {"query": {"type": "object_type", "object_type": "lead"}, "_fields": ["id"]},
        {"query": {"type": "object_type", "object_type": "lead"}, "_fields": {"contact": ["id"]}},
        {"query": {"type": "object_type", "object_type": "lead"}, "_fields": {"lead": ["nonsense"]}},
        {"query": {"type": "object_type", "object_type": "lead"}, "sort": [{"field": field("name")}]},
        {
            "query": {"type": "object_type", "object_type": "lead"},
            "sort": [{"direction": "up", "field": field("name")}],
        },
    ],
)
def test_bodies_are_read_strictly(calm: CloseClient, body: dict[str, Any]) -> None:
    assert calm.post("data/search", body).status_code == 400


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "nearby"},
        {"kind": "match_all"},
        where("nonsense", {"type": "exists"}),
        where("name", {"type": "exists"}, "contact"),
        where("name", {"type": "sounds_like"}),
        where("date_updated", {"type": "moment_range", "after": {"type": "fixed_utc", "value": "2026-01-01"}}),
        where("date_updated", {"type": "moment_range", "before": {"type": "someday"}}),
        between("date_updated", "yesterday"),
        between("date_updated", "2026-01-01T00:00:00 00:00"),
        {"type": "has_related", "this_object_type": "contact", "related_object_type": "lead", "related_query": ALL},
        {"type": "saved_search", "saved_search_id": "save_0"},
    ],
)
def test_queries_are_read_strictly(calm: CloseClient, condition: dict[str, Any]) -> None:
    assert calm.search("lead", condition).status_code == 400


def test_contacts_and_whatever_else_is_switched_on(asker: CloseClient, server: CloseSandbox) -> None:
    for kind, name in (("contact", "contacts"), ("opportunity", "opportunities"), ("activity.email", "emails")):
        if kind != "contact":
            assert asker.search(kind).status_code == 400
            asker.control("configure", {"searchable": ["lead", "contact", kind]})
        rows = asker.search(kind, _limit=200, _fields={kind: ["id", "date_updated"]}).json()["data"]
        assert sorted(ids(rows)) == sorted(map(str, server.account.ids(name)))


@pytest.mark.parametrize("kind", ["snapshot", "offset"])
def test_a_cursor_leads_through_everything(asker: CloseClient, server: CloseSandbox, kind: str) -> None:
    server.behaviour.cursor_kind = kind  # type: ignore[assignment]
    first = asker.search("lead", _limit=50, include_counts=True).json()
    assert first["count"] == {"limited": 120, "total": 120}
    gone = ids(first["data"])[:10]
    assert len(ids(walk(asker, _limit=50))) == 120
    server.account.delete("leads", ids=gone)
    rest = asker.search("lead", _limit=50, cursor=first["cursor"]).json()
    assert len(rest["data"]) == 50
    last = asker.search("lead", _limit=50, cursor=rest["cursor"]).json()
    assert len(last["data"]) == (20 if kind == "snapshot" else 10)


def test_a_cursor_belongs_to_its_query(calm: CloseClient) -> None:
    cursor = calm.search("lead", _limit=5).json()["cursor"]
    assert calm.search("lead", ALL, _limit=5, cursor=cursor).status_code == 400
    again = [calm.search("lead", _limit=5, cursor=cursor).json()["data"] for _ in range(2)]
    assert again[0] == again[1]


def test_a_cursor_expires(asker: CloseClient, server: CloseSandbox) -> None:
    cursor = asker.search("lead", _limit=5).json()["cursor"]
    assert asker.search("lead", _limit=5, cursor=cursor).status_code == 200
    server.behaviour.cursor_ttl = 0.0
    cursor = asker.search("lead", _limit=5).json()["cursor"]
    answer = asker.search("lead", _limit=5, cursor=cursor)
    assert answer.status_code == 400
    assert "cursor has expired" in answer.json()["error"]


@pytest.mark.parametrize("looks", ["null", "error"])
def test_a_walk_ends_at_the_cap(asker: CloseClient, looks: str) -> None:
    asker.control("configure", {"search_cap": 30, "cap_looks": looks})
    first = asker.search("lead", _limit=20, include_counts=True).json()
    assert first["count"]["total"] == 120
    second = asker.search("lead", _limit=20, cursor=first["cursor"]).json()
    assert len(second["data"]) == 10
    if looks == "null":
        assert second["cursor"] is None
    else:
        assert asker.search("lead", _limit=20, cursor=second["cursor"]).status_code == 400


def test_results_limit_and_missing_counts(asker: CloseClient) -> None:
    assert len(walk(asker, _limit=20, results_limit=45)) == 45
    count = asker.search("lead", results_limit=45, include_counts=True).json()["count"]
    assert count == {"limited": 45, "total": 120}
    asker.control("configure", {"search_counts": "missing"})
    assert "count" not in asker.search("lead", include_counts=True).json()


def test_asking_again_from_the_last_date_finds_all(calm: CloseClient, calm_server: CloseSandbox) -> None:
    assert sorted(ids(keyset(calm, 60))) == sorted(map(str, calm_server.account.ids("leads")))


def test_leads_may_share_one_moment() -> None:
    for created in (False, True):
        leads = CloseAccount(
            Shape(leads=80, contacts=5, activities=0, events=0, tie_block=50, tie_block_created=created)
        ).records("leads")
        dates = [row["date_updated"] for row in leads]
        common = max(dates, key=dates.count)
        tied = [row for row in leads if row["date_updated"] == common]
        assert len(tied) >= 50
        assert (len({row["date_created"] for row in tied}) == 1) is created


def test_moments_may_be_cut_to_seconds(asker: CloseClient, server: CloseSandbox) -> None:
    (number,) = server.account.edit("leads", changes={"date_updated": "2040-01-01T00:00:05.500000+00:00"})
    late = between("date_updated", "2040-01-01T00:00:05.900000+00:00")
    assert found(asker, late) == []
    server.behaviour.search_precision = "second"
    assert ids(found(asker, late)) == [number]
    assert found(asker, between("date_updated", "2039-01-01", "2040-01-01T00:00:05.900000+00:00")) == []


def test_ties_may_come_in_another_order(asker: CloseClient, server: CloseSandbox) -> None:
    for number in server.account.ids("leads"):
        server.account.edit("leads", ids=[str(number)], changes={"date_updated": "2030-01-01T00:00:00+00:00"})
    assert ids(found(asker)) == ids(found(asker))
    server.behaviour.unstable_ties = True
    assert ids(found(asker)) != ids(found(asker))


def test_the_index_may_lag(asker: CloseClient, server: CloseSandbox) -> None:
    server.behaviour.index_lag = 60.0
    (edited,) = server.account.edit("leads", changes={"name": "Late"})
    (gone,) = server.account.delete(
        "leads", ids=[str(next(one for one in server.account.ids("leads") if one != edited))]
    )
    (made,) = server.account.create("leads")
    before = found(asker, _fields={"lead": ["id", "name"]})
    assert "Late" not in [row["name"] for row in before]
    assert gone in ids(before)
    assert made not in ids(before)
    assert asker.get(f"lead/{edited}").json()["name"] == "Late"
    assert asker.get(f"lead/{gone}").status_code == 404
    stale = server.account.tables["leads"].stale
    stale.update({number: (due - 60, row) for number, (due, row) in stale.items()})
    after = found(asker, _fields={"lead": ["id", "name"]})
    assert (after[-1]["id"], after[-2]["name"]) == (made, "Late")
    assert gone not in ids(after)


def test_churn_changes_what_is_searched(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"churn": {"edit": 2, "delete": 1, "create": 3, "merge": 1, "objects": ["leads"]}})
    before = set(map(str, server.account.ids("leads")))
    found(asker)
    assert len(before - set(map(str, server.account.ids("leads")))) in (2, 3)
    assert len(server.account.ids("leads")) == 121
    notes = len(server.account.ids("notes"))
    asker.control("configure", {"churn": {"delete": 5}})
    asker.get("activity/note")
    asker.get("pipeline")
    assert len(server.account.ids("notes")) == notes - 5

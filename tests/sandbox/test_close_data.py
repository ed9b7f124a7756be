"""The generated organization holds what readers trip over, the same for the same seed."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import SMALL, CloseAccount, Shape
from sandbox.close.moments import micros_of, text_of
from sandbox.close.object_types import ACTIVITY_NAMES, TABLES

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox


def values(record: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(record, dict):
        return [one for value in record.values() for one in values(value)]
    if isinstance(record, list):
        return [one for value in record for one in values(value)]
    return [record]


def test_the_same_shape_gives_the_same_account() -> None:
    one, other = CloseAccount(SMALL), CloseAccount(replace(SMALL))
    assert [one.records(name) for name in one.objects()] == [other.records(name) for name in one.objects()]
    assert CloseAccount(replace(SMALL, seed=8)).records("leads") != one.records("leads")


def test_sizes_are_as_ordered(calm_server: CloseSandbox) -> None:
    account = calm_server.account
    for name in ("leads", "contacts", "opportunities", "tasks", "users", "sequences", "custom_objects", "comments"):
        assert len(account.ids(name)) == getattr(SMALL, name)
    assert sum(len(account.ids(name)) for name in ACTIVITY_NAMES) == 450
    assert all(account.ids(name) for name in ACTIVITY_NAMES)
    assert len(account.ids("memberships")) == 11
    assert 260 <= len(account.ids("events")) <= 261
    some = CloseAccount(Shape(leads=3, contacts=3, activities={"calls": 4}))
    assert {name: len(some.ids(name)) for name in ("calls", "emails")} == {"calls": 4, "emails": 0}
    with pytest.raises(ValueError, match="faxes"):
        CloseAccount(Shape(activities={"faxes": 1}))


def test_ids_are_unique_and_of_both_lengths(calm_server: CloseSandbox) -> None:
    account = calm_server.account
    for name in account.objects():
        assert len(set(account.ids(name))) == len(account.ids(name)), name
    assert all(re.fullmatch(r"lead_[0-9A-Za-z]{43}", str(number)) for number in account.ids("leads"))
    assert all(re.fullmatch(r"seq_[0-9A-Za-z]{22}", str(number)) for number in account.ids("sequences"))
    assert {"admin", "superuser", "restricteduser"} < set(account.ids("roles"))


def test_moments_in_every_form(calm_server: CloseSandbox) -> None:
    account = calm_server.account
    texts = [str(one) for name in account.objects() for row in account.records(name) for one in values(row)]
    for form in (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000\+00:00",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}",
        r"0001-01-01T00:00:00",
        r"\d{4}-\d\d-\d\d",
    ):
        assert any(re.fullmatch(form, text) for text in texts), form
    assert micros_of(text_of(1_234_567)) == 1_234_567


def test_dates_lie_in_the_three_years_before_the_anchor(calm_server: CloseSandbox) -> None:
    now = datetime.fromtimestamp(SMALL.now, UTC)
    for name in TABLES:
        rows = calm_server.account.records(name)
        created = [datetime.fromisoformat(row["date_created"]) for row in rows]
        ahead = [one for one in created if one > now]
        assert len(ahead) == (SMALL.future_meetings if name == "meetings" else 0)
        assert all(datetime.fromisoformat(row["date_updated"]) <= now for row in rows)
    meetings = calm_server.account.records("meetings")
    assert all(row["starts_at"] == row["date_created"] for row in meetings)
    emails = calm_server.account.records("emails")
    assert sum("." not in row["date_created"] for row in emails) > len(emails) / 2


def test_optional_fields_are_sometimes_missing_and_nulls_common(calm_server: CloseSandbox) -> None:
    for name, optional in (
        ("leads", "created_by_name"),
        ("contacts", "emails"),
        ("opportunities", "status_label"),
        ("tasks", "view"),
        ("calls", "quality_info"),
        ("emails", "body_text_quoted"),
        ("connected_accounts", "zoom_account_plan"),
    ):
        rows = calm_server.account.records(name)
        assert {optional in row for row in rows} == {True, False}, name
        assert any(value is None for row in rows for value in row.values())
    names = [row["name"] for row in calm_server.account.records("contacts")]
    assert None in names
    assert any(not str(name).isascii() for name in names)
    assert any(
        row["lead_id"] is None for row in CloseAccount(replace(SMALL, leadless_contacts=0.5)).records("contacts")
    )


def test_custom_values_lie_flat_and_only_where_set(calm_server: CloseSandbox) -> None:
    account = calm_server.account
    fields = {f"custom.{one['id']}": one for one in account.records("custom_fields")}
    kinds = {one["object_type"] for one in fields.values()}
    assert kinds == {"lead", "contact", "opportunity", "activity", "custom_object_type", "shared"}
    seen = set()
    for name in ("leads", "contacts", "opportunities", "custom_activities", "custom_objects"):
        for row in account.records(name):
            for key in [key for key in row if key.startswith("custom.")]:
                assert row[key] is not None
                assert isinstance(row[key], list) is fields[key]["accepts_multiple_values"]
                seen.add(fields[key]["type"])
    assert seen == {one["type"] for one in fields.values()}
    assert len({one["type"] for one in fields.values()}) >= 9


def test_many_records_share_a_moment() -> None:
    rows = CloseAccount(Shape(leads=400, contacts=0, activities=0, events=0, tie_fraction=0.5)).records("leads")
    dates = [row["date_updated"] for row in rows]
    assert max(map(dates.count, dates)) >= 20


def test_an_organization_may_be_empty() -> None:
    nothing = Shape(leads=0, contacts=0, opportunities=0, tasks=0, activities=0, events=0, sequences=0, comments=0)
    account = CloseAccount(replace(nothing, small_lists=0, custom_fields=0, custom_objects=0))
    assert [account.records(name) for name in TABLES] == [[]] * len(TABLES)
    account.create("leads", count=2)
    account.create("notes")
    assert len(account.ids("leads")) == 2


def test_a_large_organization_is_made_quickly() -> None:
    start = time.process_time()
    CloseAccount(Shape(leads=2_000, contacts=3_000, opportunities=1_000, tasks=1_000, activities=6_000))
    assert time.process_time() - start < 3

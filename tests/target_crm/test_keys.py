"""Which keys are one: what two keys of one record do, and what two records of alike keys are."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from target_crm.sync.keys import spelled_alike
from tests.target_crm.close_account import close_account
from tests.target_crm.copera_account import PEOPLE, copera_account
from tests.target_crm.running import Bench, records

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_crm.copper_double import CopperDouble


def test_7_and_007_are_one_id_of_copper(bench: Bench, crm: CopperDouble) -> None:
    done = bench.run(records("tasks", {"id": 7, "name": "A"}, {"id": "007", "name": "B"}))
    assert (done.outcomes, [row["name"] for row in crm.rows("tasks")]) == ({"created": 1, "updated": 1}, ["B"])
    with closing(sqlite3.connect(bench.journal)) as journal:
        assert journal.execute("SELECT key FROM target_crm_records").fetchall() == [("7",)]


def test_7_and_007_are_two_keys_of_ours_as_are_others_that_differ_in_a_text(bench: Bench, crm: CopperDouble) -> None:
    rows = [{"key": key, "name": f"Person {key}"} for key in ("7", "007", "ab", "AB")]
    streams: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}
    for outcome in ("created", "unchanged"):
        assert bench.run(records("people", *rows), streams=streams).outcomes == {outcome: 4}
    assert len(crm.rows("people")) == 4


def test_two_spellings_of_an_address_make_one_contact(tmp_path: Path) -> None:
    with close_account() as account:
        lead = account.add("leads", name="Acme")["id"]
        rows = [
            {"email": email, "lead_id": lead, "name": name}
            for email, name in (("Ann@Example.com", "Ann"), ("ann@example.com", "Anne"))
        ]
        streams = {"contacts": {"match": ["email"], "fields": {"email": "emails"}}}
        done = Bench(tmp_path, account, account.credentials).run(records("contacts", *rows), streams=streams)
        assert {line["key"]: line["outcome"] for line in done.lines} == {
            "Ann@Example.com": "created",
            "ann@example.com": "rejected",
        }
        assert "the key `Ann@Example.com` is the same to the CRM" in done.by_key()["ann@example.com"]["reason"]
        assert [row["name"] for row in account.rows("contacts")] == ["Ann"]


def test_two_spellings_of_a_number_make_one_row(tmp_path: Path) -> None:
    with copera_account() as account:
        account.add_column(PEOPLE, "Number", "NUMBER")
        streams = {PEOPLE: {"match": ["number"]}}
        rows = [{"number": number, "name": f"Ann {number}"} for number in (7, "007", 70)]
        done = Bench(tmp_path, account, account.credentials).run(records(PEOPLE, *rows), streams=streams)
        assert done.outcomes == {"created": 2, "rejected": 1}
        assert sorted(row["Number"] for row in account.rows(PEOPLE)) == [7, 70]


PHONES = ("+1 (650) 555-0101", "650-555-0101")


def by_phone(bench: Bench, stream: str, field: str, *rows: dict[str, Any]) -> list[str]:
    """Write records that are found by their phone; return how they ended."""
    streams = {stream: {"match": ["phone"], "fields": {"phone": field}}}
    done = bench.run(records(stream, *rows), streams=streams)
    return [line["outcome"] for line in done.lines]


@pytest.mark.parametrize("phone", PHONES)
def test_a_contact_is_found_by_its_phone_however_it_is_written(tmp_path: Path, phone: str) -> None:
    with close_account() as account:
        lead = account.add("leads", name="Acme")["id"]
        account.add("contacts", lead_id=lead, name="Ann", phones=[{"phone": "+16505550101", "type": "office"}])
        row = {"phone": phone, "lead_id": lead, "name": "Anne"}
        assert by_phone(Bench(tmp_path, account, account.credentials), "contacts", "phones", row) == ["updated"]
        assert [one["name"] for one in account.rows("contacts")] == ["Anne"]


@pytest.mark.parametrize("phone", PHONES)
def test_a_person_of_copper_is_found_by_its_phone_however_it_is_written(
    bench: Bench, crm: CopperDouble, phone: str
) -> None:
    crm.add("people", name="Ann", phone_numbers=[{"number": "+16505550101", "category": "work"}])
    assert by_phone(bench, "people", "phone_numbers", {"phone": phone, "name": "Anne"}) == ["updated"]
    assert [one["name"] for one in crm.rows("people")] == ["Anne"]


def test_two_writings_of_a_phone_make_one_contact(tmp_path: Path) -> None:
    with close_account() as account:
        lead = account.add("leads", name="Acme")["id"]
        rows = [{"phone": phone, "lead_id": lead, "name": "Ann"} for phone in PHONES]
        assert sorted(by_phone(Bench(tmp_path, account, account.credentials), "contacts", "phones", *rows)) == [
            "created",
            "rejected",
        ]
        assert len(account.rows("contacts")) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_a_composed_character_and_its_parts_are_one_key(bench: Bench, crm: CopperDouble, is_first: bool) -> None:
    streams: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}
    keys = ("M\u00fcller", "Mu\u0308ller")[:: 1 if is_first else -1]
    done = bench.run(records("people", *({"key": key, "name": "A"} for key in keys)), streams=streams)
    assert done.outcomes == {"created": 1, "rejected": 1}
    bench.journal.unlink()
    again = bench.run(records("people", {"key": keys[1], "name": "B"}), streams=streams)
    assert again.outcomes == {"updated": 1}, again.lines
    assert [row["name"] for row in crm.rows("people")] == ["B"]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("7", "007", True),
        ("7", "7.00", True),
        ("-7", "7", False),
        ("0", "00", True),
        ("A@b.de", "a@B.DE ", True),
        ("7", "70", False),
        ("7a", "07a", False),
        ("M\u00fcller", "Mu\u0308ller", True),
    ],
)
def test_keys_that_a_crm_may_take_for_one_are_alike(one: str, other: str, alike: bool) -> None:
    assert (spelled_alike(one) == spelled_alike(other)) is alike


def test_records_without_a_key_are_not_made_again_where_a_column_without_values_is_new(
    bench: Bench, crm: CopperDouble
) -> None:
    rows = [{"name": name, "title": None} for name in ("Ann", "Bo", "Bo")]
    streams = {"people": {"mode": "create"}}
    assert bench.run(records("people", *rows), streams=streams).outcomes == {"created": 3}
    wider = [{**row, "details": None} for row in rows]
    assert bench.run(records("people", *wider), streams=streams).outcomes == {"skipped": 3}
    assert bench.run(records("people", *({"name": row["name"]} for row in rows)), streams=streams).code == 0
    assert sorted(row["name"] for row in crm.rows("people")) == ["Ann", "Bo", "Bo"]

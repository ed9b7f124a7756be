"""Values as taps, warehouses and files give them: they arrive as they are, or reject their record."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crm.close_account import close_account
from tests.target_crm.copera_account import PEOPLE, copera_account
from tests.target_crm.copper_double import COLOURS, EXTERNAL, SCORE, SINCE, CopperDouble
from tests.target_crm.running import Bench, records, schema

if TYPE_CHECKING:
    from pathlib import Path

KEYED = {"match": ["key"], "external_id": "custom_our_key"}


def _custom(row: dict[str, Any], definition: int) -> Any:  # noqa: ANN401
    values = {one["custom_field_definition_id"]: one["value"] for one in row["custom_fields"]}
    return values.get(definition)


@pytest.mark.parametrize("policy", ["skip", "fail"])
@pytest.mark.parametrize("form", ["2023-11-14 22:13:20 UTC", "1700000000000", 1_700_000_000_000, "Nov 14 2023"])
def test_a_time_of_change_that_cannot_be_read_writes_nothing_over(
    bench: Bench, crm: CopperDouble, policy: str, form: object
) -> None:
    theirs = crm.add("people", name="Ann", title="theirs", date_modified=1_790_000_000)
    ours = {"id": theirs["id"], "title": "ours", "date_modified": form}
    done = bench.run(records("people", ours), streams={"people": {"mode": "update", "conflict": policy}})
    assert (done.code, done.outcomes, theirs["title"]) == (1, {"rejected": 1}, "theirs")
    assert "`date_modified` must be a time" in done.lines[0]["reason"]


def test_a_deletion_whose_time_of_change_cannot_be_read_deletes_nothing(bench: Bench, crm: CopperDouble) -> None:
    theirs = crm.add("people", name="Ann", date_modified=1_790_000_000)
    ours = {"id": theirs["id"], "date_modified": "2023-11-14 22:13:20 UTC", "_sdc_deleted_at": "2026-11-01T00:00:00Z"}
    settings = {"conflict": "skip", "on_delete": "delete"}
    done = bench.run(records("people", ours), streams={"people": settings})
    assert (done.code, done.outcomes, len(crm.rows("people"))) == (1, {"rejected": 1}, 1)


@pytest.mark.parametrize("empty", [None, "", " "])
def test_a_record_without_a_time_of_change_is_written(bench: Bench, crm: CopperDouble, empty: object) -> None:
    theirs = crm.add("people", name="Ann", title="theirs")
    ours = {"id": theirs["id"], "title": "ours", "date_modified": empty}
    done = bench.run(records("people", ours), streams={"people": {"mode": "update", "conflict": "skip"}})
    assert (done.code, theirs["title"]) == (0, "ours")


@pytest.mark.parametrize("given", [2026, 20260131, 20260131.0])
def test_a_number_that_is_no_epoch_is_no_day(bench: Bench, crm: CopperDouble, given: object) -> None:
    done = bench.run(records("people", {"key": "k1", "name": "Ann", "custom_since": given}), streams={"people": KEYED})
    assert (done.code, done.outcomes, crm.rows("people")) == (1, {"rejected": 1}, [])
    assert "`custom_since` must be a date" in done.lines[0]["reason"]


@pytest.mark.parametrize(("given", "day"), [(1_769_817_600, 1_769_817_600), (20_217_600, 20_217_600), (0, 0)])
def test_midnights_in_seconds_are_days_however_old(bench: Bench, crm: CopperDouble, given: int, day: int) -> None:
    done = bench.run(records("people", {"key": "k1", "name": "Ann", "custom_since": given}), streams={"people": KEYED})
    assert (done.code, _custom(crm.rows("people")[0], SINCE)) == (0, day)


@pytest.mark.parametrize("field", ["due_date", "reminder_date"])
def test_a_number_that_is_no_epoch_is_no_moment(bench: Bench, crm: CopperDouble, field: str) -> None:
    done = bench.run(records("tasks", {"key": "k1", "name": "Call", field: 20260131}), streams={"tasks": KEYED})
    assert (done.outcomes, crm.rows("tasks")) == ({"rejected": 1}, [])


def test_a_number_that_is_no_epoch_is_no_date_of_a_task_of_close(tmp_path: Path) -> None:
    with close_account() as account:
        lead = account.add("leads", name="Acme")["id"]
        rows = [{"key": "k1", "lead_id": lead, "text": "Call", "date": 20260131}]
        bench = Bench(tmp_path, account, account.credentials)
        done = bench.run(records("tasks", *rows), streams={"tasks": {"match": ["key"], "external_id": "text"}})
        assert (done.code, done.outcomes) == (1, {"rejected": 1})
        assert account.rows("tasks") == []


def test_lists_and_objects_as_json_text_are_what_they_say(bench: Bench, crm: CopperDouble) -> None:
    emails, address = [{"email": "ann@example.com", "category": "personal"}], {"city": "Berlin", "country": "DE"}
    told = {"tags": ["a", "b"], "emails": emails, "address": address, "custom_colours": ["red", "blue"]}
    custom = {"custom_fields": [{"custom_field_definition_id": SCORE, "value": 5}]}
    given = {name: json.dumps(value) for name, value in (told | custom).items()}
    streams = {"people": KEYED}
    for row, outcome in ((given, "created"), (told | custom, "unchanged")):
        done = bench.run(records("people", {"key": "k1", "name": "Ann", **row}), streams=streams)
        assert (done.code, done.outcomes) == (0, {outcome: 1}), done.lines
    (ann,) = crm.rows("people")
    assert (sorted(ann["tags"]), ann["emails"], ann["address"]["city"]) == (["a", "b"], emails, "Berlin")
    assert (sorted(_custom(ann, COLOURS)), _custom(ann, SCORE)) == ([11, 12], 5)


def test_a_reference_as_json_text_leads_to_the_record(bench: Bench, crm: CopperDouble) -> None:
    company = crm.add("companies", name="Acme")["id"]
    related = json.dumps({"type": "company", "id": company})
    done = bench.run(records("tasks", {"key": "k1", "name": "Call", "related_resource": related}), streams={"*": KEYED})
    assert (done.code, crm.rows("tasks")[0]["related_resource"]) == (0, {"type": "company", "id": company})


def test_a_tag_in_brackets_is_a_tag(bench: Bench, crm: CopperDouble) -> None:
    done = bench.run(
        records("people", {"key": "k1", "name": "Ann", "tags": "[VIP]"}, {"key": "k2", "name": "Bo", "tags": "[2026]"}),
        streams={"people": KEYED},
    )
    assert (done.code, [row["tags"] for row in crm.rows("people")]) == (0, [["[VIP]"], ["[2026]"]])


def test_lists_as_json_text_are_lists_in_close(tmp_path: Path) -> None:
    with close_account() as account:
        lead = account.add("leads", name="Acme")["id"]
        emails = [{"email": "ann@example.com", "type": "home"}, {"email": "ann@example.org", "type": "office"}]
        rows = [{"key": "k1", "lead_id": lead, "name": "Ann", "emails": json.dumps(emails)}]
        bench = Bench(tmp_path, account, account.credentials)
        done = bench.run(records("contacts", *rows), streams={"contacts": KEYED})
        assert done.code == 0, done.lines
        (ann,) = account.rows("contacts")
        assert [{"email": one["email"], "type": one["type"]} for one in ann["emails"]] == emails


def test_links_as_json_text_are_links_in_copera(tmp_path: Path) -> None:
    with copera_account() as account:
        company = account.add("sales__companies", Name="Acme")["_id"]
        rows = [{"key": "k1", "name": "Ann", "company": json.dumps([company])}]
        bench = Bench(tmp_path, account, account.credentials)
        done = bench.run(records(PEOPLE, *rows), streams={PEOPLE: {"match": ["key"], "external_id": "our_key"}})
        assert done.code == 0, done.lines
        assert account.rows(PEOPLE)[0]["Company"] == [company]


def test_columns_of_the_sdk_are_written_where_fields_names_them_and_only_there(bench: Bench, crm: CopperDouble) -> None:
    row = {"key": "k1", "name": "Ann", "_sdc_lsn": 17, "_sdc_row": 5, "_extra": {"a": 1}}
    streams = {"people": {**KEYED, "fields": {"_sdc_lsn": "custom_score"}}}
    done = bench.run(records("people", row), streams=streams)
    assert (done.code, _custom(crm.rows("people")[0], SCORE)) == (0, 17)


def test_a_column_whose_name_only_begins_like_one_of_the_tap_is_no_field(bench: Bench) -> None:
    done = bench.run(records("people", {"key": "k1", "name": "Ann", "_extra_title": "X"}), streams={"people": KEYED})
    assert (done.code, done.outcomes) == (1, {"rejected": 1})
    assert "`_extra_title` is no field of people" in done.lines[0]["reason"]


def test_keys_with_more_digits_than_a_float_has_are_different_keys(bench: Bench, crm: CopperDouble) -> None:
    keys = ["12345678901234567001.000000000", "12345678901234567002.000000000", "12345678901234567.25"]
    lines = [schema("people", "key", "name")]
    text = "".join(json.dumps(line) + "\n" for line in lines) + "".join(
        f'{{"type": "RECORD", "stream": "people", "record": {{"key": {key}, "name": "Name {at}"}}}}\n'
        for at, key in enumerate(keys)
    )
    for outcome in ("created", "unchanged"):
        assert bench.run_text(text, streams={"people": KEYED}).outcomes == {outcome: 3}
    assert [_custom(row, EXTERNAL) for row in crm.rows("people")] == [
        *("12345678901234567001", "12345678901234567002", "12345678901234567.25")
    ]


def test_a_large_number_that_waits_for_another_record_stays_what_it_is(bench: Bench, crm: CopperDouble) -> None:
    text = "".join(
        json.dumps(line) + "\n" for line in (schema("people", "key", "name", "company_id"), schema("companies", "key"))
    )
    text += (
        '{"type": "RECORD", "stream": "people", "record": '
        '{"key": 12345678901234567.25, "name": "Ann", "company_id": 98765432109876543210.0}}\n'
        '{"type": "RECORD", "stream": "companies", "record": {"key": 98765432109876543210.0, "name": "Acme"}}\n'
    )
    done = bench.run_text(text, streams={"people": KEYED, "companies": KEYED})
    assert (done.code, done.outcomes) == (0, {"created": 2}), done.lines
    (ann,), (acme,) = crm.rows("people"), crm.rows("companies")
    assert (_custom(ann, EXTERNAL), ann["company_id"]) == ("12345678901234567.25", acme["id"])


@pytest.mark.parametrize(
    ("given", "text"),
    [("4915112345678.0", "4915112345678"), ("1e16", "10000000000000000"), ("0.0000001", "0.0000001"), ("7.5", "7.5")],
)
def test_numbers_in_texts_are_written_as_people_write_them(
    bench: Bench, crm: CopperDouble, given: str, text: str
) -> None:
    line = f'{{"key": "k1", "name": "Ann", "title": {given}, "phone_numbers": {given}, "tags": {given}}}'
    message = f'{{"type": "RECORD", "stream": "people", "record": {line}}}\n'
    head = json.dumps(schema("people", "key", "name", "title", "phone_numbers", "tags")) + "\n"
    assert bench.run_text(head + message, streams={"people": KEYED}).code == 0
    (ann,) = crm.rows("people")
    assert (ann["title"], ann["phone_numbers"][0]["number"], ann["tags"]) == (text, text, [text])


@pytest.mark.parametrize("given", ["3.3333333333333333333", "12345678901234567.89"])
def test_a_number_with_more_digits_than_the_crm_keeps_is_written(bench: Bench, crm: CopperDouble, given: str) -> None:
    for outcome in ("created", "unchanged"):
        done = bench.run(
            records("people", {"key": "k1", "name": "Ann", "custom_score": given}), streams={"people": KEYED}
        )
        assert (done.code, done.outcomes) == (0, {outcome: 1}), done.lines
    assert _custom(crm.rows("people")[0], SCORE) == float(given)

"""A search that answers with an old version of a record leads to no lost, doubled or misplaced write."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crm.copper_double import COLOURS, EXTERNAL, SIZE
from tests.target_crm.running import records

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

Record = dict[str, Any]
BY_MAIL: Record = {"match": ["email"], "fields": {"email": "emails"}}
KEYED: Record = {"match": ["key"], "external_id": "custom_our_key"}


def as_it_was(crm: CopperDouble, name: str, record: Record) -> None:
    """Let searches answer with a record as it is now, whatever becomes of it."""
    crm.indexed[name, record["id"]] = copy.deepcopy(record)


def test_of_two_changes_within_one_second_the_last_one_is_not_taken_for_the_first(
    bench: Bench, crm: CopperDouble
) -> None:
    held = crm.add("tasks", name="Call", details="old", date_modified=int(crm.now) - 9)
    bench.run(records("tasks", {"id": held["id"], "details": "A"}))
    as_it_was(crm, "tasks", held)
    bench.run(records("tasks", {"id": held["id"], "details": "B"}))
    assert held["details"] == "B"
    done = bench.run(records("tasks", {"id": held["id"], "details": "A"}))
    assert (done.outcomes, held["details"]) == ({"updated": 1}, "A")


def test_a_tag_that_somebody_added_meanwhile_is_not_lost_by_a_union(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", emails=[{"email": "a@b.c", "category": "work"}], tags=["old"])
    as_it_was(crm, "people", held)
    held["tags"] = ["old", "theirs"]
    streams = {"people": {**BY_MAIL, "arrays": "union"}}
    done = bench.run(records("people", {"email": "a@b.c", "tags": ["ours"]}), streams=streams)
    assert (done.outcomes, sorted(held["tags"])) == ({"updated": 1}, ["old", "ours", "theirs"])


def test_a_part_of_an_address_that_somebody_changed_meanwhile_is_kept(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", address={"city": "Bonn", "street": "Old 1"})
    as_it_was(crm, "people", held)
    held["address"] = {"city": "Bonn", "street": "New 2"}
    done = bench.run(records("people", {"id": held["id"], "address": {"city": "Mainz"}}))
    assert (done.outcomes, held["address"]["street"]) == ({"updated": 1}, "New 2")


@pytest.mark.parametrize(("policy", "outcome"), [("skip", "skipped"), ("fail", "conflict")])
def test_a_conflict_is_seen_though_the_search_does_not_show_it(
    bench: Bench, crm: CopperDouble, policy: str, outcome: str
) -> None:
    held = crm.add("people", name="Ann", title="Old", date_modified=1_700_000_000)
    as_it_was(crm, "people", held)
    held.update(title="Theirs", date_modified=1_770_000_000)
    row = {"id": held["id"], "title": "Ours", "date_modified": 1_760_000_000}
    done = bench.run(records("people", row), streams={"people": {"conflict": policy}})
    assert (done.outcomes, held["title"]) == ({outcome: 1}, "Theirs")


@pytest.mark.parametrize("more", [{"tags": ["x"]}, {"_sdc_deleted_at": "2026-11-01T00:00:00Z"}])
def test_a_record_that_has_another_address_by_now_is_left_alone(bench: Bench, crm: CopperDouble, more: Record) -> None:
    held = crm.add("people", name="Ann", emails=[{"email": "a@b.c", "category": "work"}], tags=["old"])
    as_it_was(crm, "people", held)
    held["emails"] = [{"email": "other@b.c", "category": "work"}]
    streams = {"people": {**BY_MAIL, "arrays": "union", "on_delete": "delete"}}
    done = bench.run(records("people", {"email": "a@b.c", **more}), streams=streams)
    assert (done.code, done.outcomes) == (1, {"rejected": 1})
    assert "has another key by now" in done.lines[0]["reason"]
    assert (held["tags"], len(crm.rows("people"))) == (["old"], 1)


def test_a_custom_field_that_somebody_emptied_meanwhile_stays_empty(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add(
        "people",
        name="Ann",
        custom_fields=[
            {"custom_field_definition_id": EXTERNAL, "value": "k1"},
            {"custom_field_definition_id": SIZE, "value": 1},
        ],
    )
    as_it_was(crm, "people", held)
    next(one for one in held["custom_fields"] if one["custom_field_definition_id"] == SIZE)["value"] = None
    done = bench.run(records("people", {"id": held["id"], "custom_colours": ["red"]}))
    values = {one["custom_field_definition_id"]: one["value"] for one in held["custom_fields"]}
    assert (done.outcomes, values[SIZE], values[COLOURS]) == ({"updated": 1}, None, [11])


def test_a_company_that_somebody_changed_meanwhile_is_replaced_by_ours(bench: Bench, crm: CopperDouble) -> None:
    first, theirs, ours = (crm.add("companies", name=name)["id"] for name in ("First", "Theirs", "Ours"))
    held = crm.add("people", name="Ann", company_id=first)
    as_it_was(crm, "people", held)
    held["company_id"] = theirs
    done = bench.run(records("people", {"id": held["id"], "company_id": ours}))
    assert (done.outcomes, held["company_id"]) == ({"updated": 1}, ours)
    assert [method for method, path in crm.asked if path.endswith("/related")].count("DELETE") == 1


@pytest.mark.parametrize("settings", [KEYED, BY_MAIL])
def test_a_record_that_this_journal_deleted_is_made_anew_though_a_search_still_has_it(
    bench: Bench, crm: CopperDouble, settings: Record
) -> None:
    streams = {"people": {**settings, "on_delete": "delete"}}
    row = {"key": "k1", "email": "a@b.c", "name": "Ann"} if settings is BY_MAIL else {"key": "k1", "name": "Ann"}
    if settings is BY_MAIL:
        row = {name: value for name, value in row.items() if name != "key"}
    bench.run(records("people", row), streams=streams)
    as_it_was(crm, "people", crm.rows("people")[0])
    assert bench.run(records("people", {**row, "_sdc_deleted_at": "2026-11-01T00:00:00Z"}), streams=streams).code == 0
    done = bench.run(records("people", row), streams=streams)
    assert (done.outcomes, len(crm.rows("people"))) == ({"created": 1}, 1)


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("form", ["epoch", "text"])
def test_dates_are_written_as_epochs_or_as_texts_whichever_the_crm_takes(
    bench: Bench, crm: CopperDouble, form: str, *, bulk: bool
) -> None:
    crm.dates = form
    rows = [{"key": f"k{at}", "name": f"P{at}", "custom_since": "2026-02-01"} for at in range(12 if bulk else 1)]
    done = bench.run(records("people", *rows), streams={"people": KEYED})
    assert (done.code, done.outcomes) == (0, {"created": len(rows)}), done.lines
    again = bench.run(records("people", *rows), streams={"people": KEYED})
    assert again.outcomes == {"unchanged": len(rows)}


@pytest.mark.parametrize("count", [1, 3])
def test_an_answer_with_nothing_but_the_id_is_not_judged_by_a_search_that_lags(
    bench: Bench, crm: CopperDouble, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    says_only_ids(crm, monkeypatch)
    crm.lag = 60
    rows = [{"key": f"k{at}", "name": f"P{at}", "title": "A"} for at in range(count)]
    done = bench.run(records("people", *rows), streams={"people": KEYED})
    assert (done.code, done.outcomes) == (0, {"created": count}), done.lines
    for held in crm.rows("people"):
        as_it_was(crm, "people", held)
    changed = bench.run(records("people", *({**row, "title": "B"} for row in rows)), streams={"people": KEYED})
    assert (changed.code, changed.outcomes) == (0, {"updated": count}), changed.lines


def test_ids_in_another_order_than_what_was_sent_are_not_taken_for_its_records(
    bench: Bench, crm: CopperDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_only_ids(crm, monkeypatch, order=-1)
    rows = [{"key": f"k{at}", "name": f"P{at}"} for at in range(4)]
    done = bench.run(records("companies", *rows), streams={"companies": KEYED})
    told = {line["key"]: crm.tables["companies"][line["crm_id"]]["name"] for line in done.lines}
    assert (done.outcomes, told) == ({"created": 4}, {row["key"]: row["name"] for row in rows})
    assert len(crm.rows("companies")) == 4


def test_custom_fields_that_an_answer_does_not_name_are_not_written_back(
    bench: Bench, crm: CopperDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_only_ids(crm, monkeypatch)
    custom = [{"custom_field_definition_id": EXTERNAL, "value": "k1"}]
    held = crm.add("people", name="Ann", custom_fields=custom)
    done = bench.run(records("people", {"id": held["id"], "custom_size": "S"}))
    assert (done.outcomes, crm.writes) == ({"updated": 1}, [("PUT", f"/people/{held['id']}")])


@pytest.mark.parametrize(("largest", "count"), [(200, "of the page"), (100, "true"), (100, "of the page")])
def test_what_was_made_is_found_behind_pages_that_are_smaller_or_counted_wrong(
    bench: Bench, crm: CopperDouble, monkeypatch: pytest.MonkeyPatch, largest: int, count: str
) -> None:
    search = crm._search  # noqa: SLF001 - the double's

    def pages(name: str, body: Record) -> Any:  # noqa: ANN401
        found, headers = search(name, {**body, "page_size": min(body["page_size"], largest)})
        return found, headers if count == "true" else {"X-PW-TOTAL": str(len(found))}

    def others() -> None:
        crm.now += 1
        for at in range(450):
            crm.add("tasks", name=f"T{at}", date_created=int(crm.now))

    monkeypatch.setattr(crm, "_search", pages)
    crm.after_write = others
    crm.fault = lambda _question, number: "after" if number == 1 else None
    done = bench.run(records("tasks", {"key": "k1", "name": "Call"}), streams={"tasks": KEYED})
    assert (done.outcomes, crm.counted("tasks", "name")["Call"]) == ({"created": 1}, 1)


def says_only_ids(crm: CopperDouble, monkeypatch: pytest.MonkeyPatch, order: int = 1) -> None:
    """Let answers to writes have nothing of a record but its id."""
    answer = crm._answer_object  # noqa: SLF001 - the double's

    def short(method: str, parts: list[str], body: Record, *, half: bool) -> Any:  # noqa: ANN401
        found, headers = answer(method, parts, body, half=half)
        if parts[-1].startswith("bulk_"):
            return [{"id": one["id"]} for one in found][::order], headers
        if method == "PUT" or (method == "POST" and parts[1:] == []):
            return {"id": found["id"]}, headers
        return found, headers

    monkeypatch.setattr(crm, "_answer_object", short)

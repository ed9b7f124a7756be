"""A child table is selected, told, counted and mapped as any stream."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.child_tables.accounts import CASES, assert_children_are_arrays, loaded, rows_of
from tests.singer import only, selecting
from tests.target import Target

if TYPE_CHECKING:
    from tests.child_tables.accounts import Case
    from tests.child_tables.conftest import Start

COPPER = CASES["copper"]


def shrink(app: Any, case: Case) -> list[Any]:  # noqa: ANN401 - a sandbox
    """Give the arrays of some records three elements each; returns the records."""
    chosen = case.ids(app)[:3]
    for record in chosen:
        case.set_arrays(app, record, [3, 3], 7)
    return chosen


def test_an_array_that_got_shorter_leaves_no_row(start: Start, case: Case) -> None:
    """What is behind its end is told as deleted, by the next run; no more than the greatest length asks for."""
    app, tap = start(case)
    chosen = shrink(app, case)
    first = tap.sync()
    for record, length in zip(chosen, (2, 1, 0), strict=True):
        case.set_arrays(app, record, [length, length], 40)
    second = tap.sync(state=first.state, overlap_seconds=0)
    target = Target(first, second)
    assert_children_are_arrays(target, case)
    for child in case.children:
        gone = {(row[case.key_column], row["_position"]) for row in second.records(child) if row.get("_sdc_deleted_at")}
        assert {(record, at) for record, at in gone if record in chosen} >= {
            *((chosen[0], at) for at in (2,)),
            *((chosen[1], at) for at in (1, 2)),
            *((chosen[2], at) for at in (0, 1, 2)),
        }


def test_versions_and_the_audit_follow_the_parent(start: Start, case: Case) -> None:
    """A version for the rows of all, activated at the end; a row for each, with what was written."""
    _, tap = start(case)
    run = tap.sync()
    ended = [message for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
    assert sorted(message["stream"] for message in ended) == sorted([case.parent, *case.children])
    assert ended[0]["stream"] == case.parent
    assert len({message["version"] for message in ended}) == 1
    audit = run.audit()
    for child in case.children:
        row = audit[child]
        assert (row["complete"], row["records"], row["mode"]) == (True, run.count(child), audit[case.parent]["mode"])
        assert (row["whole_since"], row["requests"]) == (audit[case.parent]["whole_since"], 0)
    assert run.state["bookmarks"].keys().isdisjoint(case.children)


def test_a_length_is_in_the_state_before_its_rows(start: Start, case: Case) -> None:
    """A target that got rows of a run that died knows up to where to look for them."""
    app, tap = start(case)
    first = tap.sync()
    for at, record in enumerate(case.ids(app)):
        case.set_arrays(app, record, [at % 9, at % 7], at)
    run = tap.sync(state=first.state)
    known: dict[str, Any] = {}
    rows = 0
    for message in run.messages:
        if message["type"] == "STATE":
            known = message["value"]["bookmarks"][case.parent].get("arrays", {})
        elif message["type"] == "RECORD" and message["stream"] in case.children:
            lengths = known[message["stream"].rpartition("__")[2]]
            assert message["record"]["_position"] < max(lengths["most"], *lengths.get("longer", {}).values(), 0)
            rows += 1
    assert rows


@pytest.mark.parametrize("with_parent", [True, False])
def test_a_child_table_that_is_selected_later_is_caught_up(start: Start, case: Case, *, with_parent: bool) -> None:
    """All is read once, whatever the bookmark; that is said; after that, only what changes is written."""
    app, tap = start(case)
    shrink(app, case)
    late, *early = case.children
    first = tap.sync(catalog=only(tap.catalog, *([case.parent] if with_parent else []), *early, "sync_audit"))
    assert not first.count(late)
    second = tap.sync(state=first.state, reconcile="false", reconcile_max_requests=0)
    third = tap.sync(state=second.state, overlap_seconds=0)
    assert_children_are_arrays(Target(first, second), case)
    behind = late if with_parent else f"{case.parent}, {late}"
    assert f"{behind} did not take part in the last run, and is caught up" in second.log
    assert "caught up" not in third.log
    assert third.count(late) < second.count(late)


def test_what_was_left_out_for_a_run_is_caught_up(start: Start, case: Case) -> None:
    """What changed meanwhile lies behind the bookmark."""
    app, tap = start(case)
    shrink(app, case)
    runs = [tap.sync()]
    for record in shrink(app, case):
        case.set_arrays(app, record, [1, 0], 90)
    runs.append(tap.sync(state=runs[-1].state, catalog=selecting(tap.catalog, case.parent, "sync_audit")))
    runs.append(tap.sync(state=runs[-1].state, overlap_seconds=0))
    assert_children_are_arrays(Target(*runs), case)


def test_a_child_table_is_read_without_its_parent(start: Start, case: Case) -> None:
    """The parent is read, and not written: no SCHEMA, no row, no row in the audit; the cost is the child's."""
    app, tap = start(case)
    shrink(app, case)
    child = case.children[0]
    run = tap.sync(catalog=only(tap.catalog, child, "sync_audit"))
    assert run.schemas.keys() == {child, "sync_audit"}
    assert {key[:2] for key in run.keys(child)} == set(
        rows_of({(record[case.key],): record for record in case.records(app)}, child.rpartition("__")[2])
    ) or case.crm == "copera"
    assert run.audit().keys() == {child}
    assert run.audit()[child]["requests"] > 0
    again = tap.sync(catalog=only(tap.catalog, child, "sync_audit"), state=run.state, overlap_seconds=0)
    assert again.count(child) < run.count(child)


@pytest.mark.parametrize(("crm", "array"), [("copper", "stages"), ("close", "statuses")])
def test_child_tables_of_a_list_that_is_the_same_are_not_written(start: Start, crm: str, array: str) -> None:
    """They are, with their list, where it changed; rows that it has no more are gone then."""
    names = ("pipelines", f"pipelines__{array}")
    app, tap = start(CASES[crm], child_tables=[array])
    tap = tap.given(only(tap.discover()[0], *names, "sync_audit"))
    first = tap.sync()
    idle = tap.sync(state=first.state)
    app.account.delete("pipelines", count=1)
    changed = tap.sync(state=idle.state)
    assert first.count(names[1]) > 0
    assert not any(idle.count(name) or name in idle.schemas for name in names)
    told = Target(first, idle, changed)
    for name in names:
        assert told.living(name).keys() == changed.keys(name) < first.keys(name), name
        assert idle.audit()[name]["complete"], name


def test_an_array_can_be_a_table_only(start: Start, case: Case) -> None:
    """Deselected in the parent, it is in the child table all the same."""
    app, tap = start(case)
    shrink(app, case)
    whole = tap.sync()
    array = next(iter(case.arrays))
    catalog = selecting(tap.catalog, *case.children, case.parent, "sync_audit", without=(f"{case.parent}.{array}",))
    run = tap.sync(catalog=catalog)
    assert not any(array in record for record in run.records(case.parent))
    assert loaded(Target(run), case, array) == loaded(Target(whole), case, array)


def test_a_failing_parent_fails_its_child_tables(start: Start) -> None:
    """By name; none of them counts as complete."""
    app, tap = start(COPPER)
    app.behaviour.never_given = {"people": case_ids(app)[:20]}
    run = tap.sync(expect=1)
    assert f"not complete: {COPPER.parent}, {', '.join(COPPER.children)}" in run.log
    assert [row["complete"] for row in run.audit().values()] == [False, False, False]


def case_ids(app: Any) -> list[int]:  # noqa: ANN401 - a sandbox
    """Return the ids of people."""
    ids: list[int] = COPPER.ids(app)
    return ids


def test_maps_and_flattening_are_heeded(start: Start) -> None:
    """As for any stream; one that a map takes out is not written."""
    app, tap = start(COPPER)
    shrink(app, COPPER)
    plain = tap.sync()
    maps = {
        "people__emails": {"domain": "email.split('@')[-1]", "__filter__": "_position == 0"},
        "people__tags": "__NULL__",
    }
    run = tap.sync(stream_maps=maps, flattening_enabled=True, flattening_max_depth=1)
    assert run.schemas.keys() == {"people", "people__emails", "sync_audit"}
    assert {row["_position"] for row in run.records("people__emails")} == {0}
    assert {row["domain"] for row in run.records("people__emails")} == {
        row["email"].split("@")[-1] for row in plain.records("people__emails") if row["_position"] == 0
    }
    assert run.audit()["people__emails"]["records"] == run.count("people__emails")


@pytest.mark.parametrize("with_parent", [True, False])
def test_batch_files_have_the_rows(start: Start, tmp_path: Path, *, with_parent: bool) -> None:
    """And no STATE passes rows that are in no file yet; shorter arrays are told, though there are no versions."""
    app, tap = start(COPPER)
    shrink(app, COPPER)
    plain = tap.sync()
    batch = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    names = (*(["people"] if with_parent else []), *COPPER.children, "sync_audit")
    catalog = only(tap.catalog, *names)
    first = tap.sync(catalog=catalog, batch_config={**batch, "batch_size": 7})
    for record in case_ids(app)[:3]:
        COPPER.set_arrays(app, record, [0, 1], 3)
    second = tap.sync(catalog=catalog, batch_config=batch, state=first.state)
    rows = {name: in_files(first, name) for name in COPPER.children}
    assert [message["type"] for message in first.messages][-1] in ("STATE", "BATCH")
    for name in COPPER.children:
        there = [row for row in rows[name] if "_sdc_deleted_at" not in row]
        assert as_set(there) == as_set([row for row in plain.records(name) if "_sdc_deleted_at" not in row])
    gone = [row for row in in_files(second, "people__emails") if row.get("_sdc_deleted_at")]
    assert {(row["people_id"], row["_position"]) for row in gone} >= {
        (record, at) for record in case_ids(app)[:3] for at in range(3)
    }
    last_state = max(at for at, message in enumerate(first.messages) if message["type"] == "STATE")
    assert max(at for at, one in enumerate(first.messages) if one.get("stream") in COPPER.children) < last_state


def in_files(run: Any, stream: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a run
    """Return the records of a stream in the batch files of a run."""
    manifests = [one["manifest"] for one in run.messages if one["type"] == "BATCH" and one["stream"] == stream]
    files = [Path(urlsplit(name).path) for manifest in manifests for name in manifest]
    return [json.loads(line) for file in files for line in gzip.open(file).read().splitlines()]


def as_set(rows: list[dict[str, Any]]) -> set[str]:
    """Return rows that can be compared, whatever their order."""
    return {json.dumps(row, sort_keys=True, default=str) for row in rows}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (["emials"], "no stream has an array `emials`; did you mean `emails`?"),
        (["address"], "is no array, but an object"),
        ({"emails": 1}, "the setting `child_tables`"),
    ],
)
def test_a_wrong_name_is_one_line(start: Start, setting: Any, says: str) -> None:  # noqa: ANN401 - any JSON
    """At discovery, exit code 1."""
    _, tap = start(COPPER)
    _, log = tap.discover(child_tables=setting, expect=1)
    assert says in log.splitlines()[-1]
    assert "Traceback" not in log


def test_a_table_that_the_setting_names_no_more_is_said(start: Start) -> None:
    """The catalog selects it: it is not complete, by name; the others are."""
    _, tap = start(COPPER)
    run = tap.sync(child_tables=["emails"], expect=1)
    assert "the catalog selects the child table `people__tags`, which is none" in run.log
    assert run.audit()["people__emails"]["complete"]


def test_an_endpoint_has_child_tables_by_its_schema(start: Start) -> None:
    """As the built-in streams have; without a time of change, a record that comes twice is told by itself."""
    endpoint = {
        "stream": "everyone",
        "path": "/people/search",
        "method": "POST",
        "body": {"sort_by": "date_created", "sort_direction": "asc"},
        "paging": "page",
        "keys": ["id"],
        "schema": {
            "properties": {
                "id": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
            }
        },
    }
    app, tap = start(COPPER)
    shrink(app, COPPER)
    catalog, _ = tap.discover(endpoints=[endpoint], child_tables=["everyone.tags"])
    names = ("everyone", "everyone__tags", "sync_audit")
    run = tap.sync(endpoints=[endpoint], child_tables=["everyone.tags"], catalog=only(catalog, *names))
    truth = rows_of({(record["id"],): record for record in COPPER.records(app)}, "tags")
    assert {(row["everyone_id"], row["_position"]): row["value"] for row in run.records("everyone__tags")} == truth


def test_a_value_of_another_kind_gets_a_new_column(start: Start) -> None:
    """As in the parent's table: the state says which types the target knows."""
    app, tap = start(COPPER)
    app.account.add_field("Skills", "MultiSelect", options=["cooking", "law", "go"], fill=True)
    settings: dict[str, Any] = {"child_tables": ["people.custom_skills"], "custom_fields": "columns"}
    catalog = only(tap.discover(**settings)[0], "people", "people__custom_skills", "sync_audit")
    first = tap.sync(**settings, catalog=catalog)
    types = first.state["bookmarks"]["people"]["column_types"]
    assert types["people__custom_skills.value"] == "text"
    types["people__custom_skills.value"] = "json"
    del first.state["bookmarks"]["people"]["replication_key_value"]
    second = tap.sync(**settings, catalog=catalog, state=first.state)
    assert "value" not in second.schemas["people__custom_skills"]["schema"]["properties"]
    assert [row["value_text"] for row in second.records("people__custom_skills")] == [
        row["value"] for row in first.records("people__custom_skills")
    ]


def test_custom_fields_with_several_values_are_child_tables(start: Start) -> None:
    """With labels, as in the parent's column; a field that was renamed keeps the name that the catalog has."""
    app, tap = start(COPPER)
    field = app.account.add_field("Skills", "MultiSelect", options=["cooking", "law", "go"], fill=True)
    settings: dict[str, Any] = {"child_tables": ["people.custom_skills"], "custom_fields": "columns"}
    catalog, _ = tap.discover(**settings)
    names = ("people", "people__custom_skills", "sync_audit")
    first = tap.sync(**settings, catalog=only(catalog, *names))
    app.account.rename_field(field, "Talents")
    second = tap.sync(child_tables="*", catalog=only(catalog, *names))
    for run in (first, second):
        labels: dict[int, list[str]] = {}
        for row in sorted(run.records("people__custom_skills"), key=lambda row: row["_position"]):
            labels.setdefault(row["people_id"], []).append(row["value"])
        assert labels == {row["id"]: row["custom_skills"] for row in run.records("people") if row["custom_skills"]}
        assert {label for each in labels.values() for label in each} == {"cooking", "law", "go"}

"""Between runs: only what may have changed is written, and what is gone leaves the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.copera.conftest import activated, choosing, table_streams
from tests.copera.truth import streams_of, table_differences
from tests.singer import later, together
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.copera import CoperaSandbox
    from tests.copera.conftest import KnownOf, Start, StartRead
    from tests.singer import Run

SHAPE = {
    "boards": 2,
    "tables": 6,
    "rows": 300,
    "stray_cells": 0.0,
    "channels": 3,
    "documents": 3,
    "drive_files": 3,
    "bookings": 3,
    "notifications": 3,
}


def assert_complete(app: CoperaSandbox, *runs: Run) -> None:
    """A target that took all the runs holds the truth."""
    assert table_differences(app.account, together(*runs), Target(*runs)) == {}


def written(run: Run) -> dict[str, int]:
    """Return how many rows a run wrote of each table, if any."""
    return {stream: run.count(stream) for stream in table_streams(run) if run.count(stream)}


def test_nothing_changed_writes_nothing_and_costs_a_request_a_table(start_read: StartRead) -> None:
    """And discovery: the boards, the tables of each board."""
    app, tap, first = start_read(SHAPE)
    app.stats.reset()
    second = tap.sync(state=first.state)
    assert written(second) == {}
    assert activated(second) == []
    asked = app.stats.by_path
    rows = {path: count for path, count in asked.items() if path.endswith("/rows")}
    empty = sum(not table.rows for table in app.account.tables.values())
    assert sum(rows.values()) == len(app.account.tables)
    assert empty == 0
    assert asked["board/list-boards"] == 1
    assert asked["board/{id}/tables"] == len(app.account.lists["boards"])
    assert second.state["bookmarks"].keys() == first.state["bookmarks"].keys()


def test_added_and_edited_rows_are_written_under_the_old_version(start_tables: StartRead) -> None:
    """With the rows of their buckets, which are few; no version is activated."""
    app, tap, first = start_tables(SHAPE)
    edited = app.account.edit("Bugs", count=2)
    added = app.account.create("Everything", count=3)
    later(app, tap, 60.0)  # what is made in the very second of a read may be taken for made after it, and all written
    second = tap.sync(state=first.state)
    assert activated(second) == []
    assert {(key,) for key in edited} <= second.keys("projects__bugs")
    assert {(key,) for key in added} <= second.keys("projects__everything")
    for stream in ("projects__bugs", "projects__everything"):
        assert second.count(stream) < first.count(stream) / 2
        old = {one["version"] for one in first.messages if one["type"] == "RECORD" and one["stream"] == stream}
        new = {one["version"] for one in second.messages if one["type"] == "RECORD" and one["stream"] == stream}
        assert old == new
    assert_complete(app, first, second)
    assert written(tap.sync(state=second.state)) == {}


def test_a_deleted_row_leaves_the_target_by_a_new_version_with_all_rows(start_tables: StartRead) -> None:
    """ACTIVATE_VERSION comes after the last of them, and greater than any before."""
    app, tap, first = start_tables(SHAPE)
    gone = app.account.delete("Bugs", count=1)
    second = tap.sync(state=first.state)
    assert activated(second) == ["projects__bugs"]
    assert second.count("projects__bugs") == first.count("projects__bugs") - 1
    about = [one for one in second.messages if one.get("stream") == "projects__bugs"]
    assert about[-1]["type"] == "ACTIVATE_VERSION"
    before = next(one["version"] for one in first.messages if one["type"] == "ACTIVATE_VERSION")
    assert about[-1]["version"] > before
    assert {one["version"] for one in about if one["type"] == "RECORD"} == {about[-1]["version"]}
    assert tuple(gone) not in Target(first, second).living("projects__bugs")
    assert_complete(app, first, second)


def test_run_after_run_the_target_is_the_truth(start_tables: StartRead) -> None:
    """Whatever mixture of additions, edits and deletions: each table has each of them."""
    app, tap, first = start_tables({**SHAPE, "rows": 150})
    runs = [first]
    for step in range(4):
        for number, table in enumerate(list(app.account.tables.values())):
            what = (number + step) % 4
            if what in (0, 1):
                app.account.edit(table.id, count=1 + what * 4)
            if what in (1, 2):
                app.account.create(table.id, count=what)
            if what == 3:
                app.account.delete(table.id, count=2)
        runs.append(tap.sync(state=runs[-1].state))
        assert_complete(app, *runs)


def test_a_row_that_is_deleted_while_another_is_added_leaves_the_target(start_tables: StartRead) -> None:
    """The number of rows says nothing."""
    app, tap, first = start_tables(SHAPE)
    app.account.delete("Leads", count=4)
    app.account.create("Leads", count=4)
    second = tap.sync(state=first.state)
    assert "sales__leads" in activated(second)
    assert_complete(app, first, second)


def test_what_is_computed_from_other_rows_arrives_without_their_own_time_of_change(start_tables: StartRead) -> None:
    """Labels of links, lookups, rollups: `updatedAt` of the rows that show them stays."""
    app, tap, first = start_tables(SHAPE)
    before = {row["_id"]: row["updatedAt"] for row in app.account.records("rows")}
    told = app.account.change("edit_linked", {"object": "Companies", "count": 5, "changes": {"Name": "Renamed & Sons"}})
    told += app.account.change("edit_linked", {"object": "Deals", "count": 5, "changes": {"Amount": 123456.78}})
    assert told
    after = {row["_id"]: row["updatedAt"] for row in app.account.records("rows")}
    assert any(before[key] == after[key] for key in told)
    second = tap.sync(state=first.state)
    assert_complete(app, first, second)
    arrived = {key for stream in table_streams(second) for (key,) in second.keys(stream)}
    assert set(told) <= arrived


def test_the_label_of_an_option_arrives_in_every_row_that_has_it(start_tables: StartRead) -> None:
    """No row has changed."""
    app, tap, first = start_tables(SHAPE)
    app.account.change("rename_option", {"table": "Deals", "column": "Stage", "option": "New", "label": "Brand new"})
    second = tap.sync(state=first.state)
    assert set(written(second)) == {"sales__deals"}
    assert "Brand new" in {row["stage"] for row in second.records("sales__deals")}
    assert_complete(app, first, second)


def test_the_name_of_a_member_arrives_in_every_row_that_names_them(start_tables: StartRead) -> None:
    """No row has changed."""
    app, tap, first = start_tables(SHAPE)
    someone = next(iter(app.account.lists["members"]))
    app.account.edit("members", ids=[someone], changes={"name": "Somebody Else"})
    assert_complete(app, first, tap.sync(state=first.state))


def test_a_row_that_is_hidden_leaves_the_target_and_comes_back_when_it_is_seen(start_tables: StartRead) -> None:
    """Without a mark, it looks like a deletion; the audit says how many rows the token sees."""
    app, tap, first = start_tables(SHAPE)
    total = len(app.account.table_named("Leads").rows)
    hidden = app.account.change("hide", {"object": "Leads", "count": 7})
    second = tap.sync(state=first.state)
    assert "sales__leads" in activated(second)
    assert second.audit()["sales__leads"]["source_total"] == total - 7
    held = Target(first, second).living("sales__leads")
    assert len(held) == total - 7
    assert not {(key,) for key in hidden} & held.keys()
    app.account.change("show", {"object": "Leads", "count": 1000, "ids": hidden})
    third = tap.sync(state=second.state)
    assert third.audit()["sales__leads"]["source_total"] == total
    assert_complete(app, first, second, third)


@pytest.mark.parametrize("knobs", [{"visible_rows": "own"}, {"hidden_share": 0.3}], ids=str)
def test_the_audit_tells_how_many_rows_a_token_sees(start: Start, knobs: dict[str, Any]) -> None:
    """Fewer than there are, and no error: the API says nothing of the others."""
    app, tap = start(SHAPE, **knobs)
    run = tap.sync()
    audit = run.audit()
    for table, stream in streams_of(run).items():
        assert audit[stream]["source_total"] == audit[stream]["distinct_ids"] == run.count(stream)
        assert run.count(stream) < len(app.account.tables[table].rows)


def test_another_selection_of_fields_writes_every_row_anew(start: Start, known: KnownOf) -> None:
    """Since those that were written lack a field, or have one too many."""
    _, tap = start(SHAPE)
    some = choosing(known(SHAPE), "sales__leads", "sales__people", without=("sales__leads.stage",))
    first = tap.sync(catalog=some)
    assert not any("stage" in row for row in first.records("sales__leads"))
    same = tap.sync(catalog=some, state=first.state)
    assert written(same) == {}
    second = tap.sync(catalog=choosing(known(SHAPE), "sales__leads", "sales__people"), state=same.state)
    assert written(second) == {"sales__leads": first.count("sales__leads")}
    assert activated(second) == ["sales__leads"]
    assert all("stage" in row for row in second.records("sales__leads"))


def test_another_form_of_cells_writes_every_row_anew(start_read: StartRead) -> None:
    """Each of the forms is complete."""
    app, tap, first = start_read({**SHAPE, "rows": 100})
    second = tap.sync(state=first.state, custom_fields="both")
    assert table_differences(app.account, together(first, second), Target(first, second), "both") == {}
    assert sorted(activated(second)) == table_streams(second)


def test_a_state_without_memory_or_with_a_broken_one_reads_everything(start_tables: StartRead) -> None:
    """Never less."""
    app, tap, first = start_tables({**SHAPE, "rows": 40})
    for broken in (None, 5, {}, {"rows": None}, {"rows": {"ids": "?", "contents": 3}}, {"rows": {"basis": "x"}}):
        state = {"bookmarks": {key: dict(value) for key, value in first.state["bookmarks"].items()}}
        for stream in table_streams(first):
            state["bookmarks"][stream]["memory"] = broken
        second = tap.sync(state=state)
        assert sorted(activated(second)) == table_streams(second)
        assert_complete(app, first, second)


def test_a_table_that_is_read_while_rows_are_made_loses_none(start: Start, known: KnownOf) -> None:
    """Rows of the second in which the last read was made are taken for new or for known, never for both."""
    shape = {**SHAPE, "rows": 60}
    app, tap = start(shape, churn={"create": 1, "edit": 1})
    tap = tap.given(known(shape).tables)
    runs = [tap.sync()]
    for _ in range(3):
        runs.append(tap.sync(state=runs[-1].state))
    app.behaviour.churn = type(app.behaviour.churn)()
    runs.append(tap.sync(state=runs[-1].state))
    assert_complete(app, *runs)

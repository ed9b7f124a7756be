"""Columns, options, tables and boards that change between runs, with a catalog made anew and with an old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.copera.conftest import activated, choosing, table_streams
from tests.copera.truth import rows_of, table_differences
from tests.singer import together, untold
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.copera import CoperaSandbox
    from sandbox.simulator import Moment
    from tests.copera.conftest import KnownOf, Start, StartRead
    from tests.singer import Record, Run

SHAPE = {
    "boards": 1,
    "tables": 4,
    "rows": 60,
    "stray_cells": 0.0,
    "channels": 3,
    "documents": 3,
    "drive_files": 3,
    "bookings": 3,
    "notifications": 3,
}
STREAMS = ("sales__companies", "sales__deals", "sales__leads", "sales__people", "columns", "tables")


def assert_valid(run: Run) -> None:
    """Every record is valid against the SCHEMA that was emitted."""
    for stream in table_streams(run):
        validator = jsonschema.Draft202012Validator(run.schemas[stream]["schema"])
        for record in run.records(stream):
            validator.validate(record)


CHANGES: dict[str, list[tuple[str, Record]]] = {
    "added": [("add_column", {"table": "Deals", "label": "Region", "type": "DROPDOWN", "fill": True})],
    "added, named like another": [("add_column", {"table": "Deals", "label": "Amount", "type": "TEXT", "fill": True})],
    "renamed": [("rename_column", {"table": "Deals", "column": "Amount", "label": "Volume"})],
    "renamed to the name of another": [("rename_column", {"table": "Deals", "column": "Amount", "label": "Stage"})],
    "two that swap names": [
        ("rename_column", {"table": "Deals", "column": "Amount", "label": "x"}),
        ("rename_column", {"table": "Deals", "column": "Probability", "label": "Amount"}),
        ("rename_column", {"table": "Deals", "column": "x", "label": "Probability"}),
    ],
    "retyped to text": [("retype_column", {"table": "Deals", "column": "Stage", "type": "TEXT"})],
    "number retyped to text": [("retype_column", {"table": "Deals", "column": "Probability", "type": "TEXT"})],
    "text retyped to number": [("retype_column", {"table": "Deals", "column": "Name", "type": "NUMBER"})],
    "retyped to another number": [("retype_column", {"table": "Deals", "column": "Amount", "type": "NUMBER"})],
    "retyped to an unknown type": [("retype_column", {"table": "Deals", "column": "Probability", "type": "GAUGE"})],
    "removed": [("remove_column", {"table": "Deals", "column": "Amount"})],
    "removed, its cells kept": [("remove_column", {"table": "Deals", "column": "Amount", "keep_cells": True})],
    "option added": [("add_option", {"table": "Deals", "column": "Stage", "label": "Waiting"})],
    "option renamed": [("edit_option", {"table": "Deals", "column": "Stage", "option": "New", "label": "Fresh"})],
    "option deleted": [("delete_option", {"table": "Deals", "column": "Stage", "option": "New"})],
}


def change(app: CoperaSandbox, name: str) -> None:
    """Carry out a change, and put a new option into a row."""
    for verb, order in CHANGES[name]:
        found = app.account.change(verb, dict(order))
        if verb == "add_option":
            row = next(iter(app.account.table_named("Deals").rows))
            app.account.edit("Deals", ids=[row], changes={"Stage": found[0]})


#: Changes of different columns, which are made together.
TOGETHER = (
    ("added", "renamed", "number retyped to text", "option added"),
    ("added, named like another", "retyped to an unknown type", "option renamed"),
    ("option deleted", "renamed to the name of another"),
    ("two that swap names",),
    ("retyped to text", "retyped to another number"),
    ("removed",),
    ("removed, its cells kept",),
)


def test_each_change_is_made_with_a_fresh_catalog() -> None:
    """But for texts that become numbers, which are tried with a stale one only."""
    assert sorted(name for names in TOGETHER for name in names) == sorted(CHANGES.keys() - {"text retyped to number"})


@pytest.mark.parametrize("names", TOGETHER, ids=", ".join)
def test_with_a_fresh_catalog_columns_follow(start_read: StartRead, names: tuple[str, ...]) -> None:
    """Every row is as it should be under the present columns; nothing in `_extra` but what has no column."""
    app, tap, first = start_read(SHAPE)
    for name in names:
        change(app, name)
    second = tap.sync(state=untold(first.state))
    assert table_differences(app.account, second, Target(first, second)) == {}
    assert_valid(second)
    assert set(activated(second)) <= {"sales__deals"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("number retyped to text", "probability", "probability_text"),
        ("retyped to an unknown type", "probability", "probability_json"),
        ("retyped to another number", "amount", "amount"),
    ],
)
def test_a_column_of_another_type_is_another_column_for_the_target(
    start_read: StartRead, name: str, old: str, new: str
) -> None:
    """With a catalog made before or after; the stream `columns` names it, a warning does so once."""
    app, tap, first = start_read(SHAPE)
    change(app, name)
    state = first.state
    for catalog in (None, choosing(tap, *STREAMS)):
        run = tap.sync(catalog=catalog, state=state)
        assert table_differences(app.account, together(first, run), Target(first, run)) == {}
        assert_valid(run)
        properties = run.schemas["sales__deals"]["schema"]["properties"]
        assert new in properties
        assert (old in properties) == (old == new)
        assert ("is of another kind now" in run.log) == (old != new)
    app.account.edit("Deals", count=3)
    last = tap.sync(state=untold(run.state))
    assert new in last.schemas["sales__deals"]["schema"]["properties"]
    assert "is of another kind now" not in last.log


@pytest.mark.parametrize("name", ["number retyped to text", "retyped to an unknown type"])
def test_a_column_of_another_type_is_filled_by_the_first_run_with_a_fresh_catalog(
    start_tables: StartRead, name: str
) -> None:
    """A run with an older catalog lies between: it has read the new type, and put it where the old one was."""
    app, tap, first = start_tables(SHAPE)
    change(app, name)
    stale = tap.sync(state=untold(first.state))
    fresh = tap.sync(catalog=choosing(tap, *STREAMS), state=untold(stale.state))
    runs = (first, stale, fresh)
    assert table_differences(app.account, together(*runs), Target(*runs)) == {}
    again = tap.sync(catalog=choosing(tap, *STREAMS), state=untold(fresh.state))
    assert again.records("sales__deals") == []


@pytest.mark.parametrize("names", [*TOGETHER, ("text retyped to number",)], ids=", ".join)
def test_with_a_stale_catalog_nothing_is_lost(start_tables: StartRead, names: tuple[str, ...]) -> None:
    """What the catalog does not know is in `_extra`, and what is emitted fits the SCHEMA that is."""
    app, tap, first = start_tables(SHAPE)
    for name in names:
        change(app, name)
    second = tap.sync(state=untold(first.state))
    assert_valid(second)
    held = Target(first, second).living("sales__deals")
    truth = table_rows(app, second)
    assert held.keys() == truth.keys()
    properties = first.schemas["sales__deals"]["schema"]["properties"]
    for key, row in truth.items():
        for field, value in row.items():
            if field == "_extra" or value is None:
                continue
            record = held[key]
            extra = record.get("_extra") or {}
            kept = extra.get(field)
            found = [record.get(field), kept, *(kept if isinstance(kept, list) else ())]
            assert value in found or str(value) in map(str, found), (field, value, record)
            assert field in properties or field not in record
        for field, value in (row.get("_extra") or {}).items():
            assert held[key]["_extra"][field] == value


def table_rows(app: CoperaSandbox, run: Run) -> dict[Any, Record]:
    """Return the present truth of the deals."""
    return rows_of(app.account, run, app.account.table_named("Deals"))


def test_a_column_that_appears_during_a_run_is_kept(start: Start) -> None:
    """In `_extra`, under its id: the schema was made without it; the next run has it as a column."""
    app, tap = start(SHAPE)
    made: list[str] = []

    def add(moment: Moment) -> None:
        if moment.when == "before" and moment.request.path.endswith("/rows") and not made:
            order = {"table": "Leads", "label": "Stage", "type": "TEXT", "fill": True}
            made.extend(app.account.change("add_column", order))

    app.on_answer(add)
    first = tap.sync()
    cells = {
        row["_id"]: {cell["columnId"]: cell.get("value") for cell in row["columns"]}
        for row in app.account.records("rows:" + app.account.table_named("Leads").id)
    }
    for row in first.records("sales__leads"):
        value = cells[row["_id"]].get(made[0])
        assert row["_extra"] == {made[0]: value}
    second = tap.sync(state=untold(first.state))
    assert table_differences(app.account, second, Target(first, second)) == {}


def test_an_option_that_appears_during_a_run_has_its_label(start: Start) -> None:
    """The columns are read anew where a row has one that nobody knows, once."""
    app, tap = start(SHAPE)
    made: list[str] = []

    def add(moment: Moment) -> None:
        if moment.when == "before" and moment.request.path.endswith("/rows") and not made:
            made.extend(app.account.change("add_option", {"table": "Leads", "column": "Stage", "label": "Just made"}))
            app.account.edit("Leads", count=5, changes={"Stage": made[0]})

    app.on_answer(add)
    run = tap.sync()
    assert sum(row["stage"] == "Just made" for row in run.records("sales__leads")) == 5
    assert app.stats.by_path["board/{id}/tables"] == 2
    second = tap.sync(state=untold(run.state))
    assert not any(second.count(stream) for stream in table_streams(second))


def test_an_option_that_is_gone_stays_as_its_id_and_is_noted(start: Start) -> None:
    """Never null; also in a run in which nothing has changed."""
    app, tap = start(SHAPE)
    option = app.account.table_named("Leads").column("Stage").options[0]["optionId"]
    app.account.change("delete_option", {"table": "Leads", "column": "Stage", "option": option})
    run = tap.sync()
    assert option in {row["stage"] for row in run.records("sales__leads")}
    for told in (run, tap.sync(state=run.state)):
        assert any("stage" in note for note in told.audit()["sales__leads"]["notes"])


def test_names_beside_a_column_are_not_those_of_another_column(start: Start) -> None:
    """`owner_names` of a column of users, and a column that is called so."""
    app, tap = start(SHAPE)
    app.account.change("add_column", {"table": "Leads", "label": "Company labels", "type": "TEXT", "fill": True})
    app.account.change("add_column", {"table": "Leads", "label": "Stage ids", "type": "TEXT", "fill": True})
    app.account.change("add_column", {"table": "Deals", "label": "Owner names", "type": "TEXT", "fill": True})
    for form in ("columns", "both"):
        run = tap.sync(custom_fields=form)
        assert table_differences(app.account, run, Target(run), form) == {}


# Names of streams


def pins(app: CoperaSandbox, *, by_id: bool) -> list[dict[str, str]]:
    """Return the setting that names the four tables."""
    names = {"Leads": "leads", "People": "people", "Companies": "companies", "Deals": "opportunities"}
    tables = {name: app.account.table_named(name) for name in names}
    board = tables["Leads"].board if by_id else "Sales"
    return [
        {"board": board, "table": tables[name].id if by_id else name, "stream": stream}
        for name, stream in names.items()
    ]


@pytest.mark.parametrize("by_id", [True, False])
def test_pinned_tables_have_the_names_that_the_settings_give(start: Start, by_id: bool) -> None:
    """In every stream that speaks of them."""
    app, tap = start(SHAPE)
    tap.config["tables"] = pins(app, by_id=by_id)
    run = tap.sync()
    assert {"leads", "people", "companies", "opportunities"} <= set(run.schemas)
    assert table_streams(run) == []
    assert table_differences(app.account, run, Target(run)) == {}
    assert {record["stream"] for record in run.records("pipelines")} <= {"leads", "opportunities"}


def test_pins_by_id_hold_when_boards_and_tables_are_renamed(start: Start) -> None:
    """And nothing is written again."""
    app, tap = start(SHAPE)
    tap.config["tables"] = pins(app, by_id=True)
    first = tap.sync()
    app.account.change("rename_board", {"board": app.account.table_named("Leads").board, "name": "Vente"})
    app.account.change("rename_table", {"table": "Leads", "name": "Pistes"})
    second = tap.sync(state=untold(first.state))
    assert second.count("leads") == second.count("people") == 0
    assert activated(second) == []
    assert table_differences(app.account, second, Target(first, second)) == {}


def test_without_a_pin_a_renamed_table_is_another_stream(start_read: StartRead, known: KnownOf) -> None:
    """An old catalog that selects the old name is told so; the other tables are read all the same."""
    app, tap, first = start_read(SHAPE)
    catalog = choosing(known(SHAPE), *STREAMS)
    app.account.change("rename_table", {"table": "Leads", "name": "Pistes"})
    second = tap.sync(catalog=catalog, state=untold(first.state), expect=1)
    assert "sales__leads" in second.log
    assert "run discovery again" in second.log
    audit = second.audit()
    assert "sales__leads" not in audit
    assert audit["sales__people"]["complete"]
    assert "sales__pistes" in table_streams(tap.discover()[0])


@pytest.mark.parametrize(
    ("pin", "says"),
    [
        (
            {"board": "Projects", "table": "Bugs", "stream": "bugs"},
            "stream `bugs`: 2 tables are called `Bugs` on the board `Projects`",
        ),
        (
            {"board": "Sales", "table": "Leeds", "stream": "leads"},
            "stream `leads`: the board `Sales` has no table `Leeds`; did you mean `Leads`?",
        ),
        (
            {"board": "Elsewhere", "table": "Leads", "stream": "leads"},
            "stream `leads`: there is no board `Elsewhere`, or the token does not see it",
        ),
        ({"board": "Sals", "table": "Leads", "stream": "leads"}, "; did you mean `Sales`?"),
        ({"board": "Sales", "table": "Leads", "stream": "members"}, "a name that another one has: members"),
        ({"board": "Sales", "table": "Leads", "stream": "sales__people"}, "another one has: sales__people"),
        ({"board": "Sales", "table": "Leads", "stream": "sync_audit"}, "another one has: sync_audit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pin_that_cannot_be_meant_is_an_error(start: Start, pin: dict[str, str], says: str) -> None:
    """One line that says which; nothing is guessed, and nothing is read."""
    app, tap = start({"rows": 0})
    app.stats.reset()
    for log in (tap.sync(expect=1, tables=[pin]).log, tap.discover(expect=1, tables=[pin])[1]):
        assert says in log.splitlines()[-1]
        assert "Traceback" not in log
    assert not [path for path in app.stats.by_path if path.endswith("/rows")]


def test_two_pins_of_one_table_are_an_error(start: Start) -> None:
    """Which of them is meant?"""
    _, tap = start(SHAPE)
    both = [{"board": "Sales", "table": "Leads", "stream": name} for name in ("leads", "prospects")]
    run = tap.sync(expect=1, tables=both)
    assert "leads" in run.log.splitlines()[-1]
    assert "prospects" in run.log.splitlines()[-1]

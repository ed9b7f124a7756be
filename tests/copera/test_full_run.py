"""A first run loads every row of every table and every record of every other stream, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.copera.conftest import activated, table_streams
from tests.copera.truth import RowsTruth, fields_of, streams_of, table_differences
from tests.target import Target
from tests.truth import compared, exact

if TYPE_CHECKING:
    from tests.copera.conftest import Start
    from tests.singer import Run

LARGE = {"boards": 6, "tables": 12, "rows": 6_000}
#: Every so many rows of a large run are validated and compared; those of the small ones all are.
SAMPLED = 50


def assert_valid(run: Run, every: int = 1) -> None:
    """Records are valid against the SCHEMA that was emitted, formats too."""
    for stream, message in run.schemas.items():
        validator = jsonschema.Draft202012Validator(message["schema"], format_checker=jsonschema.FormatChecker())
        for record in run.records(stream)[:: every if "__" in stream else 1]:
            validator.validate(record)


@pytest.mark.timeout(240)
def test_six_thousand_rows_in_twelve_tables_arrive_whole(start: Start) -> None:
    """Every id, and of a sample every value; a request a table; and their state is small: two bytes a row."""
    app, tap = start(LARGE)
    app.stats.reset()
    run = tap.sync()
    assert len(table_streams(run)) == 12
    assert_valid(run, SAMPLED)
    audit, target, fields = run.audit(), Target(run), fields_of(run)
    for table, stream in streams_of(run).items():
        living, rows = target.living(stream), app.account.tables[table].rows
        assert living.keys() == {(key,) for key in rows}
        others = frozenset(rows) - frozenset(list(rows)[::SAMPLED])
        sample = RowsTruth(app.account, app.account.tables[table], fields[table]).rows(hidden=others)
        assert len(sample) >= len(rows) / SAMPLED
        assert compared(sample, {key: living[key] for key in sample}) == {}
        assert audit[stream]["distinct_ids"] == audit[stream]["source_total"] == len(app.account.tables[table].rows)
        assert audit[stream]["complete"]
        assert audit[stream]["misfits"] == 0
    assert sorted(activated(run)) == table_streams(run)
    kept = [len(str(run.state["bookmarks"][stream]["memory"])) for stream in table_streams(run)]
    assert sum(kept) < 2 * LARGE["rows"], kept


@pytest.mark.parametrize("form", ["columns", "raw", "both"])
def test_cells_arrive_in_each_form(start: Start, form: str) -> None:
    """As columns, as the API gives them, or as both with the ids of options."""
    app, tap = start()
    run = tap.sync(custom_fields=form)
    assert table_differences(app.account, run, Target(run), form) == {}
    assert_valid(run)


@pytest.mark.parametrize(
    "knobs",
    [
        {"rows_as": "string"},
        {"row_order": "shuffled"},
        {"row_order": "newest", "transfer": "chunked"},
        {"cell_forms": {"STATUS": "array", "DROPDOWN": "array"}},
    ],
    ids=str,
)
def test_forms_that_the_documentation_leaves_open_bring_the_same(start: Start, knobs: dict[str, Any]) -> None:
    """Whatever the order and the form."""
    app, tap = start(**knobs)
    run = tap.sync()
    assert table_differences(app.account, run, Target(run)) == {}
    assert sum(row["misfits"] for row in run.audit().values()) == 0


def test_values_of_another_shape_are_kept(start: Start) -> None:
    """A range of dates is start/end; what does not fit its type is null, and whole in `_extra`."""
    forms = {"DATE": "range", "NUMBER": "object", "FORMULA": "number", "CHECKBOX": "string", "LOCATION": "string"}
    app, tap = start({"rows": {"Leads": 60, "Companies": 20, "Deals": 30}}, cell_forms=forms)
    plain = {row["_id"]: row for row in app.account.records("rows")}
    run = tap.sync()
    leads = run.records("sales__leads")
    assert_valid(run)
    dated = [row["next_step"] for row in leads if row["next_step"] is not None]
    assert dated
    assert all(start == end for start, _, end in (text.partition("/") for text in dated))
    scores = [name for name in leads[0] if name.startswith("score_")]
    column = {record["field"]: record["columnId"] for record in run.records("columns") if record["field"] in scores}
    for row in leads:
        cells = {cell["columnId"]: cell.get("value") for cell in plain[row["_id"]]["columns"]}
        for name in scores:
            value = cells.get(column[name])
            kept = (row.get("_extra") or {}).get(name)
            assert row[name] is None
            assert kept == (None if value in (None, "", []) else exact(value))


def test_an_object_that_is_no_range_of_dates_is_kept(start: Start) -> None:
    """Nothing is guessed of it."""
    app, tap = start({"rows": {"Leads": 30, "Companies": 3}}, cell_forms={"DATE": "object"})
    truth = {row["_id"]: row for row in app.account.records("rows:" + app.account.table_named("Leads").id)}
    run = tap.sync()
    kept = [row for row in run.records("sales__leads") if row.get("_extra", {}).get("next_step")]
    assert kept
    values = [cell.get("value") for cell in truth[kept[0]["_id"]]["columns"]]
    assert kept[0]["_extra"]["next_step"] in values


def test_names_of_columns_are_those_of_their_labels(start: Start) -> None:
    """Also where they are odd, doubled, or those of other fields."""
    _, tap = start({"rows": {"Everything": 3}})
    run = tap.sync()
    ids = {(record["stream"], record["label"]): record["columnId"][-6:] for record in run.records("columns")}
    fields = {(one["stream"], one["columnId"]): one["field"] for one in run.records("columns")}
    leads = sorted(name for (stream, _), name in fields.items() if stream == "sales__leads")
    assert [name for name in leads if not name.startswith("score_")] == [
        *("company", "created", "email", "employees_of_the_company", "name", "next_step", "notes"),
        *("owner_" + ids["sales__leads", "owner"], "phone", "source", "stage", "tags", "value"),
    ]
    assert len([name for name in leads if name.startswith("score_")]) == 2
    people = {name for (stream, _), name in fields.items() if stream == "sales__people"}
    assert f"column_{ids['sales__people', '🎂']}" in people
    assert f"id_{ids['sales__people', '_id']}" in people or "id" in people
    properties = run.schemas["sales__leads"]["schema"]["properties"]
    assert properties["stage"]["title"] == "Stage"
    assert "STATUS" in properties["stage"]["description"]


def test_stages_of_a_pipeline_are_in_order(start: Start) -> None:
    """By the order that Copera gives them, which may be another one than that of the list."""
    app, tap = start({"rows": {}})
    stage = app.account.table_named("Deals").column("Stage")
    stage.options.reverse()
    app.account.change("edit_option", {"table": "Deals", "column": "Stage", "option": "Lost", "order": -1})
    run = tap.sync()
    pipeline = next(one for one in run.records("pipelines") if one["columnId"] == stage.id)
    labels = [one["label"] for one in pipeline["stages"]]
    assert labels == ["Lost", "New", "Qualifié", "商談中", "Won 🎉"]
    assert (pipeline["name"], pipeline["table_name"], pipeline["stream"]) == ("Stage", "Deals", "sales__deals")

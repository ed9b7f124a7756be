"""What only Copper's custom fields have: entries in a list, one list of definitions, kinds that it may add."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tests.custom_truth import Copper, assert_right, columns_of, declared, in_columns, lines
from tests.singer import Tap, environment, only
from tests.started import Program

if TYPE_CHECKING:
    from sandbox.copper import CopperAccount
    from tests.copper.conftest import Start
    from tests.singer import Record

STREAMS = Copper.streams
DEFINITIONS = "custom_field_definitions"
SHAPE: dict[str, Any] = {
    "people": 60,
    "companies": 25,
    "leads": 25,
    "opportunities": 25,
    "projects": 10,
    "tasks": 10,
    "activities": 5,
    "odd_close_dates": 0,
}


@pytest.fixture
def begin(start: Start) -> Start:
    """Return a function that starts a small sandbox, and a tap with the default form of custom fields."""
    return in_columns(start, SHAPE)


def number_of(account: CopperAccount, label: str, kind: str = "") -> int:
    """Return the id of the first definition of that name, and kind."""
    found = account.records(DEFINITIONS)
    return next(int(one["id"]) for one in found if one["name"] == label and kind in ("", one["data_type"]))


def test_a_kind_that_copper_may_add_is_kept_whole_as_json_text(begin: Start) -> None:
    """The column is a text, whatever its values look like."""
    app, tap = begin()
    number = app.account.add_field("Rating", "Float", available_on=["person"])
    app.account.edit(DEFINITIONS, ids=[number], changes={"data_type": "Stars"})
    entry = {"custom_field_definition_id": number, "value": {"stars": 4.5, "of": [5]}}
    (person,) = app.account.edit("people", changes={"custom_fields": [entry]})
    run = tap.sync()
    column = columns_of(run, "people")[str(number)]
    assert declared(run, "people", column)["type"] == ["string", "null"]
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert json.loads(record[column]) == entry["value"]


def test_a_single_field_called_fields_is_not_taken_for_all(begin: Start) -> None:
    """`custom_fields` stays what it is, the list as it comes."""
    app, tap = begin({"custom_fields": 0})
    number = app.account.add_field("Fields", "String", fill=True)
    for form in ("columns", "both"):
        run = tap.sync(custom_fields=form)
        assert columns_of(run, "people") == {str(number): f"custom_fields_{number}"}
        assert_right(Copper(app.account), run, form=form)


def test_names_do_not_depend_on_the_order_of_the_definitions(begin: Start) -> None:
    """Nor on the form."""
    app, tap = begin()
    catalogs = [tap.discover()[0]]
    app.account.lists[DEFINITIONS].reverse()
    catalogs += [tap.discover()[0], tap.discover(custom_fields="both")[0]]
    names = [
        {
            one["tap_stream_id"]: [name for name in one["schema"]["properties"] if name != "custom_fields"]
            for one in catalog["streams"]
        }
        for catalog in catalogs
    ]
    assert names[0].keys() >= set(STREAMS)
    assert names[0] == names[1] == names[2]


def test_definitions_are_asked_for_once_in_a_run(begin: Start) -> None:
    """However many streams need them, and however many there are; the stream of definitions has them from there."""
    app, tap = begin({"custom_fields": 100, "people": 30})
    run = tap.sync()
    assert app.stats.by_path[DEFINITIONS] == 1
    assert run.count("custom_fields") == 100
    assert run.audit()["custom_fields"]["requests"] == 1
    assert_right(Copper(app.account), run)


def test_a_catalog_made_without_the_right_to_the_definitions_serves(begin: Start) -> None:
    """Discovery offers the streams; with the right, the next discovery has the columns."""
    app, tap = begin(forbidden=[DEFINITIONS])
    catalog = only(tap.discover()[0], "people", "tasks")
    assert_right(Copper(app.account), tap.sync(catalog=catalog), "people", "tasks")
    app.behaviour.forbidden = []
    run = tap.sync(catalog=catalog)
    assert_right(Copper(app.account), run, "people", "tasks")
    assert lines(run, "people: the catalog is older", "run discovery again", "--refresh-catalog")
    catalog = only(tap.discover()[0], "people")
    assert columns_of(tap.sync(catalog=catalog), "people")


def test_first_answers_that_are_empty_or_broken_are_not_believed(begin: Start) -> None:
    """An account without custom fields looks just like a short outage."""
    app, tap = begin(faults=[FaultRule(["500", "broken_json", "empty", "429"], at=[1, 2, 3, 4], path=DEFINITIONS)])
    assert_right(Copper(app.account), tap.sync(), "people", "tasks")
    assert app.stats.by_path[DEFINITIONS] == 5


def test_entries_in_another_form_are_kept(begin: Start) -> None:
    """Two of one field, one without an id, one with a key that nobody knows: nothing of them is lost."""
    app, tap = begin()
    number = number_of(app.account, "Homepage")
    entries = [
        {"custom_field_definition_id": number, "value": "https://one.example"},
        {"custom_field_definition_id": number, "value": "https://two.example"},
        {"value": "nobody's"},
    ]
    (person,) = app.account.edit("people", changes={"custom_fields": entries})
    run = tap.sync()
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert record[columns_of(run, "people")[str(number)]] == "https://one.example"
    assert record["_extra"] == {"custom_fields": entries[1:]}


# Speed

#: Runs at most: a busy machine may disturb any of them.
RUNS = 5
SLOWEST = 2.0
MANY = {"people": 2_000, "companies": 5, "leads": 5, "opportunities": 5, "projects": 5, "tasks": 5, "activities": 5}


def cost(tap: Tap, catalog: Record, form: str) -> float:
    """Return the CPU seconds of a run of the real command, its start included: wall time says how busy a machine is."""
    command = tap.command(catalog=catalog, custom_fields=form)
    with Program(command, variables=environment(measured=False)) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime


def test_columns_cost_at_most_twice_of_what_the_values_cost_as_they_come(begin: Start, catalog: Record) -> None:
    """With 300 definitions: CPU seconds of the process, the best of alternating runs."""
    _, tap = begin({**MANY, "custom_fields": 300})
    catalogs = {"columns": only(tap.discover()[0], "people"), "raw": only(catalog, "people")}
    costs: dict[str, list[float]] = {"columns": [], "raw": []}
    for _ in range(RUNS):
        for form, chosen in catalogs.items():
            costs[form].append(cost(tap, chosen, form))
        if min(costs["columns"]) <= SLOWEST * min(costs["raw"]):
            return
    pytest.fail(f"columns cost too much: {costs}")

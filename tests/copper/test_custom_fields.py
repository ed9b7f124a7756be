"""Custom fields of Copper are columns: named, typed, with labels, selectable; or as they come, if that is wanted."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.faults import FaultRule
from sandbox.server import running
from tests.custom_truth import COPPER_KINDS, Copper, assert_right, columns_of, declared, differences, in_columns, lines
from tests.singer import Tap, environment, selecting

if TYPE_CHECKING:
    from sandbox.copper import CopperWorld
    from tests.copper.conftest import Start
    from tests.singer import Record, Run

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
LONGEST = 63


@pytest.fixture
def begin(start: Start) -> Start:
    """Return a function that starts a small sandbox, and a tap with the default form of custom fields."""
    return in_columns(start, SHAPE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Copper, Run]:
    """Return a small account, and a run of all its streams, for those that only look at it."""
    app = copper_app(Shape(**SHAPE), rate_limit=0)
    with running(app) as url:
        folder = tmp_path_factory.mktemp("whole")
        tap = Tap(folder, provider="copper", api_key=API_KEY, user_email=USER_EMAIL, api_url=url, requests_per_minute=0)
        return Copper(app.world), tap.sync()


def number_of(world: CopperWorld, label: str, kind: str = "") -> int:
    """Return the id of the first definition of that name, and kind."""
    found = world.records(DEFINITIONS)
    return next(int(one["id"]) for one in found if one["name"] == label and kind in ("", one["data_type"]))


def deselecting(catalog: dict[str, Any], stream: str, *fields: str) -> dict[str, Any]:
    """Return the catalog with these fields of a stream deselected."""
    names = [entry["tap_stream_id"] for entry in catalog["streams"]]
    default = [name for name in names if name not in ("related_items", "related_links", "files")]
    return selecting(catalog, *default, without=tuple(f"{stream}.{name}" for name in fields))


# Values and types


def test_every_custom_field_of_every_stream_arrives_in_its_column(whole: tuple[Copper, Run]) -> None:
    """Labels for options, dates for seconds, lists for several; null where a record has no value."""
    crm, run = whole
    assert_right(crm, run)
    for stream in STREAMS:
        assert columns_of(run, stream).keys() == crm.fields(stream).keys()
        assert not any("custom_fields" in record or "_extra" in record for record in run.records(stream))


def test_columns_have_the_type_of_their_kind(whole: tuple[Copper, Run]) -> None:
    """Every kind that Copper has is among them."""
    crm, run = whole
    seen = set()
    for stream in STREAMS:
        columns = columns_of(run, stream)
        for key, field in crm.fields(stream).items():
            assert declared(run, stream, columns[key]) == field.schema, field
            seen.add(field.kind)
    assert seen == {*COPPER_KINDS, "Dropdown", "MultiSelect"}


def test_every_kind_is_seen_with_and_without_a_value(whole: tuple[Copper, Run]) -> None:
    """What the truth compares is worth comparing: no column is empty, or never empty, in all records."""
    crm, run = whole
    for key, column in columns_of(run, "people").items():
        values = [record[column] for record in run.records("people")]
        assert None in values, crm.fields("people")[key]
        assert any(value is not None for value in values), crm.fields("people")[key]


def test_a_kind_that_copper_may_add_is_kept_whole_as_json_text(begin: Start) -> None:
    """The column is a text, whatever its values look like."""
    app, tap = begin()
    number = app.world.add_field("Rating", "Float", available_on=["person"])
    app.world.edit(DEFINITIONS, ids=[number], changes={"data_type": "Stars"})
    entry = {"custom_field_definition_id": number, "value": {"stars": 4.5, "of": [5]}}
    (person,) = app.world.edit("people", changes={"custom_fields": [entry]})
    run = tap.sync()
    column = columns_of(run, "people")[str(number)]
    assert declared(run, "people", column)["type"] == ["string", "null"]
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert json.loads(record[column]) == entry["value"]


def test_pages_that_need_care_have_the_same_columns(begin: Start) -> None:
    """A field that nobody knows takes the page off the fast path."""
    app, tap = begin(extra_fields={stream: {"brand_new": [1.5]} for stream in STREAMS})
    run = tap.sync()
    assert_right(Copper(app.world), run)
    assert all(record["_extra"] == {"brand_new": [1.5]} for record in run.records("people"))


def test_with_both_records_have_columns_and_the_list_as_it_comes(begin: Start) -> None:
    """`custom_fields: both`."""
    app, tap = begin()
    assert_right(Copper(app.world), tap.sync(custom_fields="both"), form="both")


def test_raw_is_just_what_copper_sends(begin: Start) -> None:
    """`custom_fields: raw`: no column, and nobody but the stream of definitions asks for them."""
    app, tap = begin()
    run = tap.sync(custom_fields="raw")
    assert_right(Copper(app.world), run, form="raw")
    assert not any(columns_of(run, stream) for stream in STREAMS)
    assert app.stats.by_path[DEFINITIONS] == 1
    catalog, _ = tap.discover(custom_fields="raw")
    app.stats.reset()
    tap.sync(catalog=selecting(catalog, *STREAMS), custom_fields="raw")
    assert DEFINITIONS not in app.stats.by_path


def test_an_account_without_custom_fields_has_no_columns(begin: Start) -> None:
    """And says nothing of it."""
    app, tap = begin({"custom_fields": 0})
    run = tap.sync()
    assert_right(Copper(app.world), run)
    assert not any(name.startswith("custom_") for name in run.schemas["people"]["schema"]["properties"])
    assert not lines(run, "WARNING", "custom field")


# Names

NAMES = {
    ("Homepage", "URL"): "custom_homepage",
    ("Contract signed?", "Checkbox"): "custom_contract_signed",
    ("  Padded  ", "String"): "custom_padded",
    ("Größe (m²) – Büro №1", "Float"): "custom_grosse_m2_buro_no1",  # noqa: RUF001
    ("date_modified", "Date"): "custom_date_modified",
    ("Id", "String"): "custom_id",
    ("Name", "String"): "custom_name",
    ("顧客ランク", "Dropdown"): "custom_{id}",
    ("🎂", "Date"): "custom_{id}",
    ("Shoe size", "String"): "custom_shoe_size_{id}",
    ("shoe size", "Percentage"): "custom_shoe_size_{id}",
    ("Region", "Dropdown"): "custom_region_{id}",
    ("Region", "String"): "custom_region_{id}",
    ("Region", "Float"): "custom_region_{id}",
    ("Fields", "String"): "custom_fields_{id}",
    ("fields!", "Float"): "custom_fields_{id}",
}


def everywhere(world: CopperWorld) -> None:
    """Let every field be one of people, so that all names meet."""
    for one in world.records(DEFINITIONS):
        world.edit(DEFINITIONS, ids=[one["id"]], changes={"available_on": ["person"]})


def test_names_of_columns_are_slugs_set_apart_by_ids(begin: Start) -> None:
    """What is equal, and what leaves nothing of a name, ends in the id."""
    app, tap = begin()
    everywhere(app.world)
    columns = columns_of(tap.sync(), "people")
    assert len(columns) == 28
    for (label, kind), name in NAMES.items():
        number = str(number_of(app.world, label, kind))
        assert columns[number] == name.format(id=number)


def test_names_fit_a_database_and_are_distinct(begin: Start) -> None:
    """63 characters at most, of letters, digits and underscores; names of 200 characters too, and in any number."""
    app, tap = begin({"custom_fields": 120})
    everywhere(app.world)
    run = tap.sync()
    names = list(columns_of(run, "people").values())
    assert len(set(names)) == len(names) == 120
    assert not {"custom_fields"} & set(names)
    for name in names:
        assert name.startswith("custom_")
        assert len(name) <= LONGEST
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_a_single_field_called_fields_is_not_taken_for_all(begin: Start) -> None:
    """`custom_fields` stays what it is, the list as it comes."""
    app, tap = begin({"custom_fields": 0})
    number = app.world.add_field("Fields", "String", fill=True)
    for form in ("columns", "both"):
        run = tap.sync(custom_fields=form)
        assert columns_of(run, "people") == {str(number): f"custom_fields_{number}"}
        assert_right(Copper(app.world), run, form=form)


def test_names_do_not_depend_on_the_order_of_the_definitions(begin: Start) -> None:
    """Nor on the form."""
    app, tap = begin()
    catalogs = [tap.sync().schemas]
    app.world.lists[DEFINITIONS].reverse()
    catalogs += [tap.sync().schemas, tap.sync(custom_fields="both").schemas]
    names = [
        {
            stream: [name for name in one[stream]["schema"]["properties"] if name != "custom_fields"]
            for stream in STREAMS
        }
        for one in catalogs
    ]
    assert names[0] == names[1] == names[2]


def test_names_can_be_made_of_ids(begin: Start) -> None:
    """`custom_field_names: id`: no renaming changes them."""
    app, tap = begin()
    run = tap.sync(custom_field_names="id")
    assert all(name == f"custom_{number}" for number, name in columns_of(run, "people").items())
    assert_right(Copper(app.world), run)


def test_a_column_says_what_people_call_it_and_what_it_is(whole: tuple[Copper, Run]) -> None:
    """Title, kind, id, and the options with their ids."""
    crm, run = whole
    for key, field in crm.fields("people").items():
        part = run.schemas["people"]["schema"]["properties"][columns_of(run, "people")[key]]
        assert part["title"] == field.label
        said = f"Custom field {key}, kind {field.kind}."
        assert part["description"] == said + (f" Options: {'; '.join(field.options)}." if field.options else "")


# Requests


def test_definitions_are_asked_for_once_in_a_run(begin: Start) -> None:
    """However many streams need them, and however many there are; the stream of definitions has them from there."""
    app, tap = begin({"custom_fields": 300, "people": 30})
    run = tap.sync()
    assert app.stats.by_path[DEFINITIONS] == 1
    assert run.count("custom_fields") == 300
    assert run.audit()["custom_fields"]["requests"] == 1
    assert_right(Copper(app.world), run)


def test_definitions_are_asked_for_once_where_one_stream_needs_them(begin: Start) -> None:
    """And not at all where none does."""
    app, tap = begin()
    catalog, _ = tap.discover()
    assert app.stats.by_path[DEFINITIONS] == 1
    for streams, count in ((("tasks",), 1), (STREAMS, 1), (("custom_fields",), 1), (("users", "activities"), 0)):
        app.stats.reset()
        tap.sync(catalog=selecting(catalog, *streams))
        assert app.stats.by_path.get(DEFINITIONS, 0) == count, streams


# Selection


def test_a_deselected_custom_field_is_nowhere(begin: Start) -> None:
    """Neither in its column nor in `_extra`; the others are as ever."""
    app, tap = begin()
    catalog, _ = tap.discover()
    names = columns_of(tap.sync(), "people")
    gone = [str(number_of(app.world, label)) for label in ("Homepage", "Birthday", "Interests")]
    run = tap.sync(catalog=deselecting(catalog, "people", *(names[key] for key in gone)))
    assert columns_of(run, "people").keys() == names.keys() - set(gone)
    assert differences(Copper(app.world), "people", run, deselected=gone) == {}
    assert not any("_extra" in record for record in run.records("people"))


@pytest.mark.parametrize("knobs", [{}, {"extra_fields": True}], ids=["fast", "with care"])
def test_all_custom_fields_can_be_deselected(begin: Start, knobs: dict[str, Any]) -> None:
    """As Meltano does for `!people.custom_*`: none is emitted, none is kept."""
    app, tap = begin(**knobs)
    catalog, _ = tap.discover()
    entry = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "people")
    names = [name for name in entry["schema"]["properties"] if name.startswith("custom_")]
    run = tap.sync(catalog=deselecting(catalog, "people", *names))
    assert run.count("people") == SHAPE["people"]
    assert columns_of(run, "people") == {}
    assert differences(Copper(app.world), "people", run, deselected=Copper(app.world).fields("people")) == {}
    assert_right(Copper(app.world), run, "companies")


def test_without_extra_what_fits_no_column_is_not_emitted(begin: Start) -> None:
    """`_extra` can be deselected as any other."""
    app, tap = begin(extra_fields=True)
    catalog, _ = tap.discover()
    app.world.add_field("Brand new", "String", fill=True)
    run = tap.sync(catalog=deselecting(catalog, "people", "_extra"))
    assert run.count("people") == SHAPE["people"]
    assert "_extra" not in run.schemas["people"]["schema"]["properties"]
    assert differences(Copper(app.world), "people", run, keeps_extra=False) == {}


# Faults


def test_without_the_right_to_the_definitions_values_are_in_extra(begin: Start) -> None:
    """On a first run: a warning, exit code 0, nothing lost."""
    app, tap = begin(forbidden=[DEFINITIONS])
    run = tap.sync()
    assert_right(Copper(app.world), run)
    assert not any(columns_of(run, stream) for stream in STREAMS)
    assert any("_extra" in record for record in run.records("people"))
    for stream in STREAMS:
        assert len(lines(run, "WARNING", f"{stream}: no columns for custom fields", "not readable")) == 1
        assert run.audit()[stream]["complete"]


def test_a_catalog_made_without_the_right_to_the_definitions_serves(begin: Start) -> None:
    """Discovery offers the streams; with the right, the next discovery has the columns."""
    app, tap = begin(forbidden=[DEFINITIONS])
    catalog, _ = tap.discover()
    assert_right(Copper(app.world), tap.sync(catalog=catalog))
    app.behaviour.forbidden = []
    run = tap.sync(catalog=catalog)
    assert_right(Copper(app.world), run)
    assert lines(run, "people: the catalog is older", "run discovery again", "--refresh-catalog")
    catalog, _ = tap.discover()
    assert columns_of(tap.sync(catalog=catalog), "people")


@pytest.mark.usefixtures("measured_runs")
def test_a_catalog_with_columns_and_no_right_to_the_definitions_fails_by_name(begin: Start) -> None:
    """Nulls would overwrite what was loaded; the streams without custom fields are complete."""
    app, tap = begin()
    catalog, _ = tap.discover()
    app.behaviour.forbidden = [DEFINITIONS]
    run = tap.sync(catalog=catalog, expect=1)
    audit = run.audit()
    assert {name for name, row in audit.items() if not row["complete"]} == {*STREAMS, "custom_fields"}
    assert not any(run.count(stream) for stream in STREAMS)
    for stream in STREAMS:
        assert lines(run, f"stream `{stream}` is not complete", "definitions of custom fields")
    assert "Traceback" not in run.log


def test_definitions_that_do_not_come_fail_the_streams_that_need_them(begin: Start) -> None:
    """By name, exit code 1; the others are complete, and nobody waits for each stream anew."""
    app, tap = begin(faults=[FaultRule(["500"], every=1, path=DEFINITIONS)])
    began = time.monotonic()
    run = tap.sync(expect=1, retry_seconds=2)
    took = time.monotonic() - began
    audit = run.audit()
    assert {name for name, row in audit.items() if not row["complete"]} == {*STREAMS, "custom_fields"}
    assert "7 of 21 streams are not complete" in run.log
    assert "Traceback" not in run.log
    assert took < 8, took
    app.behaviour.faults = []
    assert_right(Copper(app.world), tap.sync(state=run.state))


def test_discovery_without_definitions_is_one_line_and_no_catalog(begin: Start) -> None:
    """A catalog that lacks columns would be wrong, and nobody would notice."""
    _, tap = begin(faults=[FaultRule(["500"], every=1, path=DEFINITIONS)])
    began = time.monotonic()
    _, log = tap.discover(expect=1, retry_seconds=1)
    assert time.monotonic() - began < 5
    assert [line for line in log.splitlines() if "ERROR" in line] == log.splitlines()[-1:]
    assert "definitions of custom fields" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_first_answers_that_are_empty_or_broken_are_not_believed(begin: Start) -> None:
    """An account without custom fields looks just like a short outage."""
    app, tap = begin(faults=[FaultRule(["500", "broken_json", "empty", "429"], at=[1, 2, 3, 4], path=DEFINITIONS)])
    assert_right(Copper(app.world), tap.sync(), "people", "tasks")
    assert app.stats.by_path[DEFINITIONS] == 5


WRONG: dict[tuple[str, str], Any] = {
    ("Shoe size", "String"): {"eu": 42},
    ("Background", "Text"): ["a", "b"],
    ("Homepage", "URL"): True,
    ("Region", "Dropdown"): [700_120],
    ("Interests", "MultiSelect"): [{"id": 700_160}],
    ("Birthday", "Date"): "some day",
    ("Newsletter", "Checkbox"): "perhaps",
    ("Score", "Float"): "much",
    ("Budget", "Currency"): {"amount": 5, "currency": "USD"},
    ("Discount", "Percentage"): False,
}


@pytest.mark.parametrize("knobs", [{}, {"extra_fields": True}], ids=["fast", "with care"])
def test_a_value_of_another_type_is_null_and_whole_in_extra(begin: Start, knobs: dict[str, Any]) -> None:
    """Of every kind that has a type; each is counted, and warned of by its column."""
    app, tap = begin(**knobs)
    numbers = {number_of(app.world, *which): value for which, value in WRONG.items()}
    wrong: dict[int, tuple[int, Any]] = {}
    for number, value in numbers.items():
        person = next(one["id"] for one in app.world.records("people") if one["id"] not in wrong)
        entry = {"custom_field_definition_id": number, "value": value}
        app.world.edit("people", ids=[person], changes={"custom_fields": [entry]})
        wrong[person] = (number, value)
    run = tap.sync()
    columns = columns_of(run, "people")
    records = {record["id"]: record for record in run.records("people")}
    for person, (number, value) in wrong.items():
        column = columns[str(number)]
        assert records[person][column] is None
        assert records[person]["_extra"].get(column) == value, column
        assert len(lines(run, "WARNING", f"people: 1 values of `{column}` did not fit")) == 1
    assert run.audit()["people"]["misfits"] == len(WRONG)
    assert_right(Copper(app.world), run, *(stream for stream in STREAMS if stream != "people"))


def test_values_that_only_look_different_fit(begin: Start) -> None:
    """Texts for numbers, numbers for texts, ids and labels of options as texts."""
    app, tap = begin()
    given: dict[tuple[str, str], tuple[Any, Any]] = {
        ("Score", "Float"): ("12.50", 12.5),
        ("Shoe size", "String"): (42, "42"),
        ("Region", "Dropdown"): ("700122", "Bayern"),
        ("Interests", "MultiSelect"): (["Zug", "700160"], ["Zug", "California"]),
        ("Newsletter", "Checkbox"): ("true", True),
        ("Birthday", "Date"): (-86_400, "1969-12-31"),
    }
    entries = [
        {"custom_field_definition_id": number_of(app.world, *which), "value": value}
        for which, (value, _) in given.items()
    ]
    (person,) = app.world.edit("people", changes={"custom_fields": entries})
    run = tap.sync()
    columns = columns_of(run, "people")
    (record,) = [record for record in run.records("people") if record["id"] == person]
    for which, (_, value) in given.items():
        assert record[columns[str(number_of(app.world, *which))]] == value, which
    assert "_extra" not in record


def test_entries_in_another_form_are_kept(begin: Start) -> None:
    """Two of one field, one without an id, one with a key that nobody knows: nothing of them is lost."""
    app, tap = begin()
    number = number_of(app.world, "Homepage")
    entries = [
        {"custom_field_definition_id": number, "value": "https://one.example"},
        {"custom_field_definition_id": number, "value": "https://two.example"},
        {"value": "nobody's"},
    ]
    (person,) = app.world.edit("people", changes={"custom_fields": entries})
    run = tap.sync()
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert record[columns_of(run, "people")[str(number)]] == "https://one.example"
    assert record["_extra"] == {"custom_fields": entries[1:]}


# Speed

RUNS = 2
SLOWEST = 2.0
MANY = {"people": 2_000, "companies": 5, "leads": 5, "opportunities": 5, "projects": 5, "tasks": 5, "activities": 5}


def cost(tap: Tap, catalog: Record, form: str) -> tuple[float, float]:
    """Return the wall-clock and CPU seconds of a run of the real command, its start included."""
    command = tap.command(catalog=catalog, custom_fields=form)
    with Path(os.devnull).open("wb") as nowhere:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env=environment(measured=False))
        _, status, used = os.wait4(process.pid, 0)
        took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return took, used.ru_utime + used.ru_stime


def test_columns_cost_at_most_twice_of_what_the_values_cost_as_they_come(begin: Start) -> None:
    """With 300 definitions: wall-clock and CPU seconds of the process, the best of alternating runs."""
    _, tap = begin({**MANY, "custom_fields": 300})
    catalogs = {form: tap.discover(custom_fields=form)[0] for form in ("columns", "raw")}
    costs: dict[str, list[tuple[float, float]]] = {"columns": [], "raw": []}
    for _ in range(RUNS):
        for form, catalog in catalogs.items():
            costs[form].append(cost(tap, selecting(catalog, "people"), form))
    for kind, place in (("wall", 0), ("CPU", 1)):
        columns, raw = (min(one[place] for one in costs[form]) for form in costs)
        assert columns <= SLOWEST * raw, (kind, columns, raw, costs)

"""Custom fields of Copper that change between two runs, with a catalog made anew and with an old one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from tests.copper.conftest import config_of
from tests.custom_truth import (
    Copper,
    assert_all_kept,
    assert_present,
    assert_right,
    assert_valid,
    columns_of,
    declared,
    differences,
    expected,
    in_columns,
    lines,
)
from tests.singer import Tap, selecting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.copper import CopperSandbox, CopperWorld
    from tests.copper.conftest import Start
    from tests.singer import Run

DEFINITIONS = "custom_field_definitions"
#: The same account each time.
SHAPE: dict[str, Any] = {
    "now": int(time.time()),
    "people": 40,
    "companies": 15,
    "leads": 10,
    "opportunities": 10,
    "projects": 5,
    "tasks": 5,
    "activities": 5,
    "odd_close_dates": 0,
}
STREAMS = ("people", "companies")
WHAT_TO_DO = ("run discovery again", "--refresh-catalog")
STALE = "the catalog is older than the custom fields"


@pytest.fixture
def begin(start: Start) -> Start:
    """Return a function that starts a small sandbox, and a tap with the default form of custom fields."""
    return in_columns(start, SHAPE)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what discovery finds before anything is changed."""
    with _served(tmp_path_factory) as tap:
        return catalog_of(tap)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, catalog: dict[str, Any]) -> Run:
    """Return what a run with that catalog writes before anything is changed."""
    with _served(tmp_path_factory) as tap:
        return tap.sync(catalog=catalog)


@contextmanager
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tap]:
    with running(copper_app(Shape(**SHAPE), rate_limit=0)) as url:
        config = config_of(url)
        del config["custom_fields"]
        yield Tap(tmp_path_factory.mktemp("first"), **config)


def catalog_of(tap: Tap) -> dict[str, Any]:
    """Return what discovery finds, people and companies selected."""
    return selecting(tap.discover()[0], *STREAMS, "sync_audit")


def number_of(world: CopperWorld, label: str, kind: str = "") -> int:
    """Return the id of the first definition of that name, and kind."""
    found = world.records(DEFINITIONS)
    return next(int(one["id"]) for one in found if one["name"] == label and kind in ("", one["data_type"]))


def option_of(world: CopperWorld, number: int, name: str) -> int:
    """Return the id of an option."""
    (found,) = [one for one in world.records(DEFINITIONS) if one["id"] == number]
    return next(int(option["id"]) for option in found["options"] if option["name"] == name)


def touch(app: CopperSandbox) -> None:
    """Edit every record that is looked at: changes of definitions move no date."""
    for stream in STREAMS:
        app.world.edit(stream, count=SHAPE[stream])


def give(world: CopperWorld, number: int, value: Any, stream: str = "people") -> int:  # noqa: ANN401 - any JSON
    """Give a record a value of a field; return the record's id."""
    record = world.records(stream)[0]
    others = [entry for entry in record["custom_fields"] if entry["custom_field_definition_id"] != number]
    entries = [*others, {"custom_field_definition_id": number, "value": value}]
    (chosen,) = world.edit(stream, ids=[record["id"]], changes={"custom_fields": entries})
    return chosen


Order = tuple[str, dict[str, Any]]
#: Orders about the field that is named first; `id` is put in, and `option` for the name of one.
CHANGES: dict[str, tuple[tuple[str, str], list[Order]]] = {
    "added, filled": (
        ("Homepage", "URL"),
        [("add_field", {"name": "Colour", "data_type": "Dropdown", "options": ["red", "green"], "fill": True})],
    ),
    "added, in what is edited": (
        ("Homepage", "URL"),
        [("add_field", {"name": "Colours", "data_type": "MultiSelect", "options": ["red", "green"]})],
    ),
    "added, named like another": (
        ("Homepage", "URL"),
        [("add_field", {"name": "homepage", "data_type": "Float", "fill": True})],
    ),
    "removed": (("Homepage", "URL"), [("remove_field", {})]),
    "renamed": (("Homepage", "URL"), [("rename_field", {"name": "Website"})]),
    "renamed to the name of another": (("Homepage", "URL"), [("rename_field", {"name": "Score"})]),
}
#: All at once: each is about another field.
RETYPES: dict[tuple[str, str], dict[str, Any]] = {
    ("Score", "Float"): {"data_type": "String"},
    ("Background", "Text"): {"data_type": "Float"},
    ("Birthday", "Date"): {"data_type": "Text"},
    ("Shoe size", "String"): {"data_type": "Date"},
    ("Region", "Dropdown"): {"data_type": "MultiSelect"},
    ("Tags", "MultiSelect"): {"data_type": "Dropdown"},
    ("Interests", "MultiSelect"): {"data_type": "Text"},
    ("Newsletter", "Checkbox"): {"data_type": "Dropdown", "options": ["true", "false", "maybe"]},
    ("Discount", "Percentage"): {"data_type": "Checkbox"},
}
#: The column has the right type as it is.
ALIKE = ("Budget", "Currency"), {"data_type": "Percentage"}
OPTIONS = ("option added", "option renamed", "option removed")


def change(app: CopperSandbox, name: str) -> None:
    """Carry out a change and edit all records."""
    which, orders = CHANGES[name]
    number = number_of(app.world, *which)
    for verb, order in orders:
        app.world.change(verb, {**order} if verb == "add_field" else {"id": number, **order})
    touch(app)


def retype(app: CopperSandbox) -> list[str]:
    """Give fields another kind and edit all records; return the fields' ids, less that whose column stays right."""
    numbers = {which: number_of(app.world, *which) for which in (*RETYPES, ALIKE[0])}
    for which, order in (*RETYPES.items(), ALIKE):
        app.world.change("retype_field", {"id": numbers[which], **order})
    touch(app)
    return [str(number) for which, number in numbers.items() if which in RETYPES]


def change_option(app: CopperSandbox, name: str) -> int:
    """Add, rename or remove an option; return the id of the field, of which the first of people has a value."""
    number = number_of(app.world, "Region", "Dropdown")
    option = option_of(app.world, number, "Bayern")
    if name == "option added":
        option = app.world.add_option(number, "Waadt")
    elif name == "option renamed":
        app.world.rename_option(number, option, "Bavaria")
    else:
        app.world.remove_option(number, option)
    touch(app)
    give(app.world, number, option)
    return number


def only(stream: str, crm: Copper, run: Run) -> dict[str, Any]:
    """Return how what one run wrote of a stream differs from the truth; it wrote every record."""
    assert run.count(stream) >= SHAPE[stream]
    return differences(crm, stream, run)


# With a catalog made anew


@pytest.mark.parametrize("name", CHANGES)
def test_with_a_fresh_catalog_columns_follow(begin: Start, first: Run, name: str) -> None:
    """Names, types and values are those of the present definitions; nothing is in `_extra`."""
    app, tap = begin()
    change(app, name)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    crm = Copper(app.world)
    for stream in STREAMS:
        assert only(stream, crm, second) == {}
        assert_present(crm, second, stream)
    assert not lines(second, STALE)


def test_with_a_fresh_catalog_types_follow(begin: Start, first: Run) -> None:
    """Each kind to another one."""
    app, tap = begin()
    retype(app)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    for stream in STREAMS:
        assert only(stream, Copper(app.world), second) == {}
        assert_valid(second, stream)
        assert columns_of(second, stream) == columns_of(first, stream)
        for key, column in columns_of(second, stream).items():
            assert declared(second, stream, column) == Copper(app.world).fields(stream)[key].schema
    assert not lines(second, "WARNING")


@pytest.mark.parametrize("name", ["added, filled", "renamed"])
def test_without_a_catalog_columns_follow(begin: Start, name: str) -> None:
    """As with one that is made before each run."""
    app, tap = begin()
    first = tap.sync()
    change(app, name)
    second = tap.sync(state=first.state)
    for stream in STREAMS:
        assert only(stream, Copper(app.world), second) == {}
        assert columns_of(second, stream).keys() == Copper(app.world).fields(stream).keys()
    assert not lines(second, STALE)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "stale"])
def test_options_have_their_present_labels(
    begin: Start, first: Run, catalog: dict[str, Any], name: str, *, fresh: bool
) -> None:
    """Whatever the catalog's age: it names options, and no value depends on that."""
    app, tap = begin()
    number = change_option(app, name)
    second = tap.sync(catalog=catalog_of(tap) if fresh else catalog, state=first.state)
    column = columns_of(second, "people")[str(number)]
    for stream in STREAMS:
        assert only(stream, Copper(app.world), second) == {}
        assert_valid(second, stream)
    held = {record[column] for record in second.records("people")}
    if name != "option removed":
        assert {"option added": "Waadt", "option renamed": "Bavaria"}[name] in held
        assert not lines(second, "WARNING", column)


@pytest.mark.parametrize(("label", "kind"), [("Region", "Dropdown"), ("Interests", "MultiSelect")])
def test_ids_of_an_option_that_is_gone_are_kept_as_text_and_warned_of(begin: Start, label: str, kind: str) -> None:
    """Never null, and no record is lost; the audit has a note."""
    app, tap = begin()
    number = number_of(app.world, label, kind)
    option = option_of(app.world, number, "Zug")
    app.world.remove_option(number, option)
    person = give(app.world, number, [option] if kind == "MultiSelect" else option)
    run = tap.sync()
    column = columns_of(run, "people")[str(number)]
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert record[column] == ([str(option)] if kind == "MultiSelect" else str(option))
    assert "_extra" not in record
    assert_right(Copper(app.world), run, *STREAMS)
    assert len(lines(run, "WARNING", "people", f"`{column}`", "no option")) == 1
    assert any(column in note for note in run.audit()["people"]["notes"])
    assert run.audit()["people"]["misfits"] == 0


# With the catalog of the first run


@pytest.mark.parametrize("name", CHANGES)
def test_with_a_stale_catalog_nothing_is_lost(begin: Start, first: Run, catalog: dict[str, Any], name: str) -> None:
    """Values are in the column of their field's id, or in `_extra`; the log says what to do; exit code 0."""
    app, tap = begin()
    change(app, name)
    second = tap.sync(catalog=catalog, state=first.state)
    crm = Copper(app.world)
    for stream in STREAMS:
        assert second.schemas[stream] == first.schemas[stream]
        assert_valid(second, stream)
        assert len(lines(second, "WARNING", f"{stream}: {STALE}", *WHAT_TO_DO)) == 1
        assert only(stream, crm, second) == {}


def test_with_a_stale_catalog_values_of_another_type_are_kept(
    begin: Start, first: Run, catalog: dict[str, Any]
) -> None:
    """In the column of their field as far as they fit its type, whole in `_extra` where they do not."""
    app, tap = begin()
    retyped = retype(app)
    second = tap.sync(catalog=catalog, state=first.state)
    crm = Copper(app.world)
    for stream in STREAMS:
        assert second.schemas[stream] == first.schemas[stream]
        assert_valid(second, stream)
        values = {record["id"]: crm.values(record["custom_fields"]) for record in app.world.records(stream)}
        assert_all_kept(crm, second, stream, retyped, values)
        told = f"{stream}: {STALE}: {len(retyped)} of another type ("
        assert len(lines(second, "WARNING", told, *WHAT_TO_DO)) == 1


@pytest.mark.parametrize(
    ("which", "kind", "value"),
    [
        (("Birthday", "Date"), "Float", 86_400.5),
        (("Birthday", "Date"), "Text", "2026-03-01T10:30:00Z"),
        (("Newsletter", "Checkbox"), "Percentage", 1),
        (("Newsletter", "Checkbox"), "Text", "0"),
    ],
)
def test_an_old_column_takes_nothing_for_what_it_is_not(
    begin: Start,
    catalog: dict[str, Any],
    which: tuple[str, str],
    kind: str,
    value: Any,  # noqa: ANN401 - any JSON
) -> None:
    """A number is no date, 1 is not yes, and no time is cut off: such values are whole in `_extra`."""
    app, tap = begin()
    number = number_of(app.world, *which)
    app.world.retype_field(number, kind)
    person = give(app.world, number, value)
    run = tap.sync(catalog=catalog)
    column = columns_of(run, "people")[str(number)]
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert record[column] is None
    assert record["_extra"] == {column: value}
    assert lines(run, "WARNING", "people", f"`{column}` did not fit")


def test_a_field_that_is_gone_leaves_its_column_empty(begin: Start, catalog: dict[str, Any]) -> None:
    """With the old catalog: null in every record, which is what the source has."""
    app, tap = begin()
    tap.sync(catalog=catalog)
    app.world.remove_field(number_of(app.world, "Homepage"))
    run = tap.sync(catalog=catalog)
    assert all(record["custom_homepage"] is None for record in run.records("people"))
    assert lines(run, "people: ", "1 gone (custom_homepage)")


# Names that move


def test_a_renaming_is_told_once_with_both_names(begin: Start, first: Run) -> None:
    """By the first run that writes the new column, for all its streams in one line; not again by the next."""
    app, tap = begin()
    app.world.rename_field(number_of(app.world, "Homepage"), "Website")
    touch(app)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert len(lines(second, "WARNING", "people, companies", "`custom_homepage`", "`custom_website`")) == 1
    assert len(lines(second, "custom_homepage")) == 1
    touch(app)
    third = tap.sync(catalog=catalog_of(tap), state=second.state)
    assert not lines(third, "custom_homepage")
    assert not lines(third, "WARNING")


def test_a_renaming_that_an_old_catalog_hid_is_told_when_the_catalog_is_new(
    begin: Start, first: Run, catalog: dict[str, Any]
) -> None:
    """While it is old, the column keeps its name, and its values."""
    app, tap = begin()
    app.world.rename_field(number_of(app.world, "Homepage"), "Website")
    touch(app)
    second = tap.sync(catalog=catalog, state=first.state)
    assert not lines(second, "was renamed")
    assert any(record["custom_homepage"] for record in second.records("people"))
    assert lines(second, STALE, "custom_homepage, now `Website`")
    touch(app)
    third = tap.sync(catalog=catalog_of(tap), state=second.state)
    assert len(lines(third, "was renamed", "`custom_homepage`", "`custom_website`")) == 1


def test_a_renaming_of_another_field_does_not_touch_names_made_of_ids(begin: Start) -> None:
    """`custom_field_names: id`: no warning, the same columns."""
    app, tap = begin()
    tap.config["custom_field_names"] = "id"
    catalog = catalog_of(tap)
    first = tap.sync(catalog=catalog)
    app.world.rename_field(number_of(app.world, "Homepage"), "Website")
    touch(app)
    second = tap.sync(catalog=catalog, state=first.state)
    assert columns_of(second, "people") == columns_of(first, "people")
    assert only("people", Copper(app.world), second) == {}
    assert not lines(second, "WARNING")


TAKERS = {
    "renamed": ("rename_field", {"name": "Website"}),
    "removed": ("remove_field", {}),
}


@pytest.mark.parametrize("how", TAKERS)
def test_with_a_stale_catalog_a_taken_name_stays_with_its_field(
    begin: Start, first: Run, catalog: dict[str, Any], how: str
) -> None:
    """A new field called as another was: the old column never holds its values; they are in `_extra`."""
    app, tap = begin()
    old, new = take_the_name(app, how)
    second = tap.sync(catalog=catalog, state=first.state)
    assert columns_of(second, "people")[str(old)] == "custom_homepage"
    for stream in STREAMS:
        assert only(stream, Copper(app.world), second) == {}
    for record in second.records("people"):
        (entry,) = record["_extra"]["custom_fields"]
        assert entry["custom_field_definition_id"] == new
        if how == "removed":
            assert record["custom_homepage"] is None


@pytest.mark.parametrize("how", TAKERS)
def test_with_a_fresh_catalog_a_taken_name_is_that_of_the_new_field(begin: Start, first: Run, how: str) -> None:
    """Its column holds the new field's values only, and the log says that it held another's."""
    app, tap = begin()
    old, new = take_the_name(app, how)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert columns_of(second, "people")[str(new)] == "custom_homepage"
    assert columns_of(second, "people").get(str(old)) == (None if how == "removed" else "custom_website")
    for stream in STREAMS:
        assert only(stream, Copper(app.world), second) == {}
    assert len(lines(second, "WARNING", "`custom_homepage`", str(old), str(new))) == 1
    third = tap.sync(catalog=catalog_of(tap), state=second.state)
    assert not lines(third, "WARNING")


def take_the_name(app: CopperSandbox, how: str) -> tuple[int, int]:
    """Rename or remove a field, and call a new one as it was called; return the ids of both."""
    old = number_of(app.world, "Homepage")
    verb, order = TAKERS[how]
    app.world.change(verb, {"id": old, **order})
    new = app.world.add_field("Homepage", "URL", fill=True)
    touch(app)
    for stream in STREAMS:
        for record in app.world.records(stream):
            entries = [
                {**entry, "value": "https://new.example"} if entry["custom_field_definition_id"] == new else entry
                for entry in record["custom_fields"]
            ]
            app.world.edit(stream, ids=[record["id"]], changes={"custom_fields": entries})
    return old, new


def test_names_that_two_fields_swap_are_told(begin: Start, first: Run) -> None:
    """Each column has the values of the field that is called so now."""
    app, tap = begin()
    homepage, background = number_of(app.world, "Homepage"), number_of(app.world, "Background")
    app.world.rename_field(homepage, "Background")
    app.world.rename_field(background, "Homepage")
    touch(app)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert columns_of(second, "people")[str(homepage)] == "custom_background"
    assert only("people", Copper(app.world), second) == {}
    assert lines(second, "WARNING", f"custom field {homepage}", "`custom_background`")
    assert lines(second, "WARNING", f"custom field {background}", "`custom_homepage`")


def test_an_old_catalog_without_descriptions_still_has_its_columns(
    begin: Start, first: Run, catalog: dict[str, Any]
) -> None:
    """Some keep only names and types of a catalog: the column of that name is the field's."""
    app, tap = begin()
    names = columns_of(first, "people")
    terse = selecting(catalog, *STREAMS, "sync_audit")
    for entry in terse["streams"]:
        for part in entry["schema"]["properties"].values():
            part.pop("description", None)
    run = tap.sync(catalog=terse)
    truth = expected(Copper(app.world), "people", names)
    assert {(record["id"],): record for record in run.records("people")} == truth

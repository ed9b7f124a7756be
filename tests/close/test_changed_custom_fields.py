"""Custom fields of Close that change between two runs, with a catalog made anew and with an old one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sandbox.close import API_KEY, Shape, close_app
from sandbox.server import running
from tests.custom_truth import (
    Close,
    assert_all_kept,
    assert_present,
    assert_valid,
    columns_of,
    declared,
    differences,
    in_columns,
    lines,
)
from tests.singer import Tap, only

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox, CloseWorld
    from tests.close.conftest import Start
    from tests.singer import Run

SHAPE: dict[str, Any] = {
    "now": int(time.time()),  # the same account for each test
    "leads": 40,
    "contacts": 5,
    "opportunities": 5,
    "tasks": 2,
    "activities": {"custom_activities": 30},
    "events": 3,
    "sequence_subscriptions": 2,
    "custom_objects": 2,
    "comments": 2,
    "small_lists": 2,
}
STREAMS = ("leads", "custom_activities")
EVERYWHERE = [{"object_type": "lead"}]
WHAT_TO_DO = ("run discovery again", "--refresh-catalog")
STALE = "the catalog is older than the custom fields"


@pytest.fixture
def begin(start: Start) -> Start:
    """Return a function that starts a small sandbox, and a tap with the default form of custom fields."""
    return in_columns(start, SHAPE)


class Loaded(NamedTuple):
    """What was before anything changed: what discovery found, and what the first run wrote."""

    catalog: dict[str, Any]
    first: Run


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Return what the first run of the usual account is, once: the same shape makes the same account."""
    with running(close_app(Shape(**SHAPE), rate_limit=0)) as url:
        folder = tmp_path_factory.mktemp("loaded")
        tap = Tap(folder, provider="close", api_key=API_KEY, api_url=url, requests_per_minute=0)
        catalog = catalog_of(tap)
        return Loaded(catalog, tap.sync(catalog=catalog))


def catalog_of(tap: Tap) -> dict[str, Any]:
    """Return what discovery finds, leads and custom activities only."""
    return only(tap.discover()[0], *STREAMS, "sync_audit")


def number_of(world: CloseWorld, label: str, sort: str = "", object_type: str = "lead") -> str:
    """Return the id of the first definition of that name, and type."""
    for one in world.records("custom_fields"):
        if (one["object_type"], one["name"]) == (object_type, label) and sort in ("", one["type"]):
            return str(one["id"])
    raise KeyError(label)


def touch(app: CloseSandbox) -> None:
    """Edit every record that is looked at: changes of definitions move no date."""
    for stream in STREAMS:
        app.world.edit(stream, ids=[str(number) for number in app.world.ids(stream)])


def give(app: CloseSandbox, number: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    """Give a lead a value of a field; return the lead's id."""
    (lead,) = app.world.edit("leads", ids=[str(app.world.ids("leads")[0])], changes={f"custom.{number}": value})
    return lead


Order = tuple[str, dict[str, Any]]
COLOUR = {"name": "Colour", "type": "choices", "choices": ["red", "green"], "fill": True}
#: Orders about the field of leads that is named first; `id` is put in.
CHANGES: dict[str, tuple[tuple[str, str], list[Order]]] = {
    "added, filled": (("Notes", "textarea"), [("add_field", {**COLOUR, "object_type": "lead"})]),
    "added, shared": (
        ("Notes", "textarea"),
        [("add_field", {**COLOUR, "object_type": "shared", "associations": EVERYWHERE})],
    ),
    "added, named like another": (
        ("Notes", "textarea"),
        [("add_field", {"object_type": "lead", "name": "notes", "type": "number", "fill": True})],
    ),
    "removed": (("Notes", "textarea"), [("remove_field", {})]),
    "renamed": (("Notes", "textarea"), [("rename_field", {"name": "Remarks"})]),
    "renamed to the name of another": (("Notes", "textarea"), [("rename_field", {"name": "Machine"})]),
}
#: All at once: each is about another field.
RETYPES: dict[tuple[str, str], dict[str, Any]] = {
    ("Größe (m²)", "number"): {"type": "text"},
    ("Notes", "textarea"): {"type": "number"},
    ("Name", "text"): {"type": "datetime"},
    ("Birthday 🎂", "date"): {"type": "datetime"},
    ("Next call", "datetime"): {"type": "date"},
    ("Region", "choices"): {"type": "choices", "accepts_multiple_values": True},
    ("顧客ランク", "choices"): {"type": "choices"},
    ("Référents", "contact"): {"type": "number"},
    ("date_updated", "text"): {"type": "url", "accepts_multiple_values": True},
}
#: The column has the right type as it is.
ALIKE = ("Owner", "user"), {"type": "contact"}


def change(app: CloseSandbox, name: str) -> None:
    """Carry out a change and edit all records."""
    which, orders = CHANGES[name]
    number = number_of(app.world, *which)
    for verb, order in orders:
        app.world.change(verb, dict(order) if verb == "add_field" else {"id": number, **order})
    touch(app)


def retype(app: CloseSandbox) -> list[str]:
    """Give fields another type and edit all records; return the fields' ids, less that whose column stays right."""
    numbers = {which: number_of(app.world, *which) for which in (*RETYPES, ALIKE[0])}
    for which, order in (*RETYPES.items(), ALIKE):
        app.world.change("retype_field", {"id": numbers[which], **order})
    touch(app)
    return [number for which, number in numbers.items() if which in RETYPES]


def changed(stream: str, crm: Close, run: Run) -> dict[str, Any]:
    """Return how what one run wrote of a stream differs from the truth; it wrote every record."""
    assert len(run.keys(stream)) == len(crm.world.ids(stream)) > 0
    return differences(crm, stream, run)


# With a catalog made anew


@pytest.mark.parametrize("name", CHANGES)
def test_with_a_fresh_catalog_columns_follow(begin: Start, loaded: Loaded, name: str) -> None:
    """Names, types and values are those of the present definitions; nothing is in `_extra`."""
    app, tap = begin()
    first = loaded.first
    change(app, name)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    crm = Close(app.world)
    for stream in STREAMS:
        assert changed(stream, crm, second) == {}
        assert_present(crm, second, stream)
    assert not lines(second, STALE)


def test_with_a_fresh_catalog_types_follow(begin: Start, loaded: Loaded) -> None:
    """Each type to another one."""
    app, tap = begin()
    first = loaded.first
    retype(app)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert changed("leads", Close(app.world), second) == {}
    assert_valid(second, "leads")
    assert columns_of(second, "leads") == columns_of(first, "leads")
    for key, column in columns_of(second, "leads").items():
        assert declared(second, "leads", column) == Close(app.world).fields("leads")[key].schema
    assert not lines(second, "WARNING")


@pytest.mark.parametrize("name", ["added, shared"])
def test_without_a_catalog_columns_follow(begin: Start, name: str) -> None:
    """As with one that is made before each run."""
    app, tap = begin()
    first = tap.sync()
    change(app, name)
    second = tap.sync(state=first.state)
    for stream in STREAMS:
        assert changed(stream, Close(app.world), second) == {}
        assert columns_of(second, stream).keys() == Close(app.world).fields(stream).keys()
    assert not lines(second, STALE)


CHOICES: dict[str, tuple[Order, str]] = {
    "added": (("add_choice", {"choice": "Ost"}), "Ost"),
    "renamed": (("rename_choice", {"choice": "Nord", "new": "North"}), "North"),
    "removed, kept by records": (("remove_choice", {"choice": "Nord"}), "Nord"),
    "removed from records": (("remove_choice", {"choice": "Nord", "clear": True}), "Süd"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_arrive_as_records_have_them(begin: Start, loaded: Loaded, name: str) -> None:
    """Whatever the catalog's age: it names choices, and no value depends on that; nothing is warned of."""
    app, tap = begin()
    one, several = number_of(app.world, "Region", "choices"), number_of(app.world, "顧客ランク")
    (verb, order), choice = CHOICES[name]
    for number in (one, several):
        app.world.change(verb, {"id": number, **order})
    touch(app)
    give(app, one, choice)
    give(app, several, [choice])
    for catalog in (catalog_of(tap), loaded.catalog):
        second = tap.sync(catalog=catalog, state=loaded.first.state)
        for stream in STREAMS:
            assert changed(stream, Close(app.world), second) == {}
            assert_valid(second, stream)
        columns = columns_of(second, "leads")
        assert choice in {record[columns[one]] for record in second.records("leads")}
        assert [choice] in [record[columns[several]] for record in second.records("leads")]
        assert not lines(second, "WARNING")


# With the catalog of the first run


@pytest.mark.parametrize("name", CHANGES)
def test_with_a_stale_catalog_nothing_is_lost(begin: Start, loaded: Loaded, name: str) -> None:
    """Values are in the column of their field's id, or in `_extra`; the log says what to do; exit code 0."""
    app, tap = begin()
    catalog, first = loaded
    change(app, name)
    second = tap.sync(catalog=catalog, state=first.state)
    assert len(lines(second, "WARNING", f"leads: {STALE}", *WHAT_TO_DO)) == 1
    assert not lines(second, f"custom_activities: {STALE}")
    for stream in STREAMS:
        assert second.schemas[stream] == first.schemas[stream]
        assert_valid(second, stream)
        assert changed(stream, Close(app.world), second) == {}


def test_with_a_stale_catalog_values_of_another_type_are_kept(begin: Start, loaded: Loaded) -> None:
    """In the column of their field as far as they fit its type, whole in `_extra` where they do not."""
    app, tap = begin()
    catalog, first = loaded
    retyped = retype(app)
    second = tap.sync(catalog=catalog, state=first.state)
    assert second.schemas["leads"] == first.schemas["leads"]
    assert_valid(second, "leads")
    values = {
        record["id"]: {
            name.removeprefix("custom."): value for name, value in record.items() if name.startswith("custom.")
        }
        for record in app.world.records("leads")
    }
    assert_all_kept(Close(app.world), second, "leads", retyped, values)
    told = f"leads: {STALE}: {len(retyped)} of another type ("
    assert len(lines(second, "WARNING", told, *WHAT_TO_DO)) == 1


# Names that move


def test_a_renaming_is_told_once_with_both_names(begin: Start, loaded: Loaded) -> None:
    """By the first run that writes the new column; not again by the next."""
    app, tap = begin()
    first = loaded.first
    app.world.rename_field(id=number_of(app.world, "Notes"), name="Remarks")
    touch(app)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert len(lines(second, "WARNING", "of leads was renamed", "`custom_notes`", "`custom_remarks`")) == 1
    assert len(lines(second, "WARNING")) == 1
    touch(app)
    third = tap.sync(catalog=catalog_of(tap), state=second.state)
    assert not lines(third, "WARNING")


def test_a_renamed_shared_field_is_told_in_one_line_for_all_its_streams(begin: Start, loaded: Loaded) -> None:
    """Each of them has the new column."""
    app, tap = begin()
    number = number_of(app.world, "Größe (m²) (shared)", object_type="shared")
    first = loaded.first
    app.world.rename_field(id=number, name="Surface")
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    streams = [stream for stream in STREAMS if number in columns_of(second, stream)]
    assert len(streams) == 2
    assert len(lines(second, "WARNING", ", ".join(streams), "`custom_surface`")) == 1
    assert len(lines(second, "WARNING")) == 1


def test_a_renaming_that_an_old_catalog_hid_is_told_when_the_catalog_is_new(begin: Start, loaded: Loaded) -> None:
    """While it is old, the column keeps its name, and its values."""
    app, tap = begin()
    catalog, first = loaded
    app.world.rename_field(id=number_of(app.world, "Notes"), name="Remarks")
    touch(app)
    second = tap.sync(catalog=catalog, state=first.state)
    assert not lines(second, "was renamed")
    assert any(record["custom_notes"] for record in second.records("leads"))
    assert lines(second, STALE, "custom_notes, now `Remarks`")
    third = tap.sync(catalog=catalog_of(tap), state=second.state)
    assert len(lines(third, "was renamed", "`custom_notes`", "`custom_remarks`")) == 1


TAKERS = {"renamed": ("rename_field", {"name": "Remarks"}), "removed": ("remove_field", {})}


def take_the_name(app: CloseSandbox, how: str) -> tuple[str, str]:
    """Rename or remove a field, and call a new one as it was called; return the ids of both."""
    old = number_of(app.world, "Notes")
    verb, order = TAKERS[how]
    app.world.change(verb, {"id": old, **order})
    (new,) = app.world.change("add_field", {"object_type": "lead", "name": "Notes", "type": "url", "fill": True})
    for lead in app.world.ids("leads"):
        app.world.edit("leads", ids=[str(lead)], changes={f"custom.{new}": "https://new.example"})
    touch(app)
    return old, new


@pytest.mark.parametrize("how", TAKERS)
def test_with_a_stale_catalog_a_taken_name_stays_with_its_field(begin: Start, loaded: Loaded, how: str) -> None:
    """A new field called as another was: the old column never holds its values; they are in `_extra`."""
    app, tap = begin()
    catalog, first = loaded
    old, new = take_the_name(app, how)
    second = tap.sync(catalog=catalog, state=first.state)
    assert columns_of(second, "leads")[old] == "custom_notes"
    assert changed("leads", Close(app.world), second) == {}
    for record in second.records("leads"):
        assert record["_extra"] == {f"custom.{new}": "https://new.example"}
        assert record["custom_notes"] != "https://new.example"


@pytest.mark.parametrize("how", TAKERS)
def test_with_a_fresh_catalog_a_taken_name_is_that_of_the_new_field(begin: Start, loaded: Loaded, how: str) -> None:
    """Its column holds the new field's values only, and the log says that it held another's."""
    app, tap = begin()
    first = loaded.first
    old, new = take_the_name(app, how)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert columns_of(second, "leads")[new] == "custom_notes"
    assert columns_of(second, "leads").get(old) == (None if how == "removed" else "custom_remarks")
    assert {record["custom_notes"] for record in second.records("leads")} == {"https://new.example"}
    assert changed("leads", Close(app.world), second) == {}
    assert len(lines(second, "WARNING", "`custom_notes`", old, new)) == 1
    third = tap.sync(catalog=catalog_of(tap), state=second.state)
    assert not lines(third, "WARNING")

"""Custom fields of Copper that change between two runs, with a catalog made anew and with an old one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from tests import singer
from tests.copper.conftest import tap_for
from tests.custom_truth import (
    Copper,
    assert_right,
    assert_valid,
    columns_of,
    differences,
    expected,
    in_columns,
    lines,
)
from tests.singer import Tap, selecting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.copper import CopperAccount, CopperSandbox
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
        tap = tap_for(url, tmp_path_factory.mktemp("first"))
        del tap.config["custom_fields"]
        yield tap


def catalog_of(tap: Tap) -> dict[str, Any]:
    """Return what discovery finds of people and companies."""
    return singer.only(tap.discover()[0], *STREAMS, "sync_audit")


def number_of(account: CopperAccount, label: str, kind: str = "") -> int:
    """Return the id of the first definition of that name, and kind."""
    found = account.records(DEFINITIONS)
    return next(int(one["id"]) for one in found if one["name"] == label and kind in ("", one["data_type"]))


def option_of(account: CopperAccount, number: int, name: str) -> int:
    """Return the id of an option."""
    (found,) = [one for one in account.records(DEFINITIONS) if one["id"] == number]
    return next(int(option["id"]) for option in found["options"] if option["name"] == name)


def touch(app: CopperSandbox) -> None:
    """Edit every record that is looked at: changes of definitions move no date."""
    for stream in STREAMS:
        app.account.edit(stream, count=SHAPE[stream])


def give(account: CopperAccount, number: int, value: Any, stream: str = "people") -> int:  # noqa: ANN401 - any JSON
    """Give a record a value of a field; return the record's id."""
    record = account.records(stream)[0]
    others = [entry for entry in record["custom_fields"] if entry["custom_field_definition_id"] != number]
    entries = [*others, {"custom_field_definition_id": number, "value": value}]
    (chosen,) = account.edit(stream, ids=[record["id"]], changes={"custom_fields": entries})
    return chosen


OPTIONS = ("option added", "option renamed", "option removed")


def change_option(app: CopperSandbox, name: str) -> int:
    """Add, rename or remove an option; return the id of the field, of which the first of people has a value."""
    number = number_of(app.account, "Region", "Dropdown")
    option = option_of(app.account, number, "Bayern")
    if name == "option added":
        option = app.account.add_option(number, "Waadt")
    elif name == "option renamed":
        app.account.rename_option(number, option, "Bavaria")
    else:
        app.account.remove_option(number, option)
    touch(app)
    give(app.account, number, option)
    return number


def only(stream: str, crm: Copper, run: Run) -> dict[str, Any]:
    """Return how what one run wrote of a stream differs from the truth; it wrote every record."""
    assert run.count(stream) >= SHAPE[stream]
    return differences(crm, stream, run)


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
        assert only(stream, Copper(app.account), second) == {}
        assert_valid(second, stream)
    held = {record[column] for record in second.records("people")}
    if name != "option removed":
        assert {"option added": "Waadt", "option renamed": "Bavaria"}[name] in held
        assert not lines(second, "WARNING", column)


@pytest.mark.parametrize(("label", "kind"), [("Region", "Dropdown"), ("Interests", "MultiSelect")])
def test_ids_of_an_option_that_is_gone_are_kept_as_text_and_warned_of(begin: Start, label: str, kind: str) -> None:
    """Never null, and no record is lost; the audit has a note."""
    app, tap = begin()
    number = number_of(app.account, label, kind)
    option = option_of(app.account, number, "Zug")
    app.account.remove_option(number, option)
    person = give(app.account, number, [option] if kind == "MultiSelect" else option)
    run = tap.sync()
    column = columns_of(run, "people")[str(number)]
    (record,) = [record for record in run.records("people") if record["id"] == person]
    assert record[column] == ([str(option)] if kind == "MultiSelect" else str(option))
    assert "_extra" not in record
    assert_right(Copper(app.account), run, *STREAMS)
    assert len(lines(run, "WARNING", "people", f"`{column}`", "no option")) == 1
    assert any(column in note for note in run.audit()["people"]["notes"])
    assert run.audit()["people"]["misfits"] == 0


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
    number = number_of(app.account, *which)
    app.account.retype_field(number, kind)
    person = give(app.account, number, value)
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
    app.account.remove_field(number_of(app.account, "Homepage"))
    run = tap.sync(catalog=catalog)
    assert all(record["custom_homepage"] is None for record in run.records("people"))
    assert lines(run, "people: ", "1 gone (custom_homepage)")


def test_a_renaming_of_another_field_does_not_touch_names_made_of_ids(begin: Start) -> None:
    """`custom_field_names: id`: no warning, the same columns."""
    app, tap = begin()
    tap.config["custom_field_names"] = "id"
    catalog = catalog_of(tap)
    first = tap.sync(catalog=catalog)
    app.account.rename_field(number_of(app.account, "Homepage"), "Website")
    touch(app)
    second = tap.sync(catalog=catalog, state=first.state)
    assert columns_of(second, "people") == columns_of(first, "people")
    assert only("people", Copper(app.account), second) == {}
    assert not lines(second, "WARNING")


def test_names_that_two_fields_swap_are_told(begin: Start, first: Run) -> None:
    """Each column has the values of the field that is called so now."""
    app, tap = begin()
    homepage, background = number_of(app.account, "Homepage"), number_of(app.account, "Background")
    app.account.rename_field(homepage, "Background")
    app.account.rename_field(background, "Homepage")
    touch(app)
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    assert columns_of(second, "people")[str(homepage)] == "custom_background"
    assert only("people", Copper(app.account), second) == {}
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
    truth = expected(Copper(app.account), "people", names)
    assert {(record["id"],): record for record in run.records("people")} == truth

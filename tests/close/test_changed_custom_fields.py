"""Custom fields of Close that change between two runs, with a catalog made anew and with an old one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sandbox.close import API_KEY, Shape, close_app
from sandbox.server import running
from tests.custom_truth import (
    Close,
    assert_valid,
    columns_of,
    differences,
    in_columns,
    lines,
)
from tests.singer import Tap, only

if TYPE_CHECKING:
    from sandbox.close import CloseAccount, CloseSandbox
    from tests.close.conftest import Start
    from tests.singer import Run

SHAPE: dict[str, Any] = {
    "now": int(time.time()),  # the same account for each test
    "leads": 20,
    "contacts": 5,
    "opportunities": 5,
    "tasks": 2,
    "activities": {"custom_activities": 20},
    "events": 3,
    "sequence_subscriptions": 2,
    "custom_objects": 2,
    "custom_fields": 6,
    "comments": 2,
    "small_lists": 2,
}
STREAMS = ("leads", "custom_activities")


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
        tap.inside = True
        catalog = catalog_of(tap)
        return Loaded(catalog, tap.sync(catalog=catalog))


def catalog_of(tap: Tap) -> dict[str, Any]:
    """Return what discovery finds, leads and custom activities only."""
    return only(tap.discover()[0], *STREAMS, "sync_audit")


def number_of(account: CloseAccount, label: str, sort: str = "", object_type: str = "lead") -> str:
    """Return the id of the first definition of that name, and type."""
    for one in account.records("custom_fields"):
        if (one["object_type"], one["name"]) == (object_type, label) and sort in ("", one["type"]):
            return str(one["id"])
    raise KeyError(label)


def touch(app: CloseSandbox) -> None:
    """Edit every record that is looked at: changes of definitions move no date."""
    for stream in STREAMS:
        app.account.edit(stream, ids=[str(number) for number in app.account.ids(stream)])


def give(app: CloseSandbox, number: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    """Give a lead a value of a field; return the lead's id."""
    (lead,) = app.account.edit("leads", ids=[str(app.account.ids("leads")[0])], changes={f"custom.{number}": value})
    return lead


Order = tuple[str, dict[str, Any]]


def changed(stream: str, crm: Close, run: Run) -> dict[str, Any]:
    """Return how what one run wrote of a stream differs from the truth; it wrote every record."""
    assert len(run.keys(stream)) == len(crm.account.ids(stream)) > 0
    return differences(crm, stream, run)


CHOICES: dict[str, tuple[Order, str]] = {
    "added": (("add_choice", {"choice": "Ost"}), "Ost"),
    "renamed": (("rename_choice", {"choice": "Nord", "new": "North"}), "North"),
    "removed, kept by records": (("remove_choice", {"choice": "Nord"}), "Nord"),
    "removed from records": (("remove_choice", {"choice": "Nord", "clear": True}), "Süd"),
}


@pytest.mark.parametrize(
    ("name", "is_old"),
    [("added", True), ("renamed", False), ("removed, kept by records", True), ("removed from records", False)],
)
def test_choices_arrive_as_records_have_them(begin: Start, loaded: Loaded, name: str, *, is_old: bool) -> None:
    """Whatever the catalog's age: it names choices, and no value depends on that; nothing is warned of."""
    app, tap = begin()
    one, several = number_of(app.account, "Region", "choices"), number_of(app.account, "顧客ランク")
    (verb, order), choice = CHOICES[name]
    for number in (one, several):
        app.account.change(verb, {"id": number, **order})
    touch(app)
    give(app, one, choice)
    give(app, several, [choice])
    second = tap.sync(catalog=loaded.catalog if is_old else catalog_of(tap), state=loaded.first.state)
    for stream in STREAMS:
        assert changed(stream, Close(app.account), second) == {}
        assert_valid(second, stream)
    columns = columns_of(second, "leads")
    assert choice in {record[columns[one]] for record in second.records("leads")}
    assert [choice] in [record[columns[several]] for record in second.records("leads")]
    assert not lines(second, "WARNING")


def test_a_renamed_shared_field_is_told_in_one_line_for_all_its_streams(begin: Start, loaded: Loaded) -> None:
    """Each of them has the new column."""
    app, tap = begin()
    number = number_of(app.account, "Größe (m²) (shared)", object_type="shared")
    first = loaded.first
    app.account.rename_field(id=number, name="Surface")
    second = tap.sync(catalog=catalog_of(tap), state=first.state)
    streams = [stream for stream in STREAMS if number in columns_of(second, stream)]
    assert len(streams) == 2
    assert len(lines(second, "WARNING", ", ".join(streams), "`custom_surface`")) == 1
    assert len(lines(second, "WARNING")) == 1

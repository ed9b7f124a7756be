"""Custom fields that change between two runs, with a catalog made anew and with an old one."""

from __future__ import annotations

from contextlib import ExitStack
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sandbox.server import running
from tests.contract.crms import CUSTOM
from tests.contract.customs import Begin, begun, tap_of
from tests.custom_truth import (
    assert_all_kept,
    assert_present,
    assert_valid,
    columns_of,
    declared,
    differences,
    lines,
)
from tests.singer import only, untold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.custom import Custom
    from tests.singer import Run, Tap

WHAT_TO_DO = ("run discovery again", "--refresh-catalog")
STALE = "the catalog is older than the custom fields"
CHANGES = [
    pytest.param(custom, name, id=f"{custom.crm}-{name}") for custom in CUSTOM.values() for name in custom.changes
]
#: Who has a name then is told by one code for all CRMs: one of each kind, and both where runs are small.
TAKEN = [
    pytest.param(CUSTOM[crm], how, id=f"{crm}-{how}")
    for crm, how in (("copper", "renamed"), ("close", "removed"), ("pebble", "renamed"), ("pebble", "removed"))
]


class Loaded(NamedTuple):
    """What was before anything changed: what discovery found, and what the first run wrote."""

    catalog: dict[str, Any]
    first: Run


_LOADED: dict[str, Loaded] = {}
#: What discovery finds in the usual account after a change, by the CRM and the change: the same whenever it is asked.
_FOUND: dict[tuple[str, str], dict[str, Any]] = {}


@pytest.fixture(params=list(CUSTOM.values()), ids=list(CUSTOM))
def custom(request: pytest.FixtureRequest) -> Custom:
    """Return the custom fields of each CRM in turn."""
    found: Custom = request.param
    return found


@pytest.fixture
def begin(custom: Custom, tmp_path: Path, unmeasured: None) -> Iterator[Begin]:  # noqa: ARG001 - only the tap is of interest
    """Return a function that serves a small account, and gives a tap with the default form of custom fields."""
    with ExitStack() as stack:
        yield begun(custom, tmp_path, stack)


@pytest.fixture
def loaded(custom: Custom, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Return what the first run of the usual account is, once: the same shape makes the same account."""
    if custom.crm not in _LOADED:
        with running(custom.app()) as url:
            tap = tap_of(custom, url, tmp_path_factory.mktemp("loaded"))
            catalog = catalog_of(custom, tap, "nothing")
            _LOADED[custom.crm] = Loaded(catalog, tap.sync(catalog=catalog))
    return _LOADED[custom.crm]


def catalog_of(custom: Custom, tap: Tap, changed: str) -> dict[str, Any]:
    """Return what discovery finds after a change of the usual account, the streams that are looked at only."""
    if (custom.crm, changed) not in _FOUND:
        _FOUND[custom.crm, changed] = only(tap.discover()[0], *custom.looked_at, "sync_audit")
    return _FOUND[custom.crm, changed]


def assert_written(custom: Custom, app: Any, run: Run) -> None:  # noqa: ANN401
    """Check that one run wrote every record of the streams, and all of them right."""
    for stream in custom.looked_at:
        assert len(run.keys(stream)) == len(app.account.ids(stream)) > 0
        assert differences(custom.truth(app), stream, run) == {}, stream


def retype(custom: Custom, app: Any) -> list[str]:  # noqa: ANN401
    """Give fields another kind and edit all records; return the fields' ids, less that whose column stays right."""
    orders = {custom.number(app, *which): order for which, order in custom.retyped.items()}
    right = custom.still_right
    others = {} if right is None else {custom.number(app, *right[0]): right[1]}
    for number, order in (*orders.items(), *others.items()):
        custom.retype(app, number, order)
    custom.touch(app)
    return list(orders)


# With a catalog made anew


@pytest.mark.parametrize(("custom", "name"), CHANGES, indirect=["custom"])
def test_with_a_fresh_catalog_columns_follow(custom: Custom, begin: Begin, loaded: Loaded, name: str) -> None:
    """Names, types and values are those of the present definitions; nothing is in `_extra`."""
    app, tap = begin()
    custom.change(app, name)
    second = tap.sync(catalog=catalog_of(custom, tap, name), state=loaded.first.state)
    assert_written(custom, app, second)
    for stream in custom.looked_at:
        assert_present(custom.truth(app), second, stream)
    assert not lines(second, STALE)


def assert_retyped(custom: Custom, app: Any, run: Run, loaded: Loaded, retyped: list[str]) -> None:  # noqa: ANN401
    """Check that fields of another kind have columns of their own, and that no other column has changed."""
    assert_written(custom, app, run)
    for stream in custom.looked_at:
        assert_valid(run, stream)
        before, fields = columns_of(loaded.first, stream), custom.truth(app).fields(stream)
        for key, column in columns_of(run, stream).items():
            assert declared(run, stream, column) == fields[key].schema
            if key not in before:
                continue
            moved = column != before[key]
            assert moved == (declared(loaded.first, stream, before[key]) != fields[key].schema), key
            assert not moved or (column.startswith(before[key]) and before[key] not in shown(run, stream))
    columns = columns_of(run, custom.stream)
    assert all(columns[key] != columns_of(loaded.first, custom.stream)[key] for key in retyped)


def shown(run: Run, stream: str) -> set[str]:
    """Return the properties of a stream that the target is told of."""
    return set(run.schemas[stream]["schema"]["properties"])


def test_a_field_of_another_kind_gets_a_new_column(custom: Custom, begin: Begin, loaded: Loaded) -> None:
    """A loader's column keeps its type: the values go on beside it, for good; each move is told once, in one line."""
    app, tap = begin()
    retyped = retype(custom, app)
    catalog = catalog_of(custom, tap, "retyped")
    second = tap.sync(catalog=catalog, state=loaded.first.state)
    assert_retyped(custom, app, second, loaded, retyped)
    told = lines(second, "WARNING")
    assert len(told) == len(lines(second, "is of another kind now")) >= len(retyped)
    custom.touch(app)
    third = tap.sync(catalog=catalog, state=second.state)
    assert [columns_of(third, stream) for stream in custom.looked_at] == [
        columns_of(second, stream) for stream in custom.looked_at
    ]
    assert_retyped(custom, app, third, loaded, retyped)
    assert not lines(third, "WARNING")


def test_without_a_catalog_a_new_field_and_one_of_another_kind_get_new_columns(
    custom: Custom, begin: Begin, loaded: Loaded
) -> None:
    """As with one that is made before each run."""
    app, tap = begin()
    custom.change(app, "added, filled")
    retyped = retype(custom, app)
    second = tap.sync(state=loaded.first.state)
    assert_retyped(custom, app, second, loaded, retyped)
    for stream in custom.looked_at:
        assert columns_of(second, stream).keys() == custom.truth(app).fields(stream).keys()
    assert columns_of(second, custom.stream).keys() > columns_of(loaded.first, custom.stream).keys()
    assert not lines(second, STALE)


def test_a_field_that_gets_its_kind_back_has_its_column_again(custom: Custom, begin: Begin, loaded: Loaded) -> None:
    """The state has the types of all columns that were ever told, whatever became of their fields."""
    app, tap = begin()
    state = deepcopy(loaded.first.state)
    column = custom.renamed[1]
    state["bookmarks"][custom.stream]["column_types"][column] = "boolean"
    second = tap.sync(catalog=loaded.catalog, state=state)
    number = custom.number(app, custom.renamed[0])
    other = columns_of(second, custom.stream)[number]
    assert other.startswith(f"{column}_")
    types = second.state["bookmarks"][custom.stream]["column_types"]
    assert types[column] == "boolean"
    second.state["bookmarks"][custom.stream]["column_types"] = {**types, column: types[other], other: "boolean"}
    third = tap.sync(catalog=loaded.catalog, state=second.state)
    assert columns_of(third, custom.stream)[number] == column


def test_with_the_state_of_an_earlier_version_no_column_moves(custom: Custom, begin: Begin, loaded: Loaded) -> None:
    """It does not say which types there were: the present ones are taken for these, and kept from then on."""
    app, tap = begin()
    state = untold(deepcopy(loaded.first.state))
    for kept in state["bookmarks"].values():
        kept.pop("column_types", None)
    second = tap.sync(catalog=loaded.catalog, state=state)
    assert columns_of(second, custom.stream) == columns_of(loaded.first, custom.stream)
    assert second.state["bookmarks"][custom.stream]["column_types"].keys() == set(
        columns_of(second, custom.stream).values()
    )
    retyped = retype(custom, app)
    third = tap.sync(catalog=catalog_of(custom, tap, "retyped"), state=second.state)
    assert_retyped(custom, app, third, loaded, retyped)


# With the catalog of the first run


@pytest.mark.parametrize(("custom", "name"), CHANGES, indirect=["custom"])
def test_with_a_stale_catalog_nothing_is_lost(custom: Custom, begin: Begin, loaded: Loaded, name: str) -> None:
    """Values are in the column of their field's id, or in `_extra`; the log says what to do; exit code 0."""
    app, tap = begin()
    custom.change(app, name)
    second = tap.sync(catalog=loaded.catalog, state=loaded.first.state)
    for stream in custom.looked_at:
        assert second.schemas[stream] == loaded.first.schemas[stream]
        assert_valid(second, stream)
        told = lines(second, "WARNING", f"{stream}: {STALE}", *WHAT_TO_DO)
        assert len(told) == int(stream in custom.changes[name]), stream
    assert_written(custom, app, second)


def test_with_a_stale_catalog_values_of_another_type_are_kept(custom: Custom, begin: Begin, loaded: Loaded) -> None:
    """In the column of their field as far as they fit its type, whole in `_extra` where they do not."""
    app, tap = begin()
    retyped = retype(custom, app)
    second = tap.sync(catalog=loaded.catalog, state=loaded.first.state)
    for stream in next(iter(custom.changes.values())):
        assert second.schemas[stream] == loaded.first.schemas[stream]
        assert_valid(second, stream)
        assert_all_kept(custom.truth(app), second, stream, retyped, custom.values(app, stream))
        told = f"{stream}: {STALE}: {len(retyped)} of another type ("
        assert len(lines(second, "WARNING", told, *WHAT_TO_DO)) == 1


# Names that move


def test_a_renaming_is_told_once_with_both_names(custom: Custom, begin: Begin, loaded: Loaded) -> None:
    """By the first run that writes the new column, for all its streams in one line; not again by the next."""
    app, tap = begin()
    label, old, name, new = custom.renamed
    custom.rename(app, custom.number(app, label), name)
    custom.touch(app)
    catalog = catalog_of(custom, tap, "renamed")
    second = tap.sync(catalog=catalog, state=loaded.first.state)
    concerned = ", ".join(next(iter(custom.changes.values())))
    assert len(lines(second, "WARNING", f"of {concerned} was renamed", f"`{old}`", f"`{new}`")) == 1
    assert len(lines(second, "WARNING")) == 1
    custom.touch(app)
    third = tap.sync(catalog=catalog, state=second.state)
    assert not lines(third, old)
    assert not lines(third, "WARNING")


def test_a_renaming_that_an_old_catalog_hid_is_told_when_the_catalog_is_new(
    custom: Custom, begin: Begin, loaded: Loaded
) -> None:
    """While it is old, the column keeps its name, and its values."""
    app, tap = begin()
    label, old, name, new = custom.renamed
    custom.rename(app, custom.number(app, label), name)
    custom.touch(app)
    second = tap.sync(catalog=loaded.catalog, state=loaded.first.state)
    assert not lines(second, "was renamed")
    assert any(record[old] for record in second.records(custom.stream))
    assert lines(second, STALE, f"{old}, now `{name}`")
    custom.touch(app)
    third = tap.sync(catalog=catalog_of(custom, tap, "renamed"), state=second.state)
    assert len(lines(third, "was renamed", f"`{old}`", f"`{new}`")) == 1


def take_the_name(custom: Custom, app: Any, how: str) -> tuple[str, str]:  # noqa: ANN401
    """Rename or remove a field, and call a new one as it was called; return the ids of both."""
    label, _, name, _ = custom.renamed
    old = custom.number(app, label)
    if how == "renamed":
        custom.rename(app, old, name)
    new = custom.add(app, label, like=old)
    if how == "removed":
        custom.remove(app, old)
    custom.set_all(app, new, custom.new_value)
    custom.touch(app)
    return old, new


@pytest.mark.parametrize(("custom", "how"), TAKEN, indirect=["custom"])
def test_with_a_stale_catalog_a_taken_name_stays_with_its_field(
    custom: Custom, begin: Begin, loaded: Loaded, how: str
) -> None:
    """A new field called as another was: the old column never holds its values; they are in `_extra`."""
    app, tap = begin()
    old, new = take_the_name(custom, app, how)
    second = tap.sync(catalog=loaded.catalog, state=loaded.first.state)
    assert columns_of(second, custom.stream)[old] == custom.renamed[1]
    assert_written(custom, app, second)
    extra: dict[str, Any] = {}
    custom.truth(app).keep(extra, new, custom.new_value)
    for record in second.records(custom.stream):
        assert record["_extra"] == extra
        assert record[custom.renamed[1]] != custom.new_value
        assert how == "renamed" or record[custom.renamed[1]] is None


@pytest.mark.parametrize(("custom", "how"), TAKEN, indirect=["custom"])
def test_with_a_fresh_catalog_a_taken_name_is_that_of_the_new_field(
    custom: Custom, begin: Begin, loaded: Loaded, how: str
) -> None:
    """Its column holds the new field's values only, and the log says that it held another's."""
    app, tap = begin()
    old, new = take_the_name(custom, app, how)
    catalog = catalog_of(custom, tap, f"{how}, its name taken")
    second = tap.sync(catalog=catalog, state=loaded.first.state)
    columns = columns_of(second, custom.stream)
    assert columns[new] == custom.renamed[1]
    assert columns.get(old) == (None if how == "removed" else custom.renamed[3])
    assert all(record[custom.renamed[1]] == custom.new_value for record in second.records(custom.stream))
    assert_written(custom, app, second)
    assert len(lines(second, "WARNING", f"`{custom.renamed[1]}`", old, new)) == 1
    third = tap.sync(catalog=catalog, state=second.state)
    assert not lines(third, "WARNING")

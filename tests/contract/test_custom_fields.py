"""Custom fields are columns: named, typed, with labels, selectable; or as they come, if that is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.faults import FaultRule
from sandbox.server import running
from tests.contract.crms import CUSTOM
from tests.contract.customs import Begin, begun, tap_of
from tests.custom_truth import assert_right, assert_valid, columns_of, declared, differences, lines
from tests.singer import only, selecting
from tests.truth import exact

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.custom import Custom
    from tests.custom_truth import Crm as Truth
    from tests.singer import Run

LONGEST = 63
OfShape: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


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


@dataclass(frozen=True)
class Whole:
    """A small account that nobody changes: what is true of it, what discovery finds and asks for, what a run writes."""

    custom: Custom
    app: Any
    truth: Truth
    catalog: dict[str, Any]
    asked: set[str]
    run: Run


_WHOLE: dict[str, Whole] = {}


@pytest.fixture
def whole(custom: Custom, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Return it, for tests that only look at it; it is read once."""
    if custom.crm not in _WHOLE:
        app = custom.app()
        with running(app) as url:
            tap = tap_of(custom, url, tmp_path_factory.mktemp("whole"))
            catalog, _ = tap.discover()
            lists = asked(custom, app)
            run = tap.sync(catalog=only(catalog, *custom.streams, custom.definitions, "sync_audit"))
            _WHOLE[custom.crm] = Whole(custom, app, custom.truth(app), catalog, lists, run)
    return _WHOLE[custom.crm]


def asked(custom: Custom, app: Any) -> set[str]:  # noqa: ANN401
    """Return the lists of definitions that were asked for; each was asked for once."""
    lists = set().union(*(paths for _, paths in custom.paths))
    found = {path: count for path, count in app.stats.by_path.items() if path in lists}
    assert set(found.values()) <= {1}, found
    return set(found)


# Values and types


def test_every_custom_field_of_every_stream_arrives_in_its_column(whole: Whole) -> None:
    """Labels for options, dates for seconds, lists for several; null where a record has no value."""
    assert_right(whole.truth, whole.run)
    for stream in whole.custom.streams:
        assert columns_of(whole.run, stream).keys() == whole.truth.fields(stream).keys()
        assert not any("custom_fields" in record or "_extra" in record for record in whole.run.records(stream))


def test_columns_have_the_type_of_their_kind(whole: Whole) -> None:
    """Every kind that the CRM has is among them."""
    seen = set()
    for stream in whole.custom.streams:
        columns = columns_of(whole.run, stream)
        for key, field in whole.truth.fields(stream).items():
            assert declared(whole.run, stream, columns[key]) == field.schema, field
            seen.add(field.kind)
    assert seen == whole.custom.kinds


def test_every_kind_is_seen_with_and_without_a_value(whole: Whole) -> None:
    """What the truth compares is worth comparing: no column is empty, or never empty, in all records."""
    stream = whole.custom.stream
    for key, column in columns_of(whole.run, stream).items():
        values = [record[column] for record in whole.run.records(stream)]
        assert None in values, whole.truth.fields(stream)[key]
        assert any(value is not None for value in values), whole.truth.fields(stream)[key]


def test_pages_that_need_care_have_the_same_columns(custom: Custom, begin: Begin, whole: Whole) -> None:
    """A field that nobody knows takes the page off the fast path."""
    app, tap = begin()
    stream = custom.pair[1]
    custom.care(app, stream)
    run = tap.sync(catalog=only(whole.catalog, stream, "sync_audit"))
    assert all(record["_extra"] == {"brand_new": exact([1.5])} for record in run.records(stream))
    if custom.crm == "copper":  # there, only the answers have the field
        assert columns_of(run, stream) == columns_of(whole.run, stream)
        truth = whole.truth.expected(stream)
        assert run.keys(stream) == truth.keys()
        columns = columns_of(run, stream).values()
        before = {record["id"]: record for record in whole.run.records(stream)}
        for record in run.records(stream):
            assert [record[name] for name in columns] == [before[record["id"]][name] for name in columns]
    else:
        assert_right(custom.truth(app), run, stream)


@pytest.mark.parametrize("form", ["both", "raw"])
def test_the_values_arrive_as_they_come_if_that_is_wanted(custom: Custom, begin: Begin, form: str) -> None:
    """Beside the columns, or instead of them."""
    app, tap = begin()
    catalog = only(tap.discover(custom_fields=form)[0], *custom.pair)
    app.stats.reset()
    run = tap.sync(catalog=catalog, custom_fields=form)
    assert_right(custom.truth(app), run, *custom.pair, form=form)
    for stream in custom.pair:
        assert bool(columns_of(run, stream)) is (form == "both")
    # As they come, nobody needs the definitions but the stream that has them.
    assert bool(asked(custom, app)) is (form == "both")


def test_an_account_without_custom_fields_has_no_columns(custom: Custom, begin: Begin) -> None:
    """And says nothing of it."""
    app, tap = begin(custom.none)
    run = tap.sync(catalog=only(tap.discover()[0], *custom.pair, custom.definitions))
    assert_right(custom.truth(app), run, *custom.pair)
    assert not any(name.startswith("custom_") for name in run.schemas[custom.stream]["schema"]["properties"])
    assert not lines(run, "WARNING", "custom field")


# Names


def test_names_of_columns_are_slugs_set_apart_by_ids(custom: Custom, begin: Begin, whole: Whole) -> None:
    """What is equal ends in the id, or a part of it; what leaves nothing of a name is the id."""
    app, tap = begin()
    run = whole.run
    if custom.gather(app):
        run = tap.sync(catalog=only(tap.discover()[0], custom.stream))
    columns = columns_of(run, custom.stream)
    for (label, kind), name in custom.names.items():
        number = custom.number(app, label, kind)
        assert columns[number] == name.format(id=number.lower(), end=number[-6:].lower()), label


def test_names_fit_a_database_and_are_distinct(custom: Custom, begin: Begin) -> None:
    """63 characters at most, of letters, digits and underscores; names of 200 characters too, and in any number."""
    shape, least = custom.many
    app, tap = begin({**shape, **custom.few})
    custom.gather(app)
    run = tap.sync(catalog=only(tap.discover()[0], *custom.pair))
    assert len(columns_of(run, custom.stream)) >= least
    for stream in custom.pair:
        names = list(columns_of(run, stream).values())
        assert len(set(names)) == len(names) == len(custom.truth(app).fields(stream))
        assert not {"custom_fields"} & set(names)
        for name in names:
            assert name.startswith("custom_")
            assert len(name) <= LONGEST
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_names_can_be_made_of_ids(custom: Custom, begin: Begin) -> None:
    """`custom_field_names: id`: no renaming changes them."""
    app, tap = begin()
    catalog = only(tap.discover(custom_field_names="id")[0], *custom.pair)
    run = tap.sync(catalog=catalog, custom_field_names="id")
    assert columns_of(run, custom.stream)
    assert all(name == f"custom_{number.lower()}" for number, name in columns_of(run, custom.stream).items())
    assert_right(custom.truth(app), run, *custom.pair)


def test_a_column_says_what_people_call_it_and_what_it_is(whole: Whole) -> None:
    """Title, kind, id, and the options."""
    stream = whole.custom.stream
    for key, field in whole.truth.fields(stream).items():
        part = whole.run.schemas[stream]["schema"]["properties"][columns_of(whole.run, stream)[key]]
        assert part["title"] == field.label
        said = f"Custom field {key}, kind {field.kind}."
        assert part["description"] == said + (f" Options: {'; '.join(field.options)}." if field.options else "")


# Requests


def test_each_list_of_definitions_is_asked_for_once_and_only_if_needed(
    custom: Custom, begin: Begin, whole: Whole
) -> None:
    """In discovery, and in runs of one stream, of a few, and of all that have custom fields."""
    app, tap = begin()
    assert whole.asked == set().union(*(paths for _, paths in custom.paths))
    catalog = only(whole.catalog, *(stream for streams, _ in custom.paths for stream in streams))
    for streams, needed in custom.paths:
        app.stats.reset()
        tap.sync(catalog=selecting(catalog, *streams))
        assert asked(custom, app) == needed, streams


# Selection


def test_a_deselected_custom_field_is_nowhere(custom: Custom, begin: Begin, whole: Whole) -> None:
    """Neither in its column nor in `_extra`; the others are as ever."""
    app, tap = begin()
    stream = custom.stream
    names = columns_of(whole.run, stream)
    gone = [custom.number(app, label) for label in custom.gone]
    without = tuple(f"{stream}.{names[key]}" for key in gone)
    run = tap.sync(catalog=selecting(only(whole.catalog, stream), stream, without=without))
    assert columns_of(run, stream).keys() == names.keys() - set(gone)
    assert differences(custom.truth(app), stream, run, deselected=gone) == {}
    assert not any("_extra" in record for record in run.records(stream))


@pytest.mark.parametrize("care", [False, True], ids=["fast", "with care"])
def test_all_custom_fields_can_be_deselected(custom: Custom, begin: Begin, whole: Whole, *, care: bool) -> None:
    """As Meltano does for `!people.custom_*`: none is emitted, none is kept."""
    app, tap = begin()
    stream = custom.pair[care]
    entry = next(entry for entry in whole.catalog["streams"] if entry["tap_stream_id"] == stream)
    names = [name for name in entry["schema"]["properties"] if name.startswith("custom_")]
    assert names
    if care:
        custom.care(app, stream)
    without = tuple(f"{stream}.{name}" for name in names)
    run = tap.sync(catalog=selecting(only(whole.catalog, stream), stream, without=without))
    assert run.count(stream) == len(app.account.ids(stream))
    assert columns_of(run, stream) == {}
    for record in run.records(stream):
        assert not any(name.startswith("custom_") for name in record)
        assert record.get("_extra", {}).keys() <= {"brand_new"}


def test_without_extra_what_fits_no_column_is_not_emitted(custom: Custom, begin: Begin, whole: Whole) -> None:
    """`_extra` can be deselected as any other."""
    app, tap = begin()
    without = tuple(f"{stream}._extra" for stream in custom.streams)
    catalog = selecting(only(whole.catalog, *custom.streams), *custom.streams, without=without)
    custom.add(app, "Brand new")
    run = tap.sync(catalog=catalog)
    for stream in custom.streams:
        assert run.count(stream) > 0
        assert "_extra" not in run.schemas[stream]["schema"]["properties"]
        assert differences(custom.truth(app), stream, run, keeps_extra=False) == {}


# Faults

REFUSED = [
    pytest.param(custom, case, id=f"{custom.crm}-{case[0]}-{case[1]}")
    for custom in CUSTOM.values()
    for case in custom.refused
]
each_refusal = pytest.mark.parametrize(("custom", "refusal"), REFUSED, indirect=["custom"])
#: The first one of each CRM.
ONE_REFUSED = [pytest.param(custom, custom.refused[0], id=custom.crm) for custom in CUSTOM.values()]
#: A list of definitions, the status of its answers, and the streams that need it.
Refusal: TypeAlias = tuple[str, int, tuple[str, ...]]


@pytest.mark.parametrize(("custom", "refusal"), ONE_REFUSED, indirect=["custom"])
def test_without_the_right_to_the_definitions_values_are_in_extra(
    custom: Custom, begin: Begin, refusal: Refusal
) -> None:
    """On a first run: a warning, exit code 0, nothing lost; fields of other lists have their columns."""
    path, status, streams = refusal
    app, tap = begin()
    custom.answer_with(app, status, path)
    run = tap.sync()
    concerned = [stream for stream in custom.streams if stream in streams and run.count(stream)]
    for stream in concerned:
        assert columns_of(run, stream).keys() < custom.truth(app).fields(stream).keys()
        assert any("_extra" in record for record in run.records(stream))
        assert len(lines(run, "WARNING", f"{stream}: no columns for ", "custom fields", "not readable")) == 1
        assert run.audit()[stream]["complete"]
    read = [stream for stream in custom.streams if run.count(stream)]
    assert custom.stream in read
    assert_right(custom.truth(app), run, *read)
    for stream in set(read) - set(concerned):
        assert columns_of(run, stream).keys() == custom.truth(app).fields(stream).keys()


@each_refusal
def test_a_catalog_with_columns_and_no_right_to_the_definitions_fails_by_name(
    custom: Custom, begin: Begin, whole: Whole, refusal: Refusal
) -> None:
    """Nulls would overwrite what was loaded; the streams with other lists are complete."""
    path, status, streams = refusal
    app, tap = begin()
    others = [stream for stream in custom.streams if stream not in streams]
    named = {*custom.streams, *streams}
    catalog = only(whole.catalog, *named, "users", "labels", "sync_audit")
    custom.answer_with(app, status, path)
    run = tap.sync(catalog=catalog, expect=1)
    assert {name for name, row in run.audit().items() if not row["complete"]} == set(streams)
    for stream in streams:
        assert run.count(stream) == 0
        assert lines(run, f"stream `{stream}` is not complete", "definitions of custom fields")
    if others:
        assert_right(custom.truth(app), run, *others)
    assert "Traceback" not in run.log


def test_definitions_that_do_not_come_fail_the_streams_that_need_them(
    custom: Custom, begin: Begin, whole: Whole
) -> None:
    """By name, exit code 1; the others are complete, and nobody waits for each stream anew."""
    app, tap = begin()
    catalog = only(whole.catalog, *custom.streams, "users", "labels", "sync_audit")
    app.behaviour.faults = [FaultRule(["500"], every=1, path=custom.failing)]
    began = time.monotonic()
    run = tap.sync(catalog=catalog, expect=1, retry_seconds=1)
    took = time.monotonic() - began
    rows = run.audit()
    assert {name for name, row in rows.items() if not row["complete"]} == set(custom.streams)
    assert any(row["complete"] for row in rows.values())
    assert f"{len(custom.streams)} of {len(rows)} streams are not complete" in run.log
    assert "Traceback" not in run.log
    assert took < 6, took
    app.behaviour.faults = []
    assert_right(custom.truth(app), tap.sync(catalog=catalog, state=run.state))


def test_discovery_without_definitions_is_one_line_and_no_catalog(custom: Custom, begin: Begin) -> None:
    """A catalog that lacks columns would be wrong, and nobody would notice."""
    _, tap = begin(faults=[FaultRule(["500"], every=1, path=custom.failing)])
    began = time.monotonic()
    _, log = tap.discover(expect=1, retry_seconds=1)
    assert time.monotonic() - began < 6
    assert [line for line in log.splitlines() if "ERROR" in line] == log.splitlines()[-1:]
    assert "definitions of custom fields" in log.splitlines()[-1]
    assert "Traceback" not in log


@pytest.mark.parametrize("care", [False, True], ids=["fast", "with care"])
def test_a_value_of_another_type_is_null_and_whole_in_extra(
    custom: Custom, begin: Begin, whole: Whole, *, care: bool
) -> None:
    """Of every kind that has a type; each is counted, and warned of by its column."""
    app, tap = begin()
    stream = custom.pair[care]
    wrong: dict[Any, tuple[str, Any]] = {}
    if care:
        custom.care(app, stream)
    for place, ((label, kind), value) in enumerate(custom.wrong.items()):
        number = custom.number(app, label, kind, stream)
        wrong[custom.give(app, stream, {number: value}, place)] = (number, value)
    assert len(wrong) == len(custom.wrong)
    run = tap.sync(catalog=only(whole.catalog, stream, "sync_audit"))
    columns = columns_of(run, stream)
    records = {record["id"]: record for record in run.records(stream)}
    for key, (number, value) in wrong.items():
        column = columns[number]
        assert records[key][column] is None
        assert records[key]["_extra"].get(column) == value, column
        assert len(lines(run, "WARNING", f"{stream}: 1 values of `{column}` did not fit")) == 1
    assert run.audit()[stream]["misfits"] == len(wrong)
    assert_valid(run, stream)


def test_values_that_only_look_different_fit(custom: Custom, begin: Begin, whole: Whole) -> None:
    """Texts for numbers, numbers for texts, one value where several may be, ids and labels of options as texts."""
    app, tap = begin()
    numbers = {which: custom.number(app, *which) for which in custom.alike}
    given = {numbers[which]: value for which, (value, _) in custom.alike.items()}
    changed = custom.give(app, custom.stream, given)
    run = tap.sync(catalog=only(whole.catalog, custom.stream, "sync_audit"))
    columns = columns_of(run, custom.stream)
    (record,) = [record for record in run.records(custom.stream) if record["id"] == changed]
    for which, (_, value) in custom.alike.items():
        assert record[columns[numbers[which]]] == value, which
    assert "_extra" not in record

"""Custom fields of Close are columns: named, typed, selectable, shared ones too; or as they come, if that is wanted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox.close import API_KEY, Shape, close_app
from sandbox.faults import FaultRule
from sandbox.server import running
from tests.close.truth import DETAILS, PER_PARENT, SEARCHED
from tests.custom_truth import (
    CLOSE_OBJECTS,
    CLOSE_TYPES,
    Close,
    assert_right,
    assert_valid,
    columns_of,
    declared,
    differences,
    in_columns,
    lines,
)
from tests.singer import Tap, selecting

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox, CloseWorld
    from sandbox.simulator import Moment
    from tests.close.conftest import Start
    from tests.singer import Run

STREAMS = Close.streams
SHAPE: dict[str, Any] = {
    "leads": 60,
    "contacts": 60,
    "opportunities": 40,
    "tasks": 3,
    "activities": {"custom_activities": 60},
    "events": 3,
    "sequence_subscriptions": 3,
    "custom_objects": 40,
    "comments": 2,
    "small_lists": 2,
}
FEW_RECORDS = dict.fromkeys(STREAMS, 12) | {"activities": {"custom_activities": 12}}
FEW_RECORDS.pop("custom_activities")
LONGEST = 63
LISTS = ("lead", "contact", "opportunity", "activity", "custom_object_type", "shared")


@pytest.fixture
def begin(start: Start) -> Start:
    """Return a function that starts a small sandbox, and a tap with the default form of custom fields."""
    return in_columns(start, SHAPE)


def catalog_of(tap: Tap, *streams: str, without: tuple[str, ...] = (), **overrides: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what discovery finds, with these streams selected; else those with custom fields."""
    chosen = streams or (*STREAMS, "custom_fields")
    return selecting(tap.discover(**overrides)[0], *chosen, "sync_audit", without=without)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> tuple[Close, Run, dict[str, Any]]:
    """Return a small organization, a run of its streams with custom fields, and what discovery finds."""
    app = close_app(Shape(**SHAPE), rate_limit=0)
    with running(app) as url:
        folder = tmp_path_factory.mktemp("whole")
        tap = Tap(folder, provider="close", api_key=API_KEY, api_url=url, requests_per_minute=0)
        found, _ = tap.discover()
        return Close(app.world), tap.sync(catalog=selecting(found, *STREAMS, "custom_fields", "sync_audit")), found


@pytest.fixture
def whole(looked_at: tuple[Close, Run, dict[str, Any]]) -> tuple[Close, Run]:
    """Return a small organization, and a run of its streams with custom fields, for those that only look at it."""
    return looked_at[:2]


@pytest.fixture
def offered(looked_at: tuple[Close, Run, dict[str, Any]]) -> dict[str, Any]:
    """Return what discovery finds in an organization of the usual shape: its definitions are always the same."""
    return looked_at[2]


def number_of(world: CloseWorld, object_type: str, label: str, sort: str = "") -> str:
    """Return the id of the first definition of that name, and type."""
    for one in world.records("custom_fields"):
        if (one["object_type"], one["name"]) == (object_type, label) and sort in ("", one["type"]):
            return str(one["id"])
    raise KeyError(label)


def asked(app: CloseSandbox) -> dict[str, int]:
    """Return how often each list of definitions was asked for."""
    found = {path: count for path, count in app.stats.by_path.items() if path.startswith("custom_field/")}
    return {path.removeprefix("custom_field/"): count for path, count in found.items()}


def answer_with(app: CloseSandbox, status: int, path: str) -> None:
    """Let every answer of a path be of this status."""

    def refuse(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.startswith(path):
            moment.answer.status = status
            moment.answer.body = msgspec.json.encode({"error": "Not for you."})

    app.on_answer(refuse)


#: A stream that is read fast, and one whose pages need care.
PATHS = [("leads", "lead", False), ("opportunities", "opportunity", True)]


# Values and types


def test_every_custom_field_of_every_stream_arrives_in_its_column(whole: tuple[Close, Run]) -> None:
    """Those of its own and those that it shares with others; null where a record has no value."""
    crm, run = whole
    assert_right(crm, run)
    for stream in STREAMS:
        assert columns_of(run, stream).keys() == crm.fields(stream).keys()
        assert not any("custom_fields" in record or "_extra" in record for record in run.records(stream))
        own = {
            one["id"] for one in crm.world.records("custom_fields") if one["object_type"] == CLOSE_OBJECTS[stream][0]
        }
        assert crm.fields(stream).keys() > own


def test_columns_have_the_type_of_their_field(whole: tuple[Close, Run]) -> None:
    """Every type that Close has is among them, and each that may have several values as a list, too."""
    crm, run = whole
    seen = set()
    for stream in STREAMS:
        columns = columns_of(run, stream)
        for key, field in crm.fields(stream).items():
            assert declared(run, stream, columns[key]) == field.schema, field
            seen.add(field.kind)
    several = {f"{kind}, several values" for kind in ("choices", "user", "contact", "custom_object", "text", "url")}
    assert seen == {*CLOSE_TYPES, *several, "email, several values"}


def test_every_type_is_seen_with_and_without_a_value(whole: tuple[Close, Run]) -> None:
    """What the truth compares is worth comparing: no column is empty, or never empty, in all records."""
    crm, run = whole
    for key, column in columns_of(run, "leads").items():
        values = [record[column] for record in run.records("leads")]
        assert None in values, crm.fields("leads")[key]
        assert any(value is not None for value in values), crm.fields("leads")[key]


def test_pages_that_need_care_have_the_same_columns(begin: Start, offered: dict[str, Any]) -> None:
    """A field that nobody knows takes the page off the fast path; searches give none that they are not asked for."""
    app, tap = begin()
    streams = [stream for stream in STREAMS if stream not in SEARCHED]
    for stream in streams:
        app.world.edit(stream, count=5, changes={"brand_new": [1.5]})
    run = tap.sync(catalog=selecting(offered, *streams, "sync_audit"))
    for stream in streams:
        assert sum(record.get("_extra") == {"brand_new": [1.5]} for record in run.records(stream)) == 5
    assert_right(Close(app.world), run, *streams)


@pytest.mark.parametrize("form", ["both", "raw"])
def test_the_values_arrive_as_they_come_if_that_is_wanted(begin: Start, form: str) -> None:
    """An object of values by id, beside the columns or instead of them."""
    app, tap = begin()
    run = tap.sync(catalog=catalog_of(tap, custom_fields=form), custom_fields=form)
    assert_right(Close(app.world), run, form=form)
    for stream in STREAMS:
        assert bool(columns_of(run, stream)) is (form == "both")


def test_raw_asks_for_no_definitions(begin: Start) -> None:
    """Nobody needs them but the stream that has them."""
    app, tap = begin()
    catalog = catalog_of(tap, *STREAMS, custom_fields="raw")
    app.stats.reset()
    tap.sync(catalog=catalog, custom_fields="raw")
    assert asked(app) == {}


def test_an_organization_without_custom_fields_has_no_columns(begin: Start) -> None:
    """And says nothing of it."""
    app, tap = begin({"custom_fields": 0})
    run = tap.sync(catalog=catalog_of(tap))
    assert_right(Close(app.world), run)
    assert not any(columns_of(run, stream) for stream in STREAMS)
    assert not lines(run, "WARNING", "custom field")


# Names

NAMES = {
    ("Größe (m²)", "number"): "custom_grosse_m2",
    ("Birthday 🎂", "date"): "custom_birthday",
    ("date_updated", "text"): "custom_date_updated",
    ("Name", "text"): "custom_name",
    ("Status Label", "choices"): "custom_status_label",
    ("Référents", "contact"): "custom_referents",
    ("№ 1 / «Süd»", "number"): "custom_no_1_sud",
    ("顧客ランク", "choices"): "custom_{id}",
    ("🎉🦊", "email"): "custom_{id}",
    ("Region", "text"): "custom_region_{end}",
    ("Region", "choices"): "custom_region_{end}",
    ("  region  ", "textarea"): "custom_region_{end}",
    ("Fields", "text"): "custom_fields_{end}",
}


def test_names_of_columns_are_slugs_set_apart_by_ids(whole: tuple[Close, Run]) -> None:
    """What is equal ends in a part of the id; what leaves nothing of a name is the id."""
    crm, run = whole
    columns = columns_of(run, "leads")
    for (label, sort), name in NAMES.items():
        number = number_of(crm.world, "lead", label, sort)
        assert columns[number] == name.format(id=number.lower(), end=number[-6:].lower())


def test_names_fit_a_database_and_are_distinct(begin: Start) -> None:
    """63 characters at most, of letters, digits and underscores; names of 200 characters too, and in any number."""
    app, tap = begin({"custom_fields": 100, **FEW_RECORDS})
    run = tap.sync(catalog=catalog_of(tap))
    assert len(Close(app.world).fields("leads")) > 120
    for stream in STREAMS:
        names = list(columns_of(run, stream).values())
        assert len(set(names)) == len(names) == len(Close(app.world).fields(stream))
        assert not {"custom_fields"} & set(names)
        for name in names:
            assert name.startswith("custom_")
            assert len(name) <= LONGEST
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_names_can_be_made_of_ids(begin: Start) -> None:
    """`custom_field_names: id`: no renaming changes them."""
    app, tap = begin()
    run = tap.sync(catalog=catalog_of(tap, custom_field_names="id"), custom_field_names="id")
    assert all(name == f"custom_{number.lower()}" for number, name in columns_of(run, "leads").items())
    assert_right(Close(app.world), run)


def test_a_column_says_what_people_call_it_and_what_it_is(whole: tuple[Close, Run]) -> None:
    """Title, type, id, and the choices."""
    crm, run = whole
    for key, field in crm.fields("leads").items():
        part = run.schemas["leads"]["schema"]["properties"][columns_of(run, "leads")[key]]
        assert part["title"] == field.label
        said = f"Custom field {key}, kind {field.kind}."
        assert part["description"] == said + (f" Options: {'; '.join(field.options)}." if field.options else "")


# Requests

FEW = [
    (("leads",), ("lead", "shared")),
    (("custom_activities", "custom_objects"), ("activity", "custom_object_type", "shared")),
    ((*STREAMS, "custom_fields"), LISTS),
    (("users", "notes"), ()),
]


def test_each_list_of_definitions_is_asked_for_once_and_only_if_needed(begin: Start) -> None:
    """In discovery, and in runs of one stream, of a few, and of all that have custom fields."""
    app, tap = begin()
    catalog, _ = tap.discover()
    assert asked(app) == dict.fromkeys(LISTS, 1)
    for streams, needed in FEW:
        app.stats.reset()
        tap.sync(catalog=selecting(catalog, *streams))
        assert asked(app) == dict.fromkeys(needed, 1), streams


def test_each_list_is_asked_for_once_with_all_streams_and_300_definitions(begin: Start) -> None:
    """The stream of definitions has them from there."""
    app, tap = begin({"custom_fields": 300, **FEW_RECORDS})
    catalog, _ = tap.discover()
    every = [
        entry["tap_stream_id"] for entry in catalog["streams"] if entry["tap_stream_id"] not in (*PER_PARENT, *DETAILS)
    ]
    app.stats.reset()
    run = tap.sync(catalog=selecting(catalog, *every, "custom_objects"))
    assert asked(app) == dict.fromkeys(LISTS, 1)
    assert run.count("custom_fields") == 6 * 300
    assert differences(Close(app.world), "leads", run) == {}


# Selection


def test_a_deselected_custom_field_is_nowhere(begin: Start, offered: dict[str, Any]) -> None:
    """Neither in its column nor in `_extra`; the others are as ever."""
    app, tap = begin()
    catalog = selecting(offered, "leads", "sync_audit")
    names = columns_of(tap.sync(catalog=catalog), "leads")
    gone = [number_of(app.world, "lead", label) for label in ("Notes", "顧客ランク", "Machine")]
    gone.append(number_of(app.world, "shared", "Name (shared)"))
    run = tap.sync(catalog=selecting(catalog, "leads", without=tuple(f"leads.{names[key]}" for key in gone)))
    assert columns_of(run, "leads").keys() == names.keys() - set(gone)
    assert differences(Close(app.world), "leads", run, deselected=gone) == {}
    assert not any("_extra" in record for record in run.records("leads"))


@pytest.mark.parametrize(("stream", "kind", "care"), PATHS, ids=["fast", "with care"])
def test_all_custom_fields_can_be_deselected(
    begin: Start, offered: dict[str, Any], stream: str, kind: str, *, care: bool
) -> None:
    """As Meltano does for `!leads.custom_*`: none is emitted, none is kept."""
    app, tap = begin()
    catalog = offered
    if care:
        app.world.edit(stream, count=20, changes={"brand_new": kind})
    entry = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == stream)
    names = [name for name in entry["schema"]["properties"] if name.startswith("custom_")]
    run = tap.sync(catalog=selecting(catalog, stream, without=tuple(f"{stream}.{name}" for name in names)))
    assert run.count(stream) == SHAPE[stream]
    assert columns_of(run, stream) == {}
    assert differences(Close(app.world), stream, run, deselected=Close(app.world).fields(stream)) == {}


def test_without_extra_what_fits_no_column_is_not_emitted(begin: Start, offered: dict[str, Any]) -> None:
    """`_extra` can be deselected as any other."""
    app, tap = begin()
    catalog = selecting(offered, *STREAMS, without=tuple(f"{stream}._extra" for stream in STREAMS))
    app.world.add_field(object_type="lead", name="Brand new", type="text", fill=True)
    app.world.edit("contacts", count=5, changes={"brand_new": 1})
    run = tap.sync(catalog=catalog)
    for stream in STREAMS:
        assert "_extra" not in run.schemas[stream]["schema"]["properties"]
        assert differences(Close(app.world), stream, run, keeps_extra=False) == {}


# Faults

REFUSALS = (402, 403, 404)


@pytest.mark.parametrize("status", REFUSALS)
def test_without_the_right_to_the_definitions_values_are_in_extra(begin: Start, status: int) -> None:
    """On a first run: a warning, exit code 0, nothing lost; fields of other lists have their columns."""
    app, tap = begin()
    answer_with(app, status, "custom_field/lead")
    run = tap.sync()
    shared = {one["id"] for one in app.world.records("custom_fields") if one["object_type"] == "shared"}
    assert columns_of(run, "leads").keys() == Close(app.world).fields("leads").keys() & shared
    assert any("_extra" in record for record in run.records("leads"))
    assert len(lines(run, "WARNING", "leads: no columns for some custom fields", "not readable")) == 1
    assert columns_of(run, "contacts")
    assert_right(Close(app.world), run, *(stream for stream in STREAMS if stream != "custom_objects"))


@pytest.mark.usefixtures("measured_runs")
def test_an_organization_without_shared_fields_has_its_own(begin: Start) -> None:
    """Not every plan has shared ones: values of those are in `_extra`, if there are any."""
    app, tap = begin()
    answer_with(app, 402, "custom_field/shared")
    run = tap.sync(catalog=catalog_of(tap))
    shared = {one["id"] for one in app.world.records("custom_fields") if one["object_type"] == "shared"}
    for stream in STREAMS:
        assert columns_of(run, stream).keys() == Close(app.world).fields(stream).keys() - shared
    assert_right(Close(app.world), run)


@pytest.mark.parametrize(("kind", "status"), [("lead", 402), ("lead", 404), ("shared", 403)])
def test_a_catalog_with_columns_and_no_right_to_the_definitions_fails_by_name(
    begin: Start, offered: dict[str, Any], kind: str, status: int
) -> None:
    """Nulls would overwrite what was loaded; the streams with other lists are complete."""
    app, tap = begin()
    catalog = selecting(offered, *STREAMS, "custom_fields", "users", "sync_audit")
    answer_with(app, status, f"custom_field/{kind}")
    run = tap.sync(catalog=catalog, expect=1)
    failed = {"leads"} if kind == "lead" else set(STREAMS)
    assert {name for name, row in run.audit().items() if not row["complete"]} == failed
    for stream in failed:
        assert run.count(stream) == 0
        assert lines(run, f"stream `{stream}` is not complete", "definitions of custom fields")
    if others := [stream for stream in STREAMS if stream not in failed]:
        assert_right(Close(app.world), run, *others)
    assert "Traceback" not in run.log


def test_definitions_that_do_not_come_fail_the_streams_that_need_them(begin: Start, offered: dict[str, Any]) -> None:
    """By name, exit code 1; the others are complete, and nobody waits for each stream anew."""
    app, tap = begin()
    catalog = selecting(offered, *STREAMS, "users", "sync_audit")
    app.behaviour.faults = [FaultRule(["500"], every=1, path="custom_field/shared")]
    began = time.monotonic()
    run = tap.sync(catalog=catalog, expect=1, retry_seconds=2)
    took = time.monotonic() - began
    assert {name for name, row in run.audit().items() if not row["complete"]} == set(STREAMS)
    assert run.audit()["users"]["complete"]
    assert "Traceback" not in run.log
    assert took < 6, took
    app.behaviour.faults = []
    assert_right(Close(app.world), tap.sync(catalog=catalog, state=run.state))


def test_discovery_without_definitions_is_one_line_and_no_catalog(begin: Start) -> None:
    """A catalog that lacks columns would be wrong, and nobody would notice."""
    _, tap = begin(faults=[FaultRule(["500"], every=1, path="custom_field/contact")])
    _, log = tap.discover(expect=1, retry_seconds=1)
    assert [line for line in log.splitlines() if "ERROR" in line] == log.splitlines()[-1:]
    assert "definitions of custom fields of contact" in log.splitlines()[-1]
    assert "Traceback" not in log


WRONG: dict[tuple[str, str], Any] = {
    ("Region", "choices"): {"a": 1},
    ("Größe (m²)", "number"): "wide",
    ("Birthday 🎂", "date"): "some day",
    ("Notes", "textarea"): ["a"],
    ("Owner", "user"): True,
    ("顧客ランク", "choices"): [{"label": "A"}],
    ("Next call", "datetime"): "soon",
    ("Référents", "contact"): {"id": "cont_1"},
}


@pytest.mark.parametrize(("stream", "kind", "care"), PATHS, ids=["fast", "with care"])
def test_a_value_of_another_type_is_null_and_whole_in_extra(
    begin: Start, offered: dict[str, Any], stream: str, kind: str, *, care: bool
) -> None:
    """Each is counted, and warned of by its column."""
    app, tap = begin()
    wrong: dict[str, tuple[str, Any]] = {}
    for (which, value), record in zip(WRONG.items(), map(str, app.world.ids(stream)), strict=False):
        number = number_of(app.world, kind, *which)
        app.world.edit(stream, ids=[record], changes={f"custom.{number}": value})
        wrong[record] = (number, value)
    if care:
        app.world.edit(stream, count=SHAPE[stream], changes={"brand_new": True})
    run = tap.sync(catalog=selecting(offered, stream, "sync_audit"))
    columns = columns_of(run, stream)
    records = {record["id"]: record for record in run.records(stream)}
    for key, (number, value) in wrong.items():
        column = columns[number]
        assert records[key][column] is None
        assert records[key]["_extra"].get(column) == value, column
        assert len(lines(run, "WARNING", f"{stream}: 1 values of `{column}` did not fit")) == 1
    assert run.audit()[stream]["misfits"] == len(WRONG)
    assert_valid(run, stream)


def test_values_that_only_look_different_fit(begin: Start, offered: dict[str, Any]) -> None:
    """One value where several may be, texts for numbers, times of other zones and without any."""
    app, tap = begin()
    given: dict[tuple[str, str], tuple[Any, Any]] = {
        ("Größe (m²)", "number"): ("12.50", 12.5),
        ("顧客ランク", "choices"): ("Nord", ["Nord"]),
        ("Référents", "contact"): ("cont_1", ["cont_1"]),
        ("Next call", "datetime"): ("2026-03-01T01:30:00+02:00", "2026-02-28T23:30:00Z"),
        ("Region", "choices"): ("no choice any more", "no choice any more"),
        ("Region", "text"): (42, "42"),
    }
    numbers = {which: number_of(app.world, "lead", *which) for which in given}
    changes = {f"custom.{numbers[which]}": value for which, (value, _) in given.items()}
    (lead,) = app.world.edit("leads", changes=changes)
    run = tap.sync(catalog=selecting(offered, "leads", "sync_audit"))
    columns = columns_of(run, "leads")
    (record,) = [record for record in run.records("leads") if record["id"] == lead]
    for which, (_, value) in given.items():
        assert record[columns[numbers[which]]] == value, which
    assert "_extra" not in record

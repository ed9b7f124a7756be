"""A catalog that is older than the custom fields: each value in the column of its field, or in `_extra`."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib import Catalog

from tap_crm.shaping.custom.columns import CustomColumns, renamings
from tap_crm.shaping.custom.layouts import Prefixed
from tap_crm.shaping.schema import EXTRA
from tests.unit.raw_records import (
    CLOSE_KINDS,
    CLOSE_PREFIX,
    COPPER_KINDS,
    ENTRIES,
    KEY,
    CustomStream,
    close_definitions,
    close_fields,
    copper_definitions,
    copper_fields,
    custom_fields_of,
    loads,
    same,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

CRMS = ("copper", "close")
OPTIONS = [{"id": 100, "name": "S"}, {"id": 101, "name": "M"}]


def copper(*definitions: tuple[int, str, str], options: list[dict[str, Any]] | None = None) -> CustomStream:
    """Return a stream of Copper with these ids, names and kinds of custom fields, and a catalog of today."""
    more = {"available_on": ["task"], "options": OPTIONS if options is None else options}
    made = [{"id": key, "name": name, "data_type": kind, **more} for key, name, kind in definitions]
    return CustomStream.of("copper", copper_fields(made))


def close(*definitions: tuple[str, str, str]) -> CustomStream:
    """Return a stream of Close, likewise; a kind may be a list of values, such as ``date[]``."""
    made = [
        {"id": key, "name": name, "type": kind.removesuffix("[]"), "accepts_multiple_values": kind.endswith("[]")}
        for key, name, kind in definitions
    ]
    return CustomStream.of("close", close_fields(made))


def columns(stream: CustomStream, **values: Any) -> dict[str, Any]:
    """Return the record that is made of values by id, such as ``_7=5`` for Copper."""
    if stream.columns.layout.is_raw_as_it_comes:
        record: dict[str, Any] = {"id": 1, ENTRIES: [{KEY: int(key[1:]), "value": one} for key, one in values.items()]}
    else:
        record = {"id": "a", **{f"{CLOSE_PREFIX}{key}": one for key, one in values.items()}}
    return {name: value for name, value in stream.shaped(record).items() if name != "id"}


def stale(stream: CustomStream) -> str | None:
    """Return what the stream's catalog does not tell."""
    return stream.columns.staleness(stream.known)


# What a column's values are, whose field is another one now


def test_a_renamed_field_goes_on_in_its_old_column() -> None:
    """The target has that one."""
    stream = copper((7, "Size", "Float")).now(copper((7, "Length", "Float")))
    assert columns(stream, _7=5) == {"custom_size": 5}
    assert stale(stream) == "1 renamed (custom_size, now `Length`)"


def test_a_new_field_does_not_take_the_column_whose_name_it_has() -> None:
    """That one belongs to the field that was called so before."""
    stream = copper((7, "Size", "Float")).now(copper((7, "Length", "Float"), (8, "Size", "Float")))
    assert columns(stream, _7=5, _8=6) == {"custom_size": 5, EXTRA: {ENTRIES: [{KEY: 8, "value": 6}]}}
    assert stale(stream) == "1 new (custom_size); 1 renamed (custom_size, now `Length`)"


def test_two_fields_that_swapped_their_names_keep_their_columns() -> None:
    """The ids say whose they are."""
    before = close(("cf_1", "Size", "number"), ("cf_2", "Length", "number"))
    stream = before.now(close(("cf_1", "Length", "number"), ("cf_2", "Size", "number")))
    assert columns(stream, cf_1=1, cf_2=2) == {"custom_size": 1, "custom_length": 2}


def test_a_field_made_again_under_the_old_name_has_no_column_yet() -> None:
    """It is another field; the old column is empty."""
    stream = close(("cf_1", "Size", "number")).now(close(("cf_2", "Size", "number")))
    assert columns(stream, cf_2=2) == {"custom_size": None, EXTRA: {"custom.cf_2": 2}}
    assert stale(stream) == "1 new (custom_size); 1 gone (custom_size)"


def test_a_new_field_is_kept_in_extra() -> None:
    """Until the catalog knows it."""
    stream = close(("cf_1", "Size", "number")).now(close(("cf_1", "Size", "number"), ("cf_2", "Weight", "number")))
    assert columns(stream, cf_1=1, cf_2=2) == {"custom_size": 1, EXTRA: {"custom.cf_2": 2}}
    assert stale(stream) == "1 new (custom_weight)"


@pytest.mark.parametrize(
    "stream", [copper((7, "Size", "Float")).now(copper()), close(("cf_1", "S", "url")).now(close())]
)
def test_the_column_of_a_field_that_is_gone_is_null(stream: CustomStream) -> None:
    """The target does not keep the last value forever."""
    assert list(columns(stream).values()) == [None]
    assert str(stale(stream)).startswith("1 gone (custom_s")


def test_options_have_the_labels_that_they_have_now() -> None:
    """A catalog's description of them may be older."""
    now = [{"id": 100, "name": "Small"}, {"id": 101, "name": "M"}, {"id": 102, "name": "L"}]
    definition = (7, "Size", "MultiSelect")
    stream = copper(definition).now(copper(definition, options=now))
    assert columns(stream, _7=[100, 101, 102]) == {"custom_size": ["Small", "M", "L"]}
    assert stale(stream) is None


@pytest.mark.parametrize(
    ("old", "new", "value", "column"),
    [
        ("String", "Float", Decimal("5.5"), "5.5"),
        ("String", "Dropdown", 100, "S"),
        ("String", "Rocket", "text", "text"),
        ("Float", "String", "12", 12),
        ("Dropdown", "String", "M", "M"),
        ("Dropdown", "MultiSelect", 101, "M"),
        ("MultiSelect", "Dropdown", 101, ["M"]),
        ("MultiSelect", "String", "some", ["some"]),
        ("Connect", "String", "some", ["some"]),
        ("Date", "String", "2026-01-31", "2026-01-31"),
        ("Rocket", "Float", 5, "5"),
    ],
)
def test_a_field_of_another_type_goes_on_where_its_values_fit(old: str, new: str, value: Any, column: Any) -> None:
    """In the type that the target knows."""
    stream = copper((7, "Size", old)).now(copper((7, "Size", new)))
    assert columns(stream, _7=value) == {"custom_size": column}
    is_same = {old, new} == {"String", "Dropdown"}
    assert stale(stream) == (None if is_same else "1 of another type (custom_size)")


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("Float", "String", "twelve"),
        ("Float", "Dropdown", 100),
        ("Float", "Checkbox", True),
        ("Checkbox", "String", "perhaps"),
        ("String", "Checkbox", True),
        ("String", "Connect", [1]),
        ("Dropdown", "MultiSelect", [101]),
        ("Date", "Float", 5),
        ("Date", "Percentage", Decimal("0.5")),
        ("Date", "Connect", [5]),
        ("Date", "Text", "2026-01-31T10:00:00"),
    ],
)
def test_a_value_that_does_not_fit_the_old_type_is_kept_as_it_came(old: str, new: str, value: Any) -> None:
    """In `_extra`: a number is no day, and an option's id no number."""
    stream = copper((7, "Size", old)).now(copper((7, "Size", new)))
    assert columns(stream, _7=value) == {"custom_size": None, EXTRA: {"custom_size": value}}


@pytest.mark.parametrize(
    ("old", "new", "value", "column"),
    [
        ("datetime", "date", "2026-01-31", "2026-01-31T00:00:00Z"),
        ("datetime", "text", "2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z"),
        ("date", "datetime", "2026-01-31T00:00:00", "2026-01-31"),
        ("date[]", "date", "2026-01-31", ["2026-01-31"]),
        ("date[]", "datetime[]", ["2026-01-31T00:00:00Z", None], ["2026-01-31", None]),
    ],
)
def test_a_time_goes_on_where_it_fits(old: str, new: str, value: Any, column: Any) -> None:
    """A day is its midnight."""
    stream = close(("cf_1", "Size", old)).now(close(("cf_1", "Size", new)))
    assert columns(stream, cf_1=value) == {"custom_size": column}
    assert stale(stream) == "1 of another type (custom_size)"


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("date", "datetime", "2026-01-31T10:00:00"),
        ("date", "datetime", "2026-01-31T00:00:00+02:00"),
        ("date", "number", 5),
        ("datetime", "number", 5),
        ("date[]", "number[]", [5]),
        ("date[]", "datetime", "2026-01-31T10:00:00"),
        ("datetime", "date[]", ["2026-01-31"]),
    ],
)
def test_a_date_column_loses_no_time_of_day(old: str, new: str, value: Any) -> None:
    """What a date cannot say is in `_extra`."""
    stream = close(("cf_1", "Size", old)).now(close(("cf_1", "Size", new)))
    assert columns(stream, cf_1=value) == {"custom_size": None, EXTRA: {"custom_size": value}}


@settings(max_examples=60)
@given(st.sampled_from(COPPER_KINDS), st.sampled_from(COPPER_KINDS), st.data())
def test_a_value_of_any_new_type_is_in_its_column_or_in_extra(old: str, new: str, data: st.DataObject) -> None:
    """And never ends a stream."""
    value = data.draw(st.sampled_from([100, [100], "S", True, 0, Decimal("1.5"), "2026-01-31", {"a": 1}, -86_400]))
    stream = copper((7, "Size", old)).now(copper((7, "Size", new)))
    shaped = columns(stream, _7=value)
    assert (shaped["custom_size"] is not None) != (EXTRA in shaped)
    assert EXTRA not in shaped or same(shaped[EXTRA], {"custom_size": value})


# Catalogs without descriptions


def test_a_catalog_without_descriptions_is_matched_by_name() -> None:
    """Someone may have cut it down by hand."""
    before = copper((7, "Size", "Float"), (8, "Gone", "Float"))
    bare = {name: {key: part for key, part in one.items() if key == "type"} for name, one in before.known.items()}
    stream = CustomStream(before.columns, bare).now(copper((7, "Size", "Float"), (9, "New", "Float")))
    assert columns(stream, _7=5, _9=6) == {"custom_size": 5, EXTRA: {ENTRIES: [{KEY: 9, "value": 6}]}}
    assert stale(stream) == "1 new (custom_new)"


def test_a_description_in_other_words_is_none() -> None:
    """The column is matched by its name."""
    stream = copper((7, "Size", "Float"))
    stream.known["custom_size"] = {**stream.known["custom_size"], "description": "How large it is."}
    assert columns(stream, _7=5) == {"custom_size": 5}
    assert stale(stream) is None


# What is told


def round_trip(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties as a catalog's file and the SDK give them back."""
    entry = {"tap_stream_id": "tasks", "schema": {"type": "object", "properties": properties}, "metadata": []}
    told = json.loads(json.dumps(Catalog.from_dict({"streams": [entry]}).to_dict()))
    again = Catalog.from_dict(told)["tasks"].schema.to_dict()["properties"]
    assert isinstance(again, dict)
    return again


def reordered(schema: Any, chance: random.Random) -> Any:
    """Return a schema with its types and keys in another order."""
    if not isinstance(schema, dict):
        return schema
    found = [(name, reordered(part, chance)) for name, part in schema.items()]
    chance.shuffle(found)
    again = dict(found)
    if isinstance(again.get("type"), list):
        again["type"] = chance.sample(again["type"], len(again["type"]))
    return again


@pytest.mark.parametrize("crm", CRMS)
@settings(max_examples=40)
@given(data=st.data(), by=st.sampled_from(["name", "id"]), form=st.sampled_from(["columns", "raw", "both"]))
def test_nothing_is_told_of_a_catalog_of_today(crm: str, data: st.DataObject, by: str, form: str) -> None:
    """Whatever its way through files and the SDK did to it, for all kinds and options."""
    stream = CustomStream.of(crm, data.draw(custom_fields_of(crm)), form, by)
    known = reordered(round_trip(stream.known), data.draw(st.randoms()))
    assert stream.columns.staleness(known) is None
    in_effect = stream.columns.in_effect(known)
    assert {key: one.name for key, one in in_effect.items()} == {
        str(one.key): name for name, one in stream.columns.fields.items()
    }


@pytest.mark.parametrize("kind", [*COPPER_KINDS, *CLOSE_KINDS])
def test_no_kind_alarms_falsely(kind: str) -> None:
    """Alone, or as several values."""
    for stream in (copper((7, "Size", kind)), close(("cf_1", "Size", kind)), close(("cf_1", "Size", f"{kind}[]"))):
        assert stream.columns.staleness(round_trip(stream.known)) is None


@settings(max_examples=40)
@given(copper_definitions, copper_definitions)
def test_every_field_has_its_column_or_is_told_to_be_new(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    """Whatever became of the definitions: no column has the values of two fields, none those of another field."""
    old = CustomStream.of("copper", copper_fields(before))
    stream = old.now(CustomStream.of("copper", copper_fields(after)))
    found = stream.columns.in_effect(stream.known)
    owners = {str(one.key): name for name, one in old.columns.fields.items()}
    ids = {str(one["id"]) for one in after}
    assert {key: one.name for key, one in found.items()} == {key: name for key, name in owners.items() if key in ids}
    told = stale(stream) or ""
    assert (" new (" in told) == bool(ids - owners.keys())
    assert (" gone (" in told) == bool(owners.keys() - ids)


def test_many_changes_are_told_in_one_line() -> None:
    """The first of them by name."""
    stream = close().now(close(*((f"cf_{number}", f"f{number}", "text") for number in range(7))))
    assert stale(stream) == "7 new (custom_f0, custom_f1, custom_f2, custom_f3, custom_f4 and 2 more)"


# What was renamed since the last run


def told(before: Any, types: Any = None, **streams: CustomStream) -> list[str]:
    """Return the lines on streams whose last run left this in the state."""
    return renamings(
        {name: stream.columns for name, stream in streams.items()},
        {name: stream.known for name, stream in streams.items()},
        before,
        types or {},
    )


def test_a_renamed_column_is_told_once_for_all_streams() -> None:
    """With both names, and where its values are."""
    stream, other = copper((7, "Length", "Float"), (8, "Same", "Float")), copper((7, "Length", "Float"))
    names = {"7": "custom_size", "8": "custom_same"}
    (line,) = told({"people": names, "tasks": names}, people=stream, tasks=other)
    assert line.startswith("custom field 7 of people, tasks was renamed: its values arrive in `custom_length`")
    assert "`custom_size` keeps what was loaded before" in line


def test_a_column_whose_type_is_another_one_is_told_so() -> None:
    """A renamed field is told apart from one of another kind, by the types that the last run left."""
    stream = copper((7, "Size", "Float")).now(copper((7, "Size", "Float")))
    (line,) = told({"tasks": {"7": "custom_before"}}, {"tasks": {"custom_before": "text"}}, tasks=stream)
    assert line.startswith("custom field 7 of tasks is of another kind now: its values arrive in `custom_size`")
    (line,) = told({"tasks": {"7": "custom_before"}}, {"tasks": {"custom_before": "number"}}, tasks=stream)
    assert line.startswith("custom field 7 of tasks was renamed")


def test_a_column_that_the_catalog_still_has_was_not_renamed() -> None:
    """Its field was; the values arrive where they did."""
    stream = copper((7, "Size", "Float")).now(copper((7, "Length", "Float")))
    assert told({"tasks": {"7": "custom_size"}}, tasks=stream) == []


@pytest.mark.parametrize(
    "before",
    [
        {},
        {"tasks": None},
        {"tasks": "junk"},
        {"tasks": ["custom_size"]},
        {"tasks": {"7": None, "8": 5}},
        {"tasks": {"7": ["custom_size"]}},
        {"tasks": {"gone": "custom_gone"}},
        {"others": {"7": "custom_old"}},
    ],
)
def test_without_a_memory_nothing_was_renamed(before: dict[str, Any]) -> None:
    """Whatever the state holds."""
    assert told(before, tasks=copper((7, "Size", "Float"))) == []


@given(close_definitions)
def test_what_was_remembered_a_moment_ago_was_not_renamed(definitions: list[dict[str, Any]]) -> None:
    """For any definitions."""
    stream = CustomStream.of("close", close_fields(definitions))
    names = {key: one.name for key, one in stream.columns.in_effect(stream.known).items()}
    assert told(loads(json.dumps({"leads": names})), leads=stream) == []


# The schema


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("columns", {"custom_size"}),
        ("both", {"custom_size", ENTRIES}),
        ("raw", {ENTRIES}),
    ],
)
def test_a_schema_has_what_the_setting_says(form: str, names: set[str]) -> None:
    """Columns, the values as they come, or both; `_extra` is last."""
    definition = {"id": "cf_1", "name": "Size", "type": "number"}
    stream = CustomStream.of("close", close_fields([definition]), form)
    assert stream.known.keys() == {"id", "name", "date_created", EXTRA} | names
    assert list(stream.known)[-1] == EXTRA
    assert {name for name, part in stream.known.items() if stream.columns.owns(name, part)} == names - {ENTRIES}


def test_a_schema_is_not_changed_by_its_custom_fields() -> None:
    """Streams may share it."""
    schema = {"type": "object", "properties": {"id": {}, ENTRIES: {}, EXTRA: {}}}
    before = copy.deepcopy(schema)
    fields = close(("cf_1", "Size", "number")).columns.fields
    extended = CustomColumns(Prefixed(CLOSE_PREFIX), "columns", fields).extend(schema)
    assert schema == before
    assert list(extended["properties"]) == ["id", "custom_size", EXTRA]

"""Values of custom fields: labels for ids, types as declared, and nothing of a record lost."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_crm.shaping.conform import compile_conform
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types
from tests.unit.raw_records import (
    CLOSE_PREFIX,
    ENCODER,
    ENTRIES,
    KEY,
    RECORDS,
    CustomStream,
    close_fields,
    copper_fields,
    custom_fields_of,
    custom_records,
    loads,
    same,
)

if TYPE_CHECKING:
    from tap_crm.shaping.custom.fields import CustomField

CRMS = ("copper", "close")
FORMS = ("columns", "raw", "both")
SIZES = [{"id": 100, "name": "S"}, {"id": 101, "name": "M"}, {"id": 103, "name": "100"}]


def copper(kind: str, form: str = "columns", **more: Any) -> CustomStream:
    """Return a stream of Copper with one custom field, `custom_size`."""
    one = {"id": 7, "name": "Size", "data_type": kind, "available_on": ["task"], "options": SIZES, **more}
    return CustomStream.of("copper", copper_fields([one]), form)


def close(kind: str, form: str = "columns", *, many: bool = False) -> CustomStream:
    """Return a stream of Close with one custom field, `custom_size`."""
    one = {"id": "cf_1", "name": "Size", "type": kind, "accepts_multiple_values": many, "choices": ["S", "M"]}
    return CustomStream.of("close", close_fields([one]), form)


def with_value(stream: CustomStream, value: Any) -> dict[str, Any]:
    """Return a record that has the value in the stream's one field."""
    if stream.columns.layout.is_raw_as_it_comes:
        return {"id": 1, ENTRIES: [{KEY: 7, "value": value}]}
    return {"id": "a", f"{CLOSE_PREFIX}cf_1": value}


def column(stream: CustomStream, value: Any) -> Any:
    """Return what the column has of a value that fits."""
    shaped = stream.shaped(with_value(stream, value))
    assert EXTRA not in shaped
    return shaped["custom_size"]


# Nothing is lost


def says(shaped: Any, raw: Any, field: CustomField, schema: dict[str, Any]) -> bool:  # noqa: PLR0911 - a table
    """Tell whether a column has a value in its own form."""
    if "array" in json_types(schema):
        parts = raw if isinstance(raw, list) else [raw]
        return (
            isinstance(shaped, list)
            and len(parts) == len(shaped)
            and all(says(one, part, field, schema["items"]) for one, part in zip(shaped, parts, strict=True))
        )
    if field.options is not None:
        return shaped in _options(raw, field.options)
    if is_json_text(schema):
        return raw is None if shaped is None else same(loads(shaped), raw)
    if is_free_form(schema):
        return same(shaped, raw)
    if raw is None or (shaped is None and raw in ("null", "NULL")):
        return shaped is None
    if "format" in schema or "boolean" in json_types(schema):
        return same(shaped, compile_conform(schema, "mdy")(raw))
    if "string" in json_types(schema):
        return isinstance(shaped, str) and shaped == str(raw)
    return not isinstance(shaped, bool) and Decimal(shaped) == Decimal(raw)


def _options(raw: Any, options: Any) -> list[str]:
    """Return what a column may say of an option's id: its label; without one, itself."""
    found = [label for key, label in options.items() if not isinstance(raw, bool) and str(key) == str(raw)]
    if isinstance(raw, Decimal) and raw in options:
        return [options[raw]]
    return found or [str(raw)]


def extra_of(shaped: dict[str, Any]) -> dict[str, Any]:
    """Return what of a record fits no column."""
    found: dict[str, Any] = shaped.get(EXTRA) or {}
    return found


def has(values: Any, value: Any) -> bool:
    """Tell whether a list has a value."""
    return isinstance(values, list) and any(same(one, value) for one in values)


def is_in_a_column(stream: CustomStream, shaped: dict[str, Any], key: str, value: Any) -> bool:
    """Tell whether a value is in the column of its field, or in `_extra` under that column's name."""
    found = stream.columns.in_effect(stream.known).get(key)
    if found is None:
        return False
    if found.name in extra_of(shaped):
        return shaped[found.name] is None and same(extra_of(shaped)[found.name], value)
    return says(shaped[found.name], value, found.field, dict(found.schema))


def is_kept(stream: CustomStream, shaped: dict[str, Any], entry: Any) -> bool:
    """Tell whether nothing of an entry of Copper is lost."""
    rest = extra_of(shaped).get(ENTRIES)
    if has(rest, entry):
        return True
    if not isinstance(entry, dict) or not entry.keys() <= {KEY, "value"} or isinstance(entry.get(KEY), (bool, Decimal)):
        return False
    key, value = str(int(entry[KEY])), entry.get("value")
    return value is None or is_in_a_column(stream, shaped, key, value) or has(rest, {KEY: int(key), "value": value})


def assert_kept(stream: CustomStream, shaped: dict[str, Any], name: str, value: Any) -> None:
    """Assert that a field of a record is somewhere."""
    form, extra = stream.columns.form, extra_of(shaped)
    if name == ENTRIES and stream.columns.layout.is_raw_as_it_comes:
        if form != "columns":
            assert same(extra.get(ENTRIES, shaped.get(ENTRIES)), value) or has_text_ids(value)
        elif isinstance(value, list):
            assert all(is_kept(stream, shaped, entry) for entry in value), (shaped, value)
        else:
            assert same(extra.get(ENTRIES), value)
    elif name.startswith(CLOSE_PREFIX):
        key = name.removeprefix(CLOSE_PREFIX)
        kept = value is None or is_in_a_column(stream, shaped, key, value) or same(extra.get(name, False), value)
        raw = (shaped.get(ENTRIES) or {}).get(key, False)
        assert same(raw, value) if form != "columns" else kept
    elif name in extra:
        assert same(extra[name], value)
    else:
        assert name in shaped


def has_text_ids(value: Any) -> bool:
    """Tell whether an id comes as text: the schema says that it is a number, also where values are as they come."""
    return isinstance(value, list) and any(
        isinstance(one, dict) and isinstance(one.get(KEY), (str, Decimal)) for one in value
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("crm", CRMS)
@settings(max_examples=15)
@given(data=st.data())
def test_every_value_is_in_a_column_or_kept_as_it_came(crm: str, form: str, data: st.DataObject) -> None:
    """Whatever a record has: odd entries, entries twice, ids as text, unknown keys, no list at all."""
    fields = data.draw(custom_fields_of(crm))
    stream = CustomStream.of(crm, fields, form)
    record = RECORDS.decode(ENCODER.encode([data.draw(custom_records(crm, fields))]))[0]
    values = stream.values()
    shaped = stream.shaped(record, values=values)

    assert shaped.keys() <= stream.known.keys()
    Draft202012Validator({"properties": stream.known}).validate(shaped)
    for name, value in record.items():
        assert_kept(stream, shaped, name, value)
    if values is not None:
        assert stream.columns.fields.keys() <= shaped.keys()
        assert values.misfits == Counter(stream.columns.fields.keys() & extra_of(shaped).keys())


@pytest.mark.parametrize("crm", CRMS)
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_not_wanted_does_not_appear(crm: str, data: st.DataObject) -> None:
    """Neither as a column nor, where it does not fit, in `_extra`."""
    fields = data.draw(custom_fields_of(crm))
    stream = CustomStream.of(crm, fields, data.draw(st.sampled_from(FORMS)))
    wanted = data.draw(st.frozensets(st.sampled_from(sorted(stream.known)))) | {"id"}
    shaped = stream.shaped(data.draw(custom_records(crm, fields)), wanted)
    assert shaped.keys() <= wanted
    unwanted = {column.name for column in stream.columns.in_effect(stream.known).values()} - wanted
    assert not unwanted & extra_of(shaped).keys()


# Kinds


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("String", "0042", "0042"),
        ("String", 42, "42"),
        ("Text", "two\nlines", "two\nlines"),
        ("URL", "https://example.com", "https://example.com"),
        ("Dropdown", 101, "M"),
        ("Dropdown", "101", "M"),
        ("Dropdown", "M", "M"),
        ("Dropdown", 100, "S"),
        ("Dropdown", "100", "100"),
        ("MultiSelect", [101, 100], ["M", "S"]),
        ("MultiSelect", [], []),
        ("MultiSelect", 101, ["M"]),
        ("Date", 1_769_817_600, "2026-01-31"),
        ("Date", -86_400, "1969-12-31"),
        ("Date", "1/31/2026", "2026-01-31"),
        ("Checkbox", True, True),
        ("Checkbox", False, False),
        ("Float", Decimal("0.1"), Decimal("0.1")),
        ("Currency", 12, 12),
        ("Percentage", "50", 50),
        ("Connect", [1, 2], [1, 2]),
        ("Connect", {"id": 1}, [{"id": 1}]),
        ("Rocket", {"a": [1, None]}, '{"a":[1,null]}'),
    ],
)
def test_a_value_of_copper_has_the_form_of_its_kind(kind: str, value: Any, expected: Any) -> None:
    """Labels for options, dates as such, numbers exact."""
    assert same(column(copper(kind), value), expected)


@pytest.mark.parametrize(
    ("kind", "many", "value", "expected"),
    [
        ("text", False, "0042", "0042"),
        ("number", False, Decimal("12.50"), Decimal("12.50")),
        ("date", False, "2026-01-31", "2026-01-31"),
        ("datetime", False, "2026-01-31T01:00:00+02:00", "2026-01-30T23:00:00Z"),
        ("datetime", False, "2026-01-31T01:00:00", "2026-01-31T01:00:00Z"),
        ("choices", False, "S", "S"),
        ("choices", True, ["S", "gone"], ["S", "gone"]),
        ("choices", True, "S", ["S"]),
        ("user", False, "user_1", "user_1"),
        ("contact", True, ["cont_1"], ["cont_1"]),
        ("custom_object", True, [], []),
        ("rocket", True, [1], "[1]"),
    ],
)
def test_a_value_of_close_has_the_form_of_its_kind(kind: str, many: bool, value: Any, expected: Any) -> None:
    """As its definition says."""
    assert same(column(close(kind, many=many), value), expected)


@pytest.mark.parametrize("stream", [copper("Dropdown"), copper("Float"), close("text"), close("user", many=True)])
def test_a_field_without_a_value_is_null(stream: CustomStream) -> None:
    """Whether it is absent or set to nothing."""
    assert column(stream, None) is None
    assert stream.shaped({"id": 1}).get("custom_size", 0) is None


# What does not fit


@pytest.mark.parametrize(
    ("stream", "value"),
    [
        (copper("Dropdown"), [100]),
        (copper("Dropdown"), True),
        (copper("Dropdown"), {"id": 100}),
        (copper("MultiSelect"), [100, None]),
        (copper("Float"), "much"),
        (copper("Float"), True),
        (copper("Checkbox"), "perhaps"),
        (copper("Date"), "someday"),
        (copper("Date"), 10**30),
        (copper("String"), {"text": "a"}),
        (close("date"), "2026-02-30"),
        (close("datetime"), []),
        (close("number", many=True), [1, "two"]),
        (close("text"), ["a"]),
    ],
)
def test_a_value_of_another_type_is_kept_whole(stream: CustomStream, value: Any) -> None:
    """Null in its column, itself in `_extra` under the column's name, counted; the record is written."""
    values = stream.values()
    assert values is not None
    shaped = stream.shaped(with_value(stream, value), values=values)
    assert shaped["custom_size"] is None
    assert same(shaped[EXTRA], {"custom_size": value})
    assert values.misfits == {"custom_size": 1}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("Dropdown", 999, "999"),
        ("Dropdown", "999", "999"),
        ("Dropdown", "Gone", "Gone"),
        ("Dropdown", "1" * 5000, "1" * 5000),
        ("Dropdown", "\u0661\u0660\u0660", "\u0661\u0660\u0660"),
        ("MultiSelect", [100, 999], ["S", "999"]),
    ],
)
def test_an_unknown_option_stays_as_its_id(kind: str, value: Any, expected: Any) -> None:
    """As text, counted."""
    stream = copper(kind)
    values = stream.values()
    assert values is not None
    shaped = stream.shaped(with_value(stream, value), values=values)
    assert shaped["custom_size"] == expected
    assert EXTRA not in shaped
    assert values.unlabelled == {"custom_size": 1}


# What has no column


def test_a_value_of_copper_without_a_definition_is_kept_as_an_entry() -> None:
    """In the source's form, counted."""
    stream = copper("Float")
    values = stream.values()
    assert values is not None
    gone = {KEY: 5, "value": {"a": 1}}
    shaped = stream.shaped({"id": 1, ENTRIES: [gone, {KEY: 7, "value": 1}]}, values=values)
    assert shaped == {"id": 1, "custom_size": 1, EXTRA: {ENTRIES: [gone]}}
    assert values.undefined == {5: 1}


def test_a_value_of_close_without_a_definition_is_kept_as_a_field() -> None:
    """In the source's form, counted."""
    stream = close("text")
    values = stream.values()
    assert values is not None
    shaped = stream.shaped({"id": "a", "custom.cf_gone": 1, "custom.cf_1": "b"}, values=values)
    assert shaped == {"id": "a", "custom_size": "b", EXTRA: {"custom.cf_gone": 1}}
    assert values.undefined == {"cf_gone": 1}


def test_entries_that_are_not_as_documented_are_kept_as_they_are() -> None:
    """And those that are go into their columns."""
    odd = [None, "text", {KEY: True, "value": 1}, {"value": 2}, {KEY: 7, "value": 4}]
    shaped = copper("Float").shaped({"id": 1, ENTRIES: [{KEY: "7", "value": 3}, *odd]})
    assert shaped == {"id": 1, "custom_size": 3, EXTRA: {ENTRIES: odd}}


def test_an_entry_with_an_unknown_key_is_read_and_kept() -> None:
    """The key may say what the value does not."""
    entry = {KEY: 7, "value": 3, "unit": "kg"}
    shaped = copper("Float").shaped({"id": 1, ENTRIES: [entry]})
    assert shaped == {"id": 1, "custom_size": 3, EXTRA: {ENTRIES: [entry]}}


@pytest.mark.parametrize("key", ["1" * 5000, "7.0", "-7", "", "²"])
def test_an_id_that_is_none_is_kept_with_its_value(key: str) -> None:
    """It ends no stream."""
    entry = {KEY: key, "value": 3}
    assert copper("Float").shaped({"id": 1, ENTRIES: [entry]})[EXTRA] == {ENTRIES: [entry]}


@pytest.mark.parametrize("odd", [{"a": 1}, "text", 5, True])
def test_a_list_of_values_that_is_none_is_kept(odd: Any) -> None:
    """Whole."""
    assert copper("Float").shaped({"id": 1, ENTRIES: odd}) == {"id": 1, "custom_size": None, EXTRA: {ENTRIES: odd}}


# Values as they come


@pytest.mark.parametrize("form", ["raw", "both"])
def test_values_of_copper_as_they_come_are_the_list_itself(form: str) -> None:
    """With entries that no definition knows, and without labels."""
    entries = [{KEY: 7, "value": 100}, {KEY: 5, "value": None}]
    shaped = copper("Dropdown", form).shaped({"id": 1, ENTRIES: entries})
    assert shaped == {"id": 1, ENTRIES: entries, **({"custom_size": "S"} if form == "both" else {})}


@pytest.mark.parametrize("form", ["raw", "both"])
def test_values_of_close_as_they_come_are_an_object_by_id(form: str) -> None:
    """With fields that no definition knows."""
    shaped = close("number", form).shaped({"id": "a", "custom.cf_1": "12", "custom.cf_gone": [1]})
    named = {"custom_size": 12} if form == "both" else {}
    assert shaped == {"id": "a", ENTRIES: {"cf_1": "12", "cf_gone": [1]}, **named}


def test_a_record_without_custom_fields_stays_without_them() -> None:
    """Absent is not null, where values are as they come."""
    assert copper("Float", "both").shaped({"id": 1}) == {"id": 1, "custom_size": None}
    assert copper("Float", "both").shaped({"id": 1, ENTRIES: None}) == {"id": 1, ENTRIES: None, "custom_size": None}


def test_a_field_of_the_source_that_is_called_like_the_gathered_values_is_kept() -> None:
    """Close has none such today."""
    shaped = close("text", "both").shaped({"id": "a", ENTRIES: "theirs", "custom.cf_1": "b"})
    assert shaped == {"id": "a", ENTRIES: {"cf_1": "b"}, "custom_size": "b", EXTRA: {ENTRIES: "theirs"}}


@pytest.mark.parametrize("odd", [[1], {"a": 1}])
def test_what_has_no_column_is_kept_where_values_as_they_come_are_deselected(odd: Any) -> None:
    """`_extra` is selected."""
    stream = copper("Float", "both")
    shaped = stream.shaped({"id": 1, ENTRIES: odd}, stream.everything - {ENTRIES})
    assert shaped == {"id": 1, "custom_size": None, EXTRA: {ENTRIES: odd}}


@pytest.mark.parametrize("stream", [copper("Float", "raw"), close("number", "raw")])
def test_who_deselects_the_only_column_of_custom_fields_wants_none(stream: CustomStream) -> None:
    """They are not in `_extra` either."""
    shaped = stream.shaped(with_value(stream, 5), stream.everything - {ENTRIES})
    assert shaped.keys() == {"id"}

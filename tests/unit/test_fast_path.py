"""The fast path: whatever it writes is what the careful path writes; the rest it leaves to that one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.shaping.compiled import PageEncoder
from tap_crm.shaping.conform import RecordConformer
from tap_crm.shaping.schema import EXTRA
from tests.unit.raw_records import EVERYTHING, all_schemas, loads, records, same

SCHEMAS = all_schemas()
ENCODER = msgspec.json.Encoder(decimal_format="number")
ODD = {name: records(schema) for name, schema in SCHEMAS.items()}
PLAIN = {name: records(schema, careful=False) for name, schema in SCHEMAS.items()}
DECODER = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)


def careful(schema: dict[str, Any], wanted: frozenset[str], body: bytes, order: str = "mdy") -> list[dict[str, Any]]:
    """Return what the careful path makes of a page, as a reader of the lines sees it."""
    shaper = RecordConformer(schema, wanted, order)
    return [loads(ENCODER.encode(shaper.conform(record))) for record in DECODER.decode(body)]


def fast(
    schema: dict[str, Any], wanted: frozenset[str], body: bytes, keep: list[int] | None = None, order: str = "mdy"
) -> list[dict[str, Any]] | None:
    """Return what the fast path makes of it, if anything."""
    lines = PageEncoder(schema, wanted, order).encode(body, keep)
    return None if lines is None else [loads(line) for line in lines]


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=8)
@given(data=st.data())
def test_both_paths_write_the_same(name: str, data: st.DataObject) -> None:
    """For any page, any selection of fields, any choice of records and either order of dates."""
    schema = SCHEMAS[name]
    page = data.draw(st.lists(ODD[name], max_size=2) | st.lists(PLAIN[name], max_size=3))
    fields = sorted(schema["properties"])
    wanted = data.draw(st.just(frozenset(fields)) | st.frozensets(st.sampled_from(fields)))
    positions = st.lists(st.sampled_from(range(len(page))), unique=True) if page else st.just([])
    keep = data.draw(st.none() | positions)
    order = data.draw(st.sampled_from(["mdy", "dmy"]))
    body = ENCODER.encode(page)
    written = fast(schema, wanted, body, keep, order)
    if written is not None:
        expected = careful(schema, wanted, body, order)
        assert same(written, expected if keep is None else [expected[at] for at in keep])


@settings(max_examples=100)
@given(data=st.data())
def test_one_odd_value_is_written_the_same_or_not_at_all(data: st.DataObject) -> None:
    """One field at a time, so that odd values do not hide behind each other."""
    name = data.draw(st.sampled_from(["everything", "everything", "opportunities", "activities"]))
    schema, record = SCHEMAS[name], data.draw(ODD[name])
    field = data.draw(st.sampled_from(sorted(record)))
    body = ENCODER.encode([{"id": 1, field: record[field]}])
    wanted = frozenset(schema["properties"])
    written = fast(schema, wanted, body)
    assert written is None or same(written, careful(schema, wanted, body))


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=3)
@given(data=st.data())
def test_a_documented_page_takes_the_fast_path(name: str, data: st.DataObject) -> None:
    """Otherwise it would be for nothing."""
    schema = SCHEMAS[name]
    page = data.draw(st.lists(PLAIN[name], max_size=3))
    assert fast(schema, frozenset(schema["properties"]), ENCODER.encode(page)) is not None


@pytest.mark.parametrize("text", ["Nancy from finance", "information", "NaN"])
def test_words_that_look_like_no_number_cost_nothing(text: str) -> None:
    """Half of all texts contain "inf" or "nan"."""
    schema = SCHEMAS["opportunities"]
    body = ENCODER.encode([{"id": 1, "name": text, "monetary_value": Decimal("5.5")}])
    assert fast(schema, frozenset(schema["properties"]), body) is not None


@pytest.mark.parametrize(
    "record",
    [
        b'{"id": 1, "no\\"name": 1}',
        b'{"id": 1, "flag": "perhaps"}',
        b'{"id": 1, "amount": "NaN"}',
        b'{"id": 1, "amount": "-Infinity"}',
        b'{"id": 1, "amounts": ["NaN"]}',
        b'{"id": 1, "nested": {"amount": "nan"}}',
        b'{"id": 1, "when": "2026-01-01T00:00:00+02:00"}',
        b'{"id": 1, "when": 253402300800}',
        b'{"id": 1, "when": "1/31/2026"}',
        b'{"id": 1, "day": "someday"}',
        b'{"id": 1, "plain_nested": []}',
        b'{"id": 9007199254740993.0}',
        b'{"id": 9007199254740991.5}',
        b'{"id": 1, "_extra": {"theirs": 1}}',
        b'{"id": 1, "free_list": {}}',
        b'{"id": 1, "as_text": "\\ud800 half a character"}',
        b"1",
    ],
)
def test_what_needs_care_is_left_to_the_careful_path(record: bytes) -> None:
    """The whole page is."""
    encoder = PageEncoder(EVERYTHING, frozenset(EVERYTHING["properties"]), "mdy")
    assert encoder.encode(b'[{"id": 0},' + record + b"]", None) is None
    assert encoder.encode(b'[{"id": 0}]', None) is not None


UNKNOWN = [
    b'{"id": 1, "unknown": 1.50}',
    b'{"id": 1, "unknown": {"a": [1e3, null]}, "new": null}',
    b'{"id": 1, "plain_nested": {"unknown": {"a": 0.10}}}',
    b'{"id": 1, "plain_list": [{"unknown": 1}, {"new": 2}, null]}',
    b'{"id": 1, "plain_nested": {"unknown": null}, "unknown": "text", "unknown`": 3}',
]


@pytest.mark.parametrize("record", UNKNOWN)
def test_a_field_that_no_schema_knows_is_kept_without_the_careful_path(record: bytes) -> None:
    """Else one new field of the CRM would double what each run costs."""
    nested = {"type": ["object", "null"], "properties": {"name": {"type": ["string", "null"]}}}
    more = {"plain_nested": nested, "plain_list": {"type": ["array", "null"], "items": nested}}
    schema = {**EVERYTHING, "properties": {**EVERYTHING["properties"], **more}}
    wanted = frozenset(schema["properties"])
    encoder = PageEncoder(schema, wanted, "mdy")
    for body in (b'[{"id": 0},' + record + b"]", b'[{"id": 2, "name": "x"}]', b"[" + b",".join(UNKNOWN) + b"]"):
        lines = encoder.encode(body, None)
        assert lines is not None
        assert same([loads(line) for line in lines], careful(schema, wanted, body))


def test_an_answer_that_is_set_out_for_people_is_one_line_for_each_record() -> None:
    """Values of any shape are written as they came, but for the ends of lines."""
    body = b'[\r\n {"id": 1,\n "anything": [1.50,\n {"a":\r"b\\n"}]}]'
    wanted = frozenset(EVERYTHING["properties"])
    lines = PageEncoder(EVERYTHING, wanted, "mdy").encode(body, None)
    assert lines == [b'{"id":1,"anything":[1.50,{"a":"b\\n"}]}']


def test_fields_without_end_take_the_careful_path() -> None:
    """A structure of them all would be as slow."""
    body = ENCODER.encode([{"id": 1, **{f"unknown_{number}": number for number in range(100)}}])
    assert fast(EVERYTHING, frozenset(EVERYTHING["properties"]), body) is None


def test_times_in_lists_and_objects_are_in_utc() -> None:
    """Not only those at the top."""
    body = b'[{"id": 1, "times": ["2026-01-01T00:00:00+02:00"], "nested": {"when": "2026-01-01T00:00:00-02:00"}}]'
    wanted = frozenset({"times", "nested", EXTRA, "id"})
    written = fast(EVERYTHING, wanted, body)
    assert written == [{"id": 1, "times": ["2025-12-31T22:00:00Z"], "nested": {"when": "2026-01-01T02:00:00Z"}}]


def test_numbers_keep_every_digit() -> None:
    """Money is not rounded."""
    digits = b"123456789012345678901234567890.10"
    body = (
        b'[{"id": 1, "amount": ' + digits + b', "anything": [' + digits + b'], "free_object": {"n": ' + digits + b"}}]"
    )
    (line,) = PageEncoder(EVERYTHING, frozenset(EVERYTHING["properties"]), "mdy").encode(body, None) or []
    assert line.count(digits) == 3


def test_dates_follow_the_order_of_the_account() -> None:
    """1/2/2026 is either."""
    body = b'[{"id": 1, "day": "1/2/2026"}]'
    wanted = frozenset({"id", "day"})
    assert fast(EVERYTHING, wanted, body, order="mdy") == [{"id": 1, "day": "2026-01-02"}]
    assert fast(EVERYTHING, wanted, body, order="dmy") == [{"id": 1, "day": "2026-02-01"}]


def test_unknown_fields_are_skipped_where_extra_is_deselected() -> None:
    """The user does not want them."""
    written = fast(EVERYTHING, frozenset({"id", "flag"}), b'[{"id": 1, "new": {"a": 1}, "amount": "NaN"}]')
    assert written == [{"id": 1}]


def test_a_deselected_field_may_hold_anything() -> None:
    """It is skipped, whatever its type."""
    written = fast(EVERYTHING, frozenset({"id", EXTRA}), b'[{"id": 1, "flag": "perhaps", "when": [1]}]')
    assert written == [{"id": 1}]


def test_what_the_envelope_adds_is_left_out() -> None:
    """It says nothing of the record; what is no part of it does."""
    body = b'[{"id": 1, "__object_type": "lead"}]'
    encoder = PageEncoder(EVERYTHING, frozenset(EVERYTHING["properties"]), "mdy", envelope=frozenset({"__object_type"}))
    assert encoder.encode(body, None) == [b'{"id":1}']
    without = PageEncoder(EVERYTHING, frozenset(EVERYTHING["properties"]), "mdy")
    assert without.encode(body, None) == [b'{"id":1,"_extra":{"__object_type":"lead"}}']


def test_records_within_an_object_are_found() -> None:
    """As many CRMs answer; what stands beside the records does not matter."""
    encoder = PageEncoder(EVERYTHING, frozenset(EVERYTHING["properties"]), "mdy")
    body = b'{"has_more": false, "data": [{"id": 1}, {"id": 2}]}'
    assert encoder.encode(body, [1], "data") == [b'{"id":2}']
    assert encoder.encode(b'{"has_more": false}', None, "data") is None


def test_an_empty_page_is_no_line() -> None:
    """And no failure."""
    assert fast(EVERYTHING, frozenset({"id"}), b"[]") == []


def test_a_time_without_a_zone_is_fast_and_in_utc() -> None:
    """Some objects of Close have such times only."""
    wanted = frozenset(EVERYTHING["properties"])
    body = b'[{"id": 1, "when": "2022-11-08T12:07:06.184401"}, {"id": 2, "when": null}]'
    written = fast(EVERYTHING, wanted, body)
    assert written is not None
    assert written[0]["when"] == "2022-11-08T12:07:06.184401Z"
    assert same(written, careful(EVERYTHING, wanted, body))


def test_a_text_of_digits_that_is_no_epoch_takes_the_careful_path() -> None:
    """The decoder itself would make a time of 1970 of it."""
    schema = {"type": "object", "properties": {"when": {"type": ["string", "null"], "format": "date-time"}}}
    encoder = PageEncoder(schema, frozenset({"when"}), "mdy")
    assert encoder.encode(b'[{"when": "2026"}]', None) is None
    assert encoder.encode(b'[{"when": "1767225600"}]', None) == [b'{"when":"2026-01-01T00:00:00Z"}']

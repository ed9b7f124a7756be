"""Both paths write the same of custom fields; what the fast one refuses, it leaves no trace of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.shaping.compiled import PageEncoder
from tap_crm.shaping.schema import EXTRA
from tests.unit.raw_records import (
    ENCODER,
    ENTRIES,
    KEY,
    CustomStream,
    close_fields,
    copper_fields,
    custom_fields_of,
    custom_records,
    loads,
    same,
)

CRMS = ("copper", "close")
FORMS = ("columns", "raw", "both")


def some_of(stream: CustomStream) -> st.SearchStrategy[frozenset[str]]:
    """Return selections: all properties, some, all but `_extra`, all but the values as they come."""
    everything = stream.everything
    return st.one_of(
        st.just(everything),
        st.just(everything - {EXTRA}),
        st.just(everything - {ENTRIES}),
        st.frozensets(st.sampled_from(sorted(everything))),
        st.frozensets(st.sampled_from(sorted(everything))).map(lambda dropped: everything - dropped),
    ).map(lambda wanted: wanted | {"id"})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("crm", CRMS)
@settings(max_examples=15)
@given(data=st.data())
def test_both_paths_write_the_same(crm: str, form: str, data: st.DataObject) -> None:
    """For any definitions, any page, any selection and any choice of records; and they count the same."""
    fields = data.draw(custom_fields_of(crm))
    stream = CustomStream.of(crm, fields, form)
    wanted = data.draw(some_of(stream))
    odd, documented = custom_records(crm, fields), custom_records(crm, fields, careful=False)
    page = data.draw(st.lists(documented, max_size=3) | st.lists(odd, max_size=2))
    positions = st.lists(st.sampled_from(range(len(page))), unique=True) if page else st.just([])
    keep = data.draw(st.none() | positions)

    once, counted = stream.values(wanted), stream.values(wanted)
    lines = PageEncoder(stream.own, wanted, "mdy", once).encode(ENCODER.encode(page), keep)
    chosen = page if keep is None else [page[at] for at in keep]
    expected = [stream.shaped(record, wanted, counted) for record in chosen]
    if lines is not None:
        assert same([loads(line) for line in lines], expected)
    else:
        for record in chosen:
            stream.shaped(record, wanted, once)
    if once is None or counted is None:
        return
    assert (once.misfits, once.unlabelled) == (counted.misfits, counted.unlabelled)
    if lines is None or EXTRA in wanted:
        assert once.undefined == counted.undefined


@pytest.mark.parametrize(
    ("crm", "form"), [(crm, form) for crm in CRMS for form in FORMS if (crm, form) != ("close", "raw")]
)
@settings(max_examples=8)
@given(data=st.data())
def test_a_page_as_documented_takes_the_fast_path(crm: str, form: str, data: st.DataObject) -> None:
    """With values of every kind; otherwise it would be for nothing."""
    fields = data.draw(custom_fields_of(crm))
    stream = CustomStream.of(crm, fields, form)
    page = data.draw(st.lists(custom_records(crm, fields, careful=False), max_size=3))
    wanted = data.draw(some_of(stream))
    assert PageEncoder(stream.own, wanted, "mdy", stream.values(wanted)).encode(ENCODER.encode(page), None) is not None


def copper(form: str = "columns") -> CustomStream:
    """Return a stream of Copper with two custom fields."""
    more = {"available_on": ["task"], "options": [{"id": 100, "name": "S"}]}
    size = {"id": 7, "name": "Size", "data_type": "Dropdown", **more}
    count = {"id": 8, "name": "Count", "data_type": "Float", **more}
    return CustomStream.of("copper", copper_fields([size, count]), form)


def close(form: str = "columns") -> CustomStream:
    """Return a stream of Close with two custom fields."""
    size = {"id": "cf_1", "name": "Size", "type": "choices", "choices": ["S"]}
    count = {"id": "cf_2", "name": "Count", "type": "number"}
    return CustomStream.of("close", close_fields([size, count]), form)


def fast(stream: CustomStream, body: bytes) -> list[dict[str, Any]] | None:
    """Return what the fast path makes of a page, if anything."""
    lines = PageEncoder(stream.own, stream.everything, "mdy", stream.values()).encode(body, None)
    return None if lines is None else [loads(line) for line in lines]


@pytest.mark.parametrize(
    "entries",
    [
        b"{}",
        b'"text"',
        b"[null]",
        b"[5]",
        b'[{"value": 1}]',
        b'[{"custom_field_definition_id": "7", "value": 1}]',
        b'[{"custom_field_definition_id": true, "value": 1}]',
        b'[{"custom_field_definition_id": 7.0, "value": 1}]',
        b'[{"custom_field_definition_id": 7, "value": 1, "unit": "kg"}]',
        b'[{"custom_field_definition_id": 7}, {"custom_field_definition_id": 7, "value": 1}]',
    ],
)
@pytest.mark.parametrize("form", ["columns", "both"])
def test_odd_entries_of_copper_are_left_to_the_careful_path(entries: bytes, form: str) -> None:
    """The whole page is."""
    assert fast(copper(form), b'[{"id": 1}, {"id": 2, "custom_fields": ' + entries + b"}]") is None


@pytest.mark.parametrize("form", ["columns", "both"])
def test_a_custom_field_of_close_that_no_definition_knows_is_kept_as_by_the_careful_path(form: str) -> None:
    """And counted, once for each value."""
    stream, values = close(form), close(form).values()
    encoder = PageEncoder(stream.own, stream.everything, "mdy", values)
    page: list[dict[str, Any]] = [
        {"id": "a", "custom.cf_gone": 1},
        {"id": "b", "custom.cf_gone": None, "custom.cf_1": "S"},
        {"id": "c"},
    ]
    for _ in range(2):
        lines = encoder.encode(ENCODER.encode(page), None)
        assert lines is not None
        assert same([loads(line) for line in lines], [stream.shaped(record, stream.everything) for record in page])
    assert values is not None
    assert values.undefined == {"cf_gone": 2}


@pytest.mark.parametrize("form", ["raw", "both"])
def test_values_as_they_come_have_every_field_also_without_extra(form: str) -> None:
    """Nothing else would keep a field that no definition knows."""
    stream = close(form)
    wanted = stream.everything - {EXTRA}
    body = b'[{"id": "a", "custom.cf_gone": 1}]'
    lines = PageEncoder(stream.own, wanted, "mdy", stream.values(wanted)).encode(body, None)
    assert lines is not None
    expected = stream.shaped({"id": "a", "custom.cf_gone": 1}, wanted)
    assert expected[ENTRIES] == {"cf_gone": 1}
    assert same([loads(line) for line in lines], [expected])


def test_what_does_not_fit_a_column_costs_no_speed() -> None:
    """Misfits, unknown options and values without a definition are written by the fast path, too."""
    page = [{"id": 1, ENTRIES: [{KEY: 7, "value": 999}, {KEY: 8, "value": "many"}, {KEY: 5, "value": [1]}]}]
    extra = {"custom_count": "many", ENTRIES: [{KEY: 5, "value": [1]}]}
    expected = [{"id": 1, "custom_size": "999", "custom_count": None, EXTRA: extra}]
    assert fast(copper(), ENCODER.encode(page)) == expected


def test_a_refused_page_is_counted_once() -> None:
    """What the fast path counted before it gave up is forgotten."""
    stream, wanted = copper(), copper().everything
    values = stream.values()
    assert values is not None
    entries = [{KEY: 7, "value": 999}, {KEY: 8, "value": "many"}, {KEY: 5, "value": 1}]
    encoder = PageEncoder(stream.own, wanted, "mdy", values)
    assert encoder.encode(ENCODER.encode([{"id": 1, ENTRIES: entries}]), None) is not None
    counted = values.counts()
    assert encoder.encode(ENCODER.encode([{"id": 1, ENTRIES: entries}, {"id": 2, ENTRIES: 5}]), None) is None
    assert values.counts() == counted == ({"custom_count": 1}, {"custom_size": 1}, {5: 1})


@pytest.mark.parametrize(("stream", "record"), [(copper("both"), {"id": 1}), (close("both"), {"id": "a"})])
def test_a_record_without_custom_fields_is_whole(stream: CustomStream, record: dict[str, Any]) -> None:
    """Every column is there, null."""
    gathered: dict[str, Any] = {ENTRIES: {}} if stream.values().gathers else {}  # type: ignore[union-attr]
    expected = {**record, "custom_size": None, "custom_count": None, **gathered}
    assert fast(stream, ENCODER.encode([record])) == [stream.shaped(record)] == [expected]

"""Values: what is the same is never sent, and what was sent is the same when it is read back."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_crm.config.settings import StreamSettings
from target_crm.contract import Field, Snapshot, Unwritable, Write
from target_crm.kinds.contact_points import Address, Entries, OneEntry, are_same_phones, same_mail, same_phone, same_url
from target_crm.kinds.links import Reference, TypedReference
from target_crm.kinds.options import Choice, LabelledOption, Option, OptionSet, TextSet
from target_crm.kinds.plain import Boolean, Number, Text, Word
from target_crm.kinds.times import EPOCH, SLASHED, Day, Moment
from target_crm.sync.difference import difference, ignored
from target_crm.writers.close.kinds import Many

PARTS = ("street", "city", "state", "postal_code", "country")
CHOICES = [Choice(1, ("S",)), Choice(2, ("L",)), Choice(3, ("XL",))]
EMAILS = Entries("email", same_mail, "work", ("work", "personal", "other"))
PHONES = Entries("number", same_phone, "work", are_same=are_same_phones)

_texts = st.text(max_size=20)
#: Addresses as they may be; those of hypothesis take ten times as long to draw.
_addresses = st.from_regex(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,12}@[A-Za-z0-9-]{1,8}(\.[A-Za-z]{2,4}){1,2}", fullmatch=True
)
_categories = st.sampled_from([None, "", "work", "personal", "other"])
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "text": (Text(), _texts),
    "number": (Number(), st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.just("12.50"))),
    "boolean": (Boolean(unset_is_false=True), st.sampled_from([True, False, None, "true", "no"])),
    "word": (Word(("Open", "Won")), st.sampled_from(["Open", "won", "", None])),
    "day as epoch": (Day(EPOCH), st.dates().map(str)),
    "day with slashes": (Day(SLASHED, "dmy"), st.dates().map(str)),
    "moment": (Moment(EPOCH), st.datetimes().map(lambda at: at.isoformat() + "Z")),
    "option": (Option("size", lambda: CHOICES), st.sampled_from(["S", "l", 3, "2", None, ""])),
    "options": (OptionSet("size", lambda: CHOICES), st.lists(st.sampled_from(["S", "l", 3, None]))),
    "texts": (TextSet(), st.lists(st.one_of(_texts, st.none()))),
    "e-mails": (EMAILS, st.lists(st.fixed_dictionaries({"email": _addresses, "category": _categories}), max_size=4)),
    "one e-mail": (OneEntry("email", same_mail, "work"), st.fixed_dictionaries({"email": _addresses})),
    "phones": (
        PHONES,
        st.lists(st.fixed_dictionaries({"number": st.from_regex(r"\+?[0-9 ()-]{7,15}", fullmatch=True)}), max_size=4),
    ),
    "address": (Address(PARTS), st.dictionaries(st.sampled_from(PARTS), st.one_of(_texts, st.none()))),
    "reference": (Reference("people"), st.one_of(st.integers(1), st.integers(1).map(str), st.none())),
    "typed reference": (TypedReference({"person": "people"}), st.just({"type": "person", "id": 7})),
}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None)  # a busy machine is no fault
@given(data=st.data())
def test_what_was_written_is_not_written_again(name: str, data: st.DataObject) -> None:
    kind, values = KINDS[name]
    wanted = kind.accept(data.draw(values))
    sent = kind.merge(None, wanted, union=False, clear=True)
    there = kind.read(kind.write(sent))
    assert kind.holds(there, wanted)
    assert kind.holds(there, kind.merge(there, wanted, union=False, clear=True))
    assert kind.holds(there, kind.merge(there, wanted, union=True, clear=True))
    assert kind.read(kind.show(sent)) == kind.read(kind.show(there)) or kind.holds(kind.read(kind.show(sent)), there)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None)  # a busy machine is no fault
@given(data=st.data())
def test_a_difference_that_was_sent_leaves_none(name: str, data: st.DataObject) -> None:
    kind, values = KINDS[name]
    field = Field("f", kind)
    present = Snapshot(1, {"f": kind.write(kind.merge(None, kind.accept(data.draw(values)), union=False, clear=True))})
    wanted = {field: kind.accept(data.draw(values))}
    for chosen in (StreamSettings(), StreamSettings(nulls="clear", arrays="union"), StreamSettings(nulls="clear")):
        found = difference(present, wanted, chosen)
        after = Snapshot(1, {"f": kind.write(found.values[field])}) if field in found.values else present
        assert difference(after, wanted, chosen).values == {}


@given(st.lists(st.one_of(_texts, st.none())))
def test_no_tag_that_was_there_is_lost_by_a_union(texts: list[str | None]) -> None:
    kind = TextSet()
    merged = kind.merge(("a", "B"), kind.accept(texts), union=True, clear=False)
    assert {"a", "B"} <= set(merged)


@pytest.mark.parametrize("value", [None, "", "  ", [], {}])
@pytest.mark.parametrize(
    "kind", [Text(), TextSet(), EMAILS, Address(PARTS), Number()], ids=lambda one: type(one).__name__
)
def test_null_an_empty_text_and_an_empty_list_are_the_same(kind: Any, value: Any) -> None:  # noqa: ANN401
    try:
        found = kind.read(value)
    except Unwritable:
        return
    assert found is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+1 (650) 555-1234", "+16505551234", True),
        ("0016505551234", "+1 650 555 1234", True),
        ("(650) 555-1234", "+16505551234", True),
        ("650 555 1234 ext. 12", "650-555-1234", True),
        ("+16505551234", "+446505551234", False),
        ("555-1234", "555-1235", False),
        ("123", "+49123", False),
    ],
)
def test_phone_numbers_are_compared_by_what_is_dialled(one: str, other: str, *, same: bool) -> None:
    assert are_same_phones(same_phone(one), same_phone(other)) is same


@pytest.mark.parametrize(
    ("present", "wanted", "same"),
    [
        ([{"email": "A@b.c", "category": "work"}], [{"email": "a@B.c"}], True),
        ([{"email": "a@b.c", "category": None}], [{"email": "a@b.c", "category": "work"}], True),
        ([{"email": "a@b.c", "category": "personal"}], [{"email": "a@b.c", "category": "work"}], False),
        ([{"email": "a@b.c"}, {"email": "d@e.f"}], ["d@e.f", "a@b.c"], True),
        ([{"email": "a@b.c"}, {"email": "d@e.f"}], ["d@e.f"], False),
    ],
)
def test_addresses_are_compared_as_mail_is_sent(present: Any, wanted: Any, *, same: bool) -> None:  # noqa: ANN401
    assert EMAILS.holds(EMAILS.read(present), EMAILS.accept(wanted)) is same


def test_an_entry_without_a_category_keeps_the_one_that_it_has() -> None:
    present = EMAILS.read([{"email": "a@b.c", "category": "personal"}])
    merged = EMAILS.merge(present, EMAILS.accept(["a@b.c", "d@e.f"]), union=False, clear=False)
    assert EMAILS.write(merged) == [{"email": "a@b.c", "category": "personal"}, {"email": "d@e.f", "category": "work"}]


@pytest.mark.parametrize(("part", "same"), [("city", False), ("street", False), ("country", True), ("state", True)])
def test_the_capitals_of_a_city_count_and_those_of_codes_do_not(part: str, *, same: bool) -> None:
    kind = Address(PARTS)
    assert kind.holds(kind.read({part: "de"}), kind.read({part: "De"})) is same


def test_all_parts_of_an_address_are_sent() -> None:
    kind = Address(PARTS)
    present = kind.read({"street": "Main St 1", "city": "Bonn", "country": "DE"})
    merged = kind.merge(present, kind.accept({"city": "Köln", "street": None}), union=False, clear=False)
    assert kind.write(merged) == {
        "street": "Main St 1",
        "city": "Köln",
        "state": None,
        "postal_code": None,
        "country": "DE",
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Number(whole=True, of="cents"), 12.5),
        (Number(), "NaN"),
        (Number(), "1,5"),
        (Number(), True),
        (Boolean(), "maybe"),
        (Day(), "2026-13-01"),
        (Day(), "2026-01-01T10:00:00Z"),
        (Moment(), "soon"),
        (Text(), ["a"]),
        (Option("size", lambda: CHOICES), "M"),
        (Option("size", lambda: CHOICES), 1.5),
        (EMAILS, [{"email": {"a": 1}}]),
        (OneEntry("email", same_mail, "work"), ["a@b.c", "d@e.f"]),
        (Address(PARTS), {"planet": "Mars"}),
        (Address(PARTS), "Main St 1"),
        (Reference("people"), 1.5),
        (TypedReference({"person": "people"}), {"type": "robot", "id": 1}),
        (TypedReference({"person": "people"}), {"type": "person"}),
    ],
)
def test_what_no_field_can_hold_is_refused(kind: Any, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(Unwritable):
        kind.accept(value)


@pytest.mark.parametrize(
    ("form", "order", "written"),
    [(EPOCH, "mdy", 1769817600), (SLASHED, "mdy", "1/31/2026"), (SLASHED, "dmy", "31/1/2026")],
)
def test_a_day_is_written_as_the_field_has_it(form: str, order: str, written: Any) -> None:  # noqa: ANN401
    kind = Day(form, order)
    assert kind.write(kind.accept("2026-01-31")) == written
    assert kind.read(written) == "2026-01-31"


def test_a_label_of_two_options_is_told_apart_by_capitals_only() -> None:
    kind = LabelledOption("size", lambda: [Choice(1, ("s",)), Choice(2, ("S",))])
    assert kind.accept("S") == 2
    assert kind.show(2) == "S"


def test_web_addresses_are_compared_without_what_browsers_add() -> None:
    kind = Entries("url", same_url, "work")
    assert kind.holds(kind.read([{"url": "https://Example.com/"}]), kind.accept(["example.com"]))
    assert not kind.holds(kind.read([{"url": "example.com/A"}]), kind.accept(["example.com/a"]))


def test_money_is_compared_as_decimals() -> None:
    assert Number().accept("0.10") == Decimal("0.1")
    assert Number().write(Number().accept("12.0")) == 12


#: Two options of the same label, and one without any, as accounts have them.
ODD = [Choice(1, ("A",)), Choice(2, ("A",)), Choice(3, ("B",)), Choice(4, ("",))]


@pytest.mark.parametrize(
    ("present", "wanted"), [((1,), ["A"]), ((2,), ["A"]), ((1, 2), ["A", "A"]), ((4, 3), ["B", ""]), ((4,), [""])]
)
def test_labels_that_are_there_already_are_not_written(present: tuple[int, ...], wanted: list[str]) -> None:
    kind = OptionSet("size", lambda: ODD)
    assert kind.holds(present, kind.accept(wanted))


def test_a_label_of_several_options_is_refused_only_where_it_would_be_sent() -> None:
    kind = LabelledOption("size", lambda: ODD)
    assert kind.holds(2, kind.accept("A"))
    with pytest.raises(Unwritable, match="ids 1, 2"):
        kind.write(kind.merge(3, kind.accept("A"), union=False, clear=False))


CLOSE_CHOICES = Option("option", lambda: [Choice("New", ("New",))], whole_ids=False)
LABELS = OptionSet("label", lambda: [Choice("a1", ("A",)), Choice("b2", ("B",))], whole_ids=False)


@pytest.mark.parametrize(
    ("kind", "there", "wanted", "chosen", "sent"),
    [
        (CLOSE_CHOICES, "Old", None, StreamSettings(nulls="clear"), None),
        (CLOSE_CHOICES, "Old", "New", StreamSettings(), "New"),
        (Many(CLOSE_CHOICES), ["Old", "New"], None, StreamSettings(nulls="clear"), []),
        (LABELS, ["a1", "gone"], None, StreamSettings(nulls="clear"), []),
        (LABELS, ["a1", "gone"], ["B"], StreamSettings(arrays="union"), ["a1", "gone", "b2"]),
        (LABELS, ["a1", "gone"], ["A"], StreamSettings(), ["a1"]),
        (Number(), "12 apples", None, StreamSettings(nulls="clear"), None),
    ],
)
def test_what_is_there_and_not_understood_is_not_taken_for_nothing(
    kind: Any,  # noqa: ANN401
    there: Any,  # noqa: ANN401
    wanted: Any,  # noqa: ANN401
    chosen: StreamSettings,
    sent: Any,  # noqa: ANN401
) -> None:
    """Such as an option that was deleted: it is emptied, replaced or added to, and never left or lost in silence."""
    field, present = Field("f", kind), Snapshot(1, {"f": there})
    found = difference(present, {field: kind.accept(wanted)}, chosen)
    assert {field: kind.write(value) for field, value in found.values.items()} == {field: sent}
    write = Write("update", 1, {field: found.values[field]})
    assert ignored(present, write) == ["f"]
    assert ignored(Snapshot(1, {"f": sent}), write) == []


@pytest.mark.parametrize("empty", [None, "", [], {}])
@pytest.mark.parametrize("kind", [Number(), Text(), Boolean(), CLOSE_CHOICES, LABELS])
def test_what_is_empty_in_any_way_is_nothing(kind: Any, empty: Any) -> None:  # noqa: ANN401
    field, present = Field("f", kind), Snapshot(1, {"f": empty})
    assert difference(present, {field: None}, StreamSettings(nulls="clear", arrays="union")).values == {}
    assert ignored(present, Write("update", 1, {field: None})) == []


def test_nothing_is_added_to_a_list_that_is_not_understood() -> None:
    present = Snapshot(1, {"f": [{"id": "a1"}]})
    with pytest.raises(Unwritable, match="nothing can be added"):
        difference(present, {Field("f", LABELS): LABELS.accept(["B"])}, StreamSettings(arrays="union"))


@pytest.mark.parametrize("kind", [CLOSE_CHOICES, Many(CLOSE_CHOICES), LABELS])
def test_an_option_that_is_not_there_any_more_cannot_be_given_anew(kind: Any) -> None:  # noqa: ANN401
    with pytest.raises(Unwritable, match="`Old` is no"):
        kind.accept("Old")


def test_an_empty_text_is_an_option_only_where_one_is_called_so() -> None:
    assert LabelledOption("size", lambda: ODD).accept("") == 4
    assert LabelledOption("size", lambda: CHOICES).accept("") is None


def test_a_value_of_two_categories_is_two_entries() -> None:
    sites = Entries("url", same_url, "work")
    both = sites.accept([{"url": "a.org", "category": "work"}, {"url": "a.org", "category": "other"}])
    assert sites.write(both) == [{"url": "a.org", "category": "work"}, {"url": "a.org", "category": "other"}]
    work = sites.accept([{"url": "a.org", "category": "work"}])
    assert not sites.holds(work, both)
    assert set(sites.merge(both, work, union=True, clear=False)) == set(both)
    assert sites.merge(work, sites.accept([{"url": "a.org", "category": "other"}]), union=True, clear=False) == (
        ("a.org", "other"),
    )
    assert sites.accept(["a.org", {"url": "a.org", "category": "work"}]) == work
    half = sites.accept([{"url": "a.org", "category": "other"}, "a.org"])
    there = sites.read(sites.write(half))
    assert sites.holds(there, sites.merge(there, half, union=True, clear=False))

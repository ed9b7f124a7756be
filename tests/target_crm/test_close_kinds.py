"""Values of Close: what was sent is the same when it is read back, however Close writes it."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_crm.contract import Unwritable
from target_crm.kinds.html_text import Html, plain_text, words_of
from target_crm.kinds.options import Choice, Option
from target_crm.kinds.plain import Number, Text
from target_crm.kinds.times import Moment
from target_crm.writers.close.kinds import (
    Addresses,
    DayOrMoment,
    Link,
    Mail,
    Many,
    NamedOption,
    Phone,
    SecureUrl,
)

LEAD = Link("leads", whole_ids=False, prefix="lead_")
USER = NamedOption("user", lambda: [Choice("user_1", (" Ann Lee", "ann@example.com"))], whole_ids=False, prefix="user_")
_texts = st.text(max_size=20)
_parts = st.fixed_dictionaries(
    {}, optional={"label": st.sampled_from(["business", "Other", None]), "city": _texts, "country": _texts}
)
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "html": (Html(), _texts),
    "texts": (Many(Text()), st.lists(_texts)),
    "numbers": (Many(Number()), st.lists(st.one_of(st.integers(), st.just("2.50")))),
    "addresses": (Addresses(), st.lists(_parts, max_size=4)),
    "day": (DayOrMoment(), st.dates().map(str)),
    "moment": (DayOrMoment(), st.datetimes().map(lambda at: at.isoformat() + "Z")),
    "user": (USER, st.sampled_from(["ann lee", "ANN@example.com ", "user_9", None, ""])),
    "lead": (LEAD, st.sampled_from(["lead_1", " lead_2", None, ""])),
    "mail": (Mail(), _texts),
}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_what_was_sent_is_the_same_when_it_is_read_back(name: str, data: st.DataObject) -> None:
    kind, values = KINDS[name]
    value = kind.accept(data.draw(values))
    assert kind.holds(kind.read(kind.write(value)), value)
    assert kind.holds(kind.read(kind.show(value)), value)


@pytest.mark.parametrize(
    ("kind", "sent", "present"),
    [
        (Phone(), "(650) 555-0100", "+16505550100"),
        (Mail(), "Ann@Example.com ", "ann@example.com"),
        (DayOrMoment(), "2026-03-01", "2026-03-01T00:00:00+00:00"),
        (Moment(), "2026-03-01T10:00:30.123Z", "2026-03-01T10:00:30+00:00"),
        (Html(), "<p>Hi</p>", "<body> <p>Hi</p> </body>"),
        (Html(), "<a href='x' class='y'>Hi</a><br>", '<a class="y" href="x">Hi</a><br/>'),
        (Addresses(), [{"city": "Bern"}], [{"label": "business", "city": "Bern", "state": "", "tz_ids": ["x"]}]),
        (Many(Text()), ["b", "a", "a"], ["a", "b"]),
        (Text(), None, ""),
    ],
)
def test_the_form_in_which_close_gives_a_value_back_is_the_same(kind: Any, sent: Any, present: Any) -> None:  # noqa: ANN401
    assert kind.holds(kind.read(present), kind.accept(sent))


@pytest.mark.parametrize(
    ("kind", "sent", "present"),
    [
        (Html(), "<p>Hi</p>", "<p><b>Hi</b></p>"),
        (Addresses(), [{"city": "Bern"}], [{"city": "Bern"}, {"city": "Basel"}]),
        (Addresses(), [{"city": "Bern", "label": "other"}], [{"city": "Bern", "label": "business"}]),
        (Many(Text()), ["VIP"], ["vip"]),
        (DayOrMoment(), "2026-03-01", "2026-03-01T10:00:00Z"),
    ],
)
def test_what_differs_is_sent(kind: Any, sent: Any, present: Any) -> None:  # noqa: ANN401
    assert not kind.holds(kind.read(present), kind.accept(sent))


def test_a_union_keeps_what_is_there() -> None:
    many = Many(Text())
    assert many.merge(("a", "b"), ("b", "c"), union=True, clear=False) == ("a", "b", "c")
    one, other = Addresses().read([{"city": "Bern"}]), Addresses().read([{"city": "Basel"}])
    assert len(Addresses().merge(one, other, union=True, clear=False)) == 2


def test_a_label_agrees_with_its_id_and_with_ids_that_are_not_listed_any_more() -> None:
    assert USER.agrees("user_1", "Ann Lee")
    assert USER.agrees("user_9", "Somebody who left")
    assert not USER.agrees("user_1", "Bob")
    assert not Option("size", lambda: [Choice("1", ("S",))], whole_ids=False).agrees("1", "L")


@pytest.mark.parametrize(
    ("kind", "value"), [(SecureUrl(), "http://example.com"), (USER, "Bob"), (Addresses(), [{"town": "Bern"}])]
)
def test_what_close_would_refuse_is_refused_before(kind: Any, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(Unwritable):
        kind.accept(value)


def test_a_reference_has_the_form_of_an_id() -> None:
    with pytest.raises(Unwritable, match="neither an id of leads"):
        LEAD.write("k1")


def test_the_words_of_html_are_those_that_are_read() -> None:
    html = "<p>One&nbsp;<b>two</b></p><ul><li>three</li><li>four</li></ul>"
    assert words_of(plain_text(html)) == ["one", "two", "three", "four"]
    assert words_of("See https://example.com/x: one") == ["see", "one"]


def test_one_name_of_two_is_not_enough_for_two_others() -> None:
    kind = Many(Option("user", lambda: [Choice("a", ("Ann",)), Choice("b", ("Ann",))], whole_ids=False))
    wanted = kind.accept(["Ann", "a"])
    assert not kind.holds(("a", "c"), wanted)
    assert kind.holds(("b", "a"), wanted)

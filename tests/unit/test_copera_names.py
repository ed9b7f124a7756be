"""Names of Copera's streams and properties: distinct, short, plain, and the same whatever the order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.providers.copera.columns import FIXED, SELECTS, columns_of
from tap_crm.shaping.naming import LONGEST, distinct_names, set_apart, slug

if TYPE_CHECKING:
    import random

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
#: Few different ones, so that they meet; some differ in capitals only, some by what makes a slug.
WORDS = (
    "Name",
    "name",
    "N a m e",
    "name_names",
    "Name labels",
    "Name ids",
    "owner",
    "_id",
    "updatedAt",
    "名前",
    "",
    "42",
)
HEX = "0123456789abcdef"
labels = st.one_of(st.sampled_from(WORDS), st.text(max_size=90))
#: Ids of which many end alike.
ids = st.builds(
    lambda head, tail: head * 18 + tail, st.sampled_from(HEX), st.sampled_from(["00000a", "00000b", "abcdef"])
)
pairs = st.dictionaries(ids, labels, max_size=20)
kinds = st.sampled_from(["TEXT", "USERS", "LINK", "STATUS", "LABELS", "LOOKUP", "DATE"])


def assert_good(names: dict[str, str], most: int = LONGEST) -> None:
    """They are identifiers, short and distinct, for databases too that do not tell capitals."""
    assert all(IDENTIFIER.fullmatch(name) for name in names.values()), names
    assert all(len(name) <= most for name in names.values()), names
    assert len({name.lower() for name in names.values()}) == len(names), names


@given(pairs)
def test_names_are_distinct_short_and_plain(found: dict[str, str]) -> None:
    """Whatever people write."""
    names = distinct_names(found.items(), {"owner", "id"}, otherwise="column")
    assert names.keys() == found.keys()
    assert_good(names)
    assert not {"owner", "id", "column"} & set(names.values())


@given(pairs, st.randoms())
def test_names_are_the_same_in_any_order(found: dict[str, str], chance: random.Random) -> None:
    """The API gives none."""
    shuffled = list(found.items())
    chance.shuffle(shuffled)
    assert distinct_names(shuffled, {"owner"}, otherwise="column") == distinct_names(
        found.items(), {"owner"}, otherwise="column"
    )


@given(st.dictionaries(ids, st.tuples(labels, kinds), max_size=16), st.randoms())
def test_every_property_of_a_table_has_a_name_of_its_own(
    found: dict[str, tuple[str, str]], chance: random.Random
) -> None:
    """Also those that stand beside a column: names of users, labels of links, ids of options."""
    described = [{"columnId": key, "label": label, "type": kind} for key, (label, kind) in found.items()]
    columns = columns_of({"columns": described})
    chance.shuffle(described)
    again = columns_of({"columns": described})
    assert {key: one.name for key, one in columns.items()} == {key: one.name for key, one in again.items()}
    properties = [name for column in columns.values() for name in column.properties(with_ids=True)]
    assert_good(dict(enumerate(properties)))  # type: ignore[arg-type]
    assert not {name.lower() for name in FIXED} & set(properties)
    assert all(len(column.properties(with_ids=True)) == 2 for column in columns.values() if column.kind in SELECTS)


@given(st.dictionaries(ids, st.text(alphabet="ab_", min_size=1, max_size=56), max_size=12))
def test_names_that_are_equal_all_end_in_a_part_of_the_id(found: dict[str, str]) -> None:
    """So a name that is given up is not taken over by another table's rows."""
    names = set_apart(list(found.items()), {"a"})
    assert_good(names)
    values = list(found.values())
    for key, name in found.items():
        alone = values.count(name) == 1 and name != "a"
        assert (names[key] == name) <= alone


def test_a_third_of_the_same_name_does_not_rename_the_other_two() -> None:
    """They are named by their ids."""
    two = set_apart([("a" * 24, "bugs"), ("b" * 24, "bugs")], ())
    three = set_apart([("a" * 24, "bugs"), ("b" * 24, "bugs"), ("c" * 24, "bugs")], ())
    assert two == {"a" * 24: "bugs_aaaaaa", "b" * 24: "bugs_bbbbbb"}
    assert three == {**two, "c" * 24: "bugs_cccccc"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe (m²) – Büro №1", "grosse_m2_buro_no1"),  # noqa: RUF001
        ("  Padded  ", "padded"),
        ("名前", ""),
        ("📎", ""),
        ("_id", "id"),
        ("x" * 100, "x" * 63),
        ("CamelCase", "camelcase"),
        ("a__b--c", "a_b_c"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    """Lower-case letters, digits and single underscores."""
    assert slug(text) == expected


def test_a_name_does_not_begin_with_a_digit() -> None:
    """Such a column would have to be quoted everywhere."""
    assert distinct_names([("a" * 24, "2nd phone")], otherwise="column") == {"a" * 24: "_2nd_phone"}

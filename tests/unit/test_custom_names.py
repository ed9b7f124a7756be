"""Names of custom fields' columns: distinct, short, plain, and the same whatever the order of the definitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.shaping.custom.fields import NUMBER, TEXT, CustomField, columns_of, id_described
from tests.unit.raw_records import CLOSE_IDS, COPPER_IDS, FIELD_NAMES

if TYPE_CHECKING:
    import random

IDENTIFIER = re.compile(r"custom_[a-z0-9_]+", re.ASCII)
#: Standard fields, of which some begin as columns of custom fields do.
TAKEN = ("id", "name", "custom_fields", "custom_activity_type_id", "custom_region")

names = st.sampled_from((*FIELD_NAMES, "Activity type id", "region_000003", "fields_3", "fields_3_3")) | st.text(
    max_size=90
)
keys: st.SearchStrategy[int | str] = st.sampled_from(COPPER_IDS) | st.sampled_from(CLOSE_IDS) | st.integers(1, 10**12)


def field(key: int | str, label: str) -> CustomField:
    """Return a field of which only the name matters."""
    return CustomField(key, label, "String", TEXT)


fields = st.dictionaries(keys, names, max_size=12).map(
    lambda found: [field(key, label) for key, label in found.items()]
)


def named(*pairs: tuple[int | str, str], by: str = "name") -> dict[str, str]:
    """Return the names of columns by the ids of fields."""
    found = columns_of([field(*pair) for pair in pairs], set(TAKEN), by=by)
    return {str(one.key): name for name, one in found.items()}


@given(fields, st.sampled_from(["name", "id"]))
def test_each_field_has_a_name_of_its_own(found: list[CustomField], by: str) -> None:
    """Short and plain, whatever people write; a standard field keeps its name."""
    columns = columns_of(found, set(TAKEN), by=by)
    assert sorted(str(one.key) for one in columns.values()) == sorted(str(one.key) for one in found)
    assert all(IDENTIFIER.fullmatch(name) and len(name) <= 63 for name in columns), columns
    assert not columns.keys() & set(TAKEN)


@given(fields, st.sampled_from(["name", "id"]), st.randoms())
def test_names_do_not_depend_on_the_order_of_definitions(
    found: list[CustomField], by: str, chance: random.Random
) -> None:
    """No API promises one."""
    shuffled = list(found)
    chance.shuffle(shuffled)
    columns, again = columns_of(found, set(TAKEN), by=by), columns_of(shuffled, set(TAKEN), by=by)
    assert list(columns.items()) == list(again.items())


@given(fields, st.data())
def test_names_by_id_are_stable_under_renames(found: list[CustomField], data: st.DataObject) -> None:
    """A column's name says nothing of what the field is called."""
    renamed = [field(one.key, data.draw(names)) for one in found]
    before, after = (columns_of(each, set(TAKEN), by="id") for each in (found, renamed))
    assert [(name, one.key) for name, one in before.items()] == [(name, one.key) for name, one in after.items()]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Region", "custom_region"),
        ("Größe (m²) – Büro №1", "custom_grosse_m2_buro_no1"),  # noqa: RUF001
        ("2nd phone", "custom_2nd_phone"),
        ("名前", "custom_7"),
        ("", "custom_7"),
        ("📎", "custom_7"),
        ("custom", "custom_custom"),
    ],
)
def test_a_column_is_called_by_the_slug_of_the_name(label: str, name: str) -> None:
    """Or by the id, where nothing is left of the name."""
    assert list(columns_of([field(7, label)], (), by="name")) == [name]


def test_fields_of_the_same_name_all_end_in_their_ids() -> None:
    """So none of them takes the other's column when one is deleted and made again."""
    assert named((126_240, "Size"), (126_243, "size ")) == {
        "126240": "custom_size_126240",
        "126243": "custom_size_126243",
    }


def test_a_field_does_not_take_the_name_of_a_standard_one() -> None:
    """Nor that of the values as they come, also where these are not emitted."""
    assert named((7, "Fields"), (8, "Activity type ID")) == {
        "7": "custom_fields_7",
        "8": "custom_activity_type_id_8",
    }


def test_long_names_that_differ_at_their_ends_are_told_apart() -> None:
    """They agree in their first 60 characters."""
    found = named((126_240, "x" * 60 + "one"), (126_243, "x" * 60 + "two"))
    assert found == {"126240": f"custom_{'x' * 48}_126240", "126243": f"custom_{'x' * 48}_126243"}


@pytest.mark.parametrize("by", ["name", "id"])
def test_ids_that_differ_by_capitals_are_told_apart(by: str) -> None:
    """For databases that do not tell capitals."""
    one, other = f"cf_{'A' * 43}", f"cf_{'a' * 43}"
    found = named((one, "Size"), (other, "Size"), by=by)
    assert len({name.lower() for name in found.values()}) == 2
    assert all(len(name) <= 63 for name in found.values())


def test_a_column_by_id_is_called_by_the_id() -> None:
    """The name may change."""
    assert named((126_240, "Size"), (126_243, "Size"), by="id") == {
        "126240": "custom_126240",
        "126243": "custom_126243",
    }
    assert named(("cf_aBc", "Size"), by="id") == {"cf_aBc": "custom_cf_abc"}


def test_a_definition_that_is_listed_twice_is_one_column() -> None:
    """It costs no run."""
    assert named((7, "Size"), (7, "Sizes")) == {"7": "custom_sizes"}


def test_a_property_says_what_the_field_is() -> None:
    """Titled with its name, described with its id, its kind and its options."""
    one = CustomField(7, "Größe", "Dropdown", TEXT, {100: "S", 101: "M"}, ["100 S", "101 M"])
    assert one.property() == {
        "type": ["string", "null"],
        "title": "Größe",
        "description": "Custom field 7, kind Dropdown. Options: 100 S; 101 M.",
    }


def test_a_description_of_many_options_ends_somewhere() -> None:
    """All of them are in a stream of their own."""
    said = CustomField(7, "", "Dropdown", TEXT, {}, [f"{number} o" for number in range(150)]).property()["description"]
    assert "99 o; and 50 more." in said
    assert "100 o" not in said


@given(keys, st.text(max_size=20), st.text(max_size=20))
def test_the_id_is_read_back_from_the_description(key: int | str, label: str, choice: str) -> None:
    """It is what ties a column of an older catalog to its field."""
    schema = CustomField(key, label, "Currency", NUMBER, None, [choice]).property()
    assert id_described(schema) == str(key)


@pytest.mark.parametrize("schema", [{}, {"description": None}, {"description": "Key into custom_fields."}])
def test_other_properties_are_not_those_of_custom_fields(schema: dict[str, str | None]) -> None:
    """Whatever they are described with."""
    assert id_described(schema) is None

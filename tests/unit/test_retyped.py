"""Names of columns whose type changes: others than before, the same in later runs, and never those of other columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.shaping.custom.fields import ANY, BOOLEAN, DATE, LIST, MOMENT, NUMBER, TEXT, list_of
from tap_crm.shaping.retyped import told_names, type_of

INTEGER = {"type": ["integer", "null"]}
SCHEMAS: list[dict[str, Any]] = [TEXT, NUMBER, INTEGER, BOOLEAN, DATE, MOMENT, ANY, LIST, list_of(TEXT), list_of(DATE)]
MOST = 63
#: Names that are cut, that differ in capitals only, and that look like names for another type.
names = st.sampled_from(["a", "a_text", "a_text_2", "A_text", "b", "b_number", "x" * MOST, "x" * (MOST - 1) + "y"])
accounts = st.lists(st.dictionaries(names, st.sampled_from(SCHEMAS), min_size=1), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("schema", "word"),
    list(
        zip(
            SCHEMAS,
            ["text", "number", "integer", "boolean", "date", "time", "json", "list", "text_list", "date_list"],
            strict=True,
        )
    ),
)
def test_each_type_has_a_word_of_its_own(schema: dict[str, Any], word: str) -> None:
    """Columns of which are not the same in a database."""
    assert type_of(schema) == word
    assert type_of({**schema, "title": "T", "description": "D"}) == word


def test_a_column_of_another_type_is_called_after_it() -> None:
    """The name that it had, and the type."""
    assert told_names({"a": NUMBER, "b": TEXT}, {"a", "b"}, {"a": "text", "b": "text"}) == {"a": "a_number"}


def test_a_name_that_another_column_has_is_not_taken() -> None:
    """Neither one of now, nor one that the target still has in another type."""
    assert told_names({"a": NUMBER, "A_number": TEXT}, {"a"}, {"a": "text"}) == {"a": "a_number_2"}
    assert told_names({"a": NUMBER}, {"a"}, {"a": "text", "a_number": "date"}) == {"a": "a_number_2"}


def test_what_the_account_does_not_make_keeps_its_name() -> None:
    """Whatever a state says."""
    assert told_names({"a": NUMBER}, (), {"a": "text"}) == {}


@given(accounts)
def test_no_column_is_ever_told_with_two_types(account: list[dict[str, dict[str, Any]]]) -> None:
    """However often fields change, and whatever they are called; a run that follows at once tells the same."""
    types: dict[str, str] = {}
    for properties in account:
        found = told_names(properties, properties, types)
        told = [found.get(name, name) for name in properties]
        assert len(set(found.values()) | (properties.keys() - found.keys())) == len(properties)
        for name, schema in zip(told, properties.values(), strict=True):
            assert len(name) <= MOST
            assert types.setdefault(name, type_of(schema)) == type_of(schema)
        assert told_names(properties, properties, types) == found

"""A JSON array in a file is decoded piece by piece: as a whole it would be the same."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.providers.copera import array_file
from tap_crm.providers.copera.array_file import items_of
from tap_crm.transport.question import Doubtful

TEXTS = st.sampled_from(["", "a", '"', "\\", "},{", '},{"_id":', "]", "ä\u2028\U0001f600"]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["_id", "b"]), inner, max_size=2),
    max_leaves=6,
)
ROWS = st.lists(st.fixed_dictionaries({"_id": TEXTS, "columns": st.lists(VALUES, max_size=4)}), max_size=12)


def read(text: str | bytes, size: int) -> list[Any]:
    """Return the items of a text, so many bytes at a time."""
    return list(items_of(io.BytesIO(text.encode() if isinstance(text, str) else text), size))


@settings(max_examples=40, derandomize=True, deadline=None)
@given(rows=ROWS | st.lists(VALUES, max_size=6), size=st.integers(1, 60), indent=st.sampled_from([None, 1]))
def test_pieces_of_any_size_give_the_same_items(rows: list[Any], size: int, indent: int | None) -> None:
    """Whatever texts look like the end of an item, and whatever lies within one."""
    assert read(json.dumps(rows, ensure_ascii=False, indent=indent), size) == rows


@settings(max_examples=40, derandomize=True, deadline=None)
@given(rows=ROWS, size=st.integers(1, 60), part=st.floats(0, 1))
def test_a_cut_array_is_not_believed(rows: list[Any], size: int, part: float) -> None:
    """Wherever it is cut."""
    text = json.dumps(rows).encode()
    with pytest.raises(Doubtful):
        read(text[: int(part * (len(text) - 1))], size)


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{}",
        "null",
        '{"_id": 1}',
        '[{"_id": 1},]',
        '[{"_id": 1}]]',
        '[{"_id": 1}] x',
        '[{"_id": 1} {"_id": 2}]',
    ],
)
def test_what_is_no_array_is_not_believed(text: str, size: int) -> None:
    """Nor what has more behind its end."""
    with pytest.raises(Doubtful):
        read(text, size)


@pytest.mark.parametrize("size", [1_000, 10_000_000])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '[{"a":' * 50_000 + "1" + "}]" * 50_000,
        "[" * 100_000,
        '[{"_id": 1},' + "[" * 50_000 + "]" * 50_001,
    ],
)
def test_what_is_nested_too_deeply_is_not_believed(text: str, size: int) -> None:
    """Whole or cut, of lists or objects."""
    with pytest.raises(Doubtful):
        read(text, size)


def test_an_item_that_never_ends_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is doubted as soon as it is larger than any item is."""
    monkeypatch.setattr(array_file, "LARGEST_ITEM", 1_000)
    file = io.BytesIO(b'[{"_id": "' + b"x" * 100_000 + b'"}]')
    with pytest.raises(Doubtful, match="too large"):
        list(items_of(file, 100))
    assert file.tell() < 5_000
    assert read(json.dumps([{"_id": "x" * 900}] * 50), 100) == [{"_id": "x" * 900}] * 50


@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_numbers_stay_exact(size: int) -> None:
    """Fractions to the last digit, integers of any length."""
    text = ' \n[{"_id": "r", "n": [1.10, 12345678901234567890123, -0.1e400, 0]}, {"_id": "s", "n": 1}]\n'
    first, second = read(text, size)
    assert [str(number) for number in first["n"]] == ["1.10", "12345678901234567890123", "-1E+399", "0"]
    assert isinstance(first["n"][0], Decimal)
    assert second == {"_id": "s", "n": 1}

"""Characters that no text can hold are mended, wherever an answer is cut into pieces, and nothing else changes."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.transport.characters import Mender

HALVES = st.sampled_from([chr(0xD83D), chr(0xDE00), chr(0xDBFF), "\0", "\\", '"', ",", "\\ud83d", "\\u0000", "🙂", "é"])
TEXTS = st.lists(HALVES | st.text(max_size=3), max_size=6).map("".join)
JSON = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def mended(body: bytes, *, cuts: tuple[int, ...] = (), replacing: bool = False) -> tuple[bytes, Mender]:
    """Return a body that came in pieces, and what mended it."""
    mender = Mender(replacing=replacing)
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    pieces = [mender.take(body[start:end]) for start, end in itertools.pairwise(edges)]
    return b"".join([*pieces, mender.take(b"", last=True)]), mender


def expected(value: Any, *, is_name: bool = False) -> Any:
    """Return a value as it should arrive, by Python's own rules of surrogates."""
    if isinstance(value, dict):
        return {expected(name, is_name=True): expected(part) for name, part in value.items()}
    if isinstance(value, list):
        return [expected(part) for part in value]
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "\ufffd" if is_name else "")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@given(value=JSON, cuts=st.tuples(st.integers(0, 500), st.integers(0, 500)))
def test_any_json_becomes_such_as_every_parser_reads(value: Any, cuts: tuple[int, int]) -> None:
    """Half pairs and NULs are gone, in texts and in names; every other character is there."""
    body = json.dumps(value).encode()
    result, mender = mended(body, cuts=cuts)
    assert msgspec.json.decode(result) == expected(value)
    halves = sum(0xD800 <= ord(letter) < 0xE000 for letter in json.dumps(expected(value), ensure_ascii=False))
    assert not halves
    if not mender.replaced and not mender.removed:
        assert result == body


@pytest.mark.parametrize(
    ("body", "after", "replaced", "removed"),
    [
        (rb'["a\ud83d"]', rb'["a\ufffd"]', 1, 0),
        (rb'["a\ud83db"]', rb'["a\ufffdb"]', 1, 0),
        (rb'["\ude00\ud83d"]', rb'["\ufffd\ufffd"]', 2, 0),
        (rb'["\ud83d\ud83d\ude00"]', rb'["\ufffd\ud83d\ude00"]', 1, 0),
        (rb'["\uD83D\u0041"]', rb'["\ufffd\u0041"]', 1, 0),
        (rb'["a\u0000b\u0000"]', rb'["ab"]', 0, 2),
        (rb'[{"a\u0000": 1, "a": 2}]', rb'[{"a\ufffd": 1, "a": 2}]', 1, 0),
        (rb'["\\ud83d", "\\\\u0000"]', rb'["\\ud83d", "\\\\u0000"]', 0, 0),
        (rb'["\\\ud83d"]', rb'["\\\ufffd"]', 1, 0),
        (rb'["\\ud83d\ude00"]', rb'["\\ud83d\ufffd"]', 1, 0),
        (rb'["\ud83d\ude00 \u00e9 \n"]', rb'["\ud83d\ude00 \u00e9 \n"]', 0, 0),
    ],
)
def test_each_is_counted(body: bytes, after: bytes, replaced: int, removed: int) -> None:
    """What only looks like one, a backslash that is meant, stays."""
    result, mender = mended(body)
    assert (result, mender.replaced, mender.removed) == (after, replaced, removed)


def test_bytes_that_are_no_utf8_are_refused_at_first() -> None:
    """The transfer may have damaged them; wherever they are cut, whole characters are none."""
    with pytest.raises(UnicodeDecodeError):
        mended(b'["\xff"]')
    body = '["é🙂"]'.encode()
    assert all(mended(body, cuts=(cut,))[0] == body for cut in range(len(body)))


def test_bytes_that_are_no_utf8_are_replaced_when_asked_for() -> None:
    """Bytes below the blank, which JSON has nowhere, too; line ends between values stay."""
    result, mender = mended(b'[\n"a\xffb\x01c\x00d", "\xef\xbf\xbd"]', replacing=True)
    assert json.loads(result) == ["a\ufffdb\ufffdcd", "\ufffd"]
    assert (mender.replaced, mender.removed) == (2, 1)


def test_a_large_answer_is_mended_in_pieces() -> None:
    """What is held back is less than a piece."""
    texts = [f"text {number} \0 \ud83d" for number in range(2_000)]
    body = json.dumps(texts).encode()
    dice = random.Random(5)
    result, mender = mended(body, cuts=tuple(dice.randrange(len(body)) for _ in range(300)))
    assert json.loads(result) == [f"text {number}  \ufffd" for number in range(2_000)]
    assert (mender.replaced, mender.removed) == (2_000, 2_000)


@pytest.mark.parametrize("cuts", [(0, 0), (4, 9), (9, 10), (11, 12)])
def test_a_null_in_a_name_is_told_from_one_in_a_text_wherever_a_piece_ends(cuts: tuple[int, int]) -> None:
    """A comma within the name is no end of it."""
    result, _ = mended(rb'{"\u0000,": "\u0000,", "b": 1}', cuts=cuts)
    assert msgspec.json.decode(result) == {"\ufffd,": ",", "b": 1}

"""What is remembered of a table tells what changed, and whether rows are gone: never less than the truth."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.reading.fingerprint import FEWEST_BUCKETS, MOST_BUCKETS, Fingerprint

KEYS = st.sampled_from([f"{n:024x}" for n in range(60)])
TABLES = st.dictionaries(KEYS, st.integers(0, 3), max_size=60)


def made(table: dict[str, int], *, at: int = 0, basis: str = "b") -> Fingerprint:
    """Return the fingerprint of a table whose rows hold a number each."""
    found = Fingerprint(basis, at)
    for key, content in table.items():
        found.add(key, str(content).encode())
    return found


def kept(fingerprint: Fingerprint) -> Fingerprint:
    """Return what the next run has of it."""
    found = Fingerprint.from_state(json.loads(json.dumps(fingerprint.folded().to_state())))
    assert found is not None
    return found


@given(TABLES, TABLES)
def test_what_changed_is_among_what_may_have_changed(before: dict[str, int], after: dict[str, int]) -> None:
    """And rows that are gone are noticed, however many came instead."""
    new = [key for key in after if key not in before]
    changed = made(after).changed_since(kept(made(before)), new)
    if before.keys() - after.keys():
        assert changed is None
    else:
        assert changed is not None
        assert {key for key in after if after[key] != before.get(key)} <= {key for key in after if key in changed}
        if before == after:
            assert not changed.buckets


@given(TABLES, TABLES, st.sets(KEYS))
def test_a_wrong_guess_at_what_is_new_never_hides_what_is_gone(
    before: dict[str, int], after: dict[str, int], guessed: set[str]
) -> None:
    """It costs a full version at most."""
    guessed &= after.keys()
    changed = made(after).changed_since(kept(made(before)), guessed)
    if changed is not None:
        assert before.keys() <= after.keys()
        assert guessed == after.keys() - before.keys()


@given(TABLES, st.randoms())
def test_the_order_of_rows_does_not_matter(table: dict[str, int], chance: object) -> None:
    """The API gives none."""
    keys = list(table)
    chance.shuffle(keys)  # type: ignore[attr-defined]
    assert made({key: table[key] for key in keys}).to_state() == made(table).to_state()


def test_a_row_that_comes_twice_is_not_nothing() -> None:
    """Two of the same must not cancel out: its change would never be seen."""
    once, twice, other = Fingerprint("b", 0), Fingerprint("b", 0), Fingerprint("b", 0)
    once.add("a", b"1")
    for _ in range(2):
        twice.add("a", b"1")
        other.add("a", b"2")
    assert twice.ids != Fingerprint("b", 0).ids
    changed = other.changed_since(twice, ())
    assert changed is not None
    assert "a" in changed
    assert twice.changed_since(once, ()) is None


@pytest.mark.parametrize(("rows", "buckets"), [(0, 16), (256, 16), (300, 16), (600, 32), (5_000, 256), (40_000, 1024)])
def test_the_number_of_buckets_suits_the_rows(rows: int, buckets: int) -> None:
    """Few kilobytes, and few rows that are written again with one that changed; also when the table has grown."""
    table = {f"{n:024x}": n for n in range(rows)}
    small = kept(made({key: table[key] for key in list(table)[:10]}))
    now = made(table)
    assert now.folded().buckets == buckets
    assert now.changed_since(small, list(table)[10:]) is not None
    size = len(json.dumps(now.folded().to_state()))
    assert size < 25 * buckets + 150
    if rows:
        key = next(iter(table))
        changed = made({**table, key: -1}).changed_since(kept(now), ())
        assert changed is not None
        assert sum(one in changed for one in table) < max(60, rows / buckets * 3)


def test_contents_of_another_basis_cannot_be_compared() -> None:
    """After another selection of fields, all is new."""
    assert made({"a": 1}).changed_since(kept(made({"a": 1}, basis="other")), ()) is None


@pytest.mark.parametrize(
    "state",
    [
        None,
        3,
        [],
        {},
        {"basis": "b", "at": 0, "rows": 1},
        {"basis": "b", "at": 0, "rows": 1, "ids": "!", "contents": "!"},
        {"basis": "b", "at": 0, "rows": 1, "ids": "AAAA", "contents": "AAAA"},
        {"basis": "b", "at": "x", "rows": 1, "ids": "A" * 172, "contents": "A" * 172},
        {"basis": "b", "at": 0, "rows": 1, "ids": "AAAAAAAAAAA=", "contents": "AAAAAAAAAAA="},
        {"basis": "b", "at": 0, "rows": None, "ids": "", "contents": ""},
    ],
)
def test_a_broken_memory_is_none(state: object) -> None:
    """The table is then read as if it were the first time."""
    assert Fingerprint.from_state(state) is None


def test_a_memory_of_odd_length_is_none() -> None:
    """Buckets fold by halves."""
    whole = made({"a": 1}).folded().to_state()
    odd = Fingerprint("b", 0)
    odd.ids, odd.contents = odd.ids[:24], odd.contents[:24]
    assert Fingerprint.from_state(whole) is not None
    assert Fingerprint.from_state(odd.to_state()) is None
    assert FEWEST_BUCKETS <= made({}).folded().buckets <= MOST_BUCKETS

"""The form of the state: what earlier versions wrote is read, what is written is read back, and it stays as it is."""

from __future__ import annotations

import ast
import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.contract.memory import Memory
from tap_crm.messages import HintsKept, NotShown
from tap_crm.sync.state import StreamState, Unfinished, plain_state, states_of

ROOT = Path(__file__).parents[2] / "tap_crm"
AT, TIME = 1_790_000_000, "2026-09-21T14:13:20Z"

#: The form as it is written: fixed, since other versions read it.
WRITTEN: dict[str, Any] = {
    "replication_key": "date_modified",
    "replication_key_value": TIME,
    "account": "0123456789abcdef",
    "version": 1_789_999_999_000,
    "reconcile": {
        "version": 1_790_000_000_000,
        "started": TIME,
        "written_from": TIME,
        "since": None,
        "first": False,
        "read_to": TIME,
        "rows": 7,
        "new": 2,
        "again": 1,
    },
    "reconciled_at": TIME,
    "untold_since": TIME,
    "told_to": TIME,
    "rows": 10,
    "rows_until": TIME,
    "total": None,
    "memory": {"rows": {"basis": "b", "rows": 3}, "counted": 3},
    "unexplained": {"records": 4, "since": TIME},
    "lists": {"user": 5},
    "empty_since": {"system": TIME},
    "custom_fields": {"17": "hair_color"},
    "column_types": {"hair_color": "text"},
    "nested_values": "text",
    "inbox": {
        "place": 12,
        "again": [[7, TIME], [9, TIME]],
        "said_gone": [[9, 11]],
        "told": [8, "lead_9"],
        "gone": [["lead_7", TIME]],
        "gap": TIME,
        "id": "5eed",
    },
}
PARSED = StreamState(
    replication_key="date_modified",
    bookmark=TIME,
    account="0123456789abcdef",
    version=1_789_999_999_000,
    unfinished=Unfinished(
        1_790_000_000_000, started=AT, written_from=AT, first=False, read_to=AT, rows=7, new=2, again=1
    ),
    reconciled_at=AT,
    untold_since=AT,
    told_to=AT,
    rows=10,
    rows_until=AT,
    memory=Memory({"basis": "b", "rows": 3}, 3),
    not_shown=NotShown(4, AT),
    lists={"user": 5},
    empty_since={"system": AT},
    columns={"17": "hair_color"},
    column_types={"hair_color": "text"},
    nested_values="text",
    hints=HintsKept(
        12,
        again={7: AT, 9: AT},
        said_gone={9: 11},
        told=(8, "lead_9"),
        gone={"lead_7": AT},
        gap=AT,
        inbox="5eed",
    ),
)

_counts = st.integers(0, 10**6)
_moments = st.integers(0, 4_000_000_000)
_texts = st.text(max_size=5)
_others = st.dictionaries(st.sampled_from(["later", "more"]), _counts | _texts, max_size=2)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


UNFINISHED = st.builds(
    Unfinished,
    version=st.integers(1, 10**13),
    started=_maybe(_moments),
    written_from=_maybe(_moments),
    scope=_maybe(_texts),
    first=_maybe(st.booleans()),
    read_to=_maybe(_moments),
    rows=_maybe(_counts),
    new=_maybe(_counts),
    again=_maybe(_counts),
    others=_others,
) | st.builds(Unfinished, version=st.integers(1, 10**13), is_scope_known=st.sampled_from([False]))
_keys = _counts | _texts
HINTS = st.builds(
    HintsKept,
    place=_counts,
    again=st.dictionaries(_keys, _moments, max_size=2),
    told=st.lists(_keys, max_size=2).map(tuple),
    gone=st.dictionaries(_keys, _moments, max_size=2),
    gap=_maybe(_moments),
    inbox=_maybe(st.sampled_from(["one", "other"])),
)
STATES = st.builds(
    StreamState,
    replication_key=_maybe(_texts),
    bookmark=_maybe(_texts | st.integers() | st.floats(allow_nan=False)),
    account=_maybe(_texts),
    version=_maybe(st.integers(1, 10**13)),
    unfinished=_maybe(UNFINISHED),
    reconciled_at=_maybe(_moments),
    untold_since=_maybe(_moments),
    told_to=_maybe(_moments),
    rows=_counts,
    rows_until=_maybe(_moments),
    total=_maybe(_counts),
    memory=_maybe(
        st.builds(
            Memory,
            fingerprint=_maybe(st.dictionaries(_texts, _counts, max_size=2)),
            counted=_maybe(_counts),
            others=_others,
        )
    ),
    not_shown=_maybe(st.builds(NotShown, records=_counts, since=_maybe(_moments))),
    lists=_maybe(st.dictionaries(_texts, _counts, max_size=3)),
    empty_since=st.dictionaries(_texts, _moments, max_size=3),
    columns=_maybe(st.dictionaries(_texts, _texts, max_size=3)),
    column_types=_maybe(st.dictionaries(_texts, _texts, max_size=3)),
    nested_values=_maybe(st.just("text")),
    hints=_maybe(HINTS),
)
PARTS = ["version", "records", "since", "rows", "place", "told", "again", "", "x"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["version", "records", "since", "rows", "place", "told", "", "x"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def test_the_form_is_this_one() -> None:
    """Both ways; nothing is added to it, nothing left out."""
    assert StreamState.parse(WRITTEN) == PARSED
    assert PARSED.write() == WRITTEN
    assert StreamState().write() == {}


@given(state=STATES)
def test_what_is_written_is_read_back(state: StreamState) -> None:
    """Through JSON, as targets and Meltano keep it."""
    assert StreamState.parse(json.loads(json.dumps(state.write()))) == state


@given(steps=st.lists(HINTS, min_size=1, max_size=5))
def test_the_place_in_the_inbox_never_goes_back(steps: list[HintsKept]) -> None:
    """Unless it is one of another inbox. Whatever else is kept beside it is that of the last run."""
    state = StreamState()
    for step in steps:
        known = state.hints
        is_same = known is not None and known.inbox in (None, step.inbox)
        before = known.place if known is not None and is_same else 0
        state.note_hints(step)
        assert state.hints == replace(step, place=max(before, step.place))


@given(kept=st.dictionaries(st.sampled_from([*WRITTEN, "partitions", "x"]), JUNK, max_size=6))
def test_what_is_no_state_of_ours_is_as_if_it_was_not_there(kept: dict[str, Any]) -> None:
    """A second look finds the same as the first."""
    state = StreamState.parse(kept)
    assert StreamState.parse(state.write()) == state


@given(state=STATES, others=st.dictionaries(st.sampled_from(["partitions", "progress_markers", "x"]), JUNK))
def test_keys_of_others_stay(state: StreamState, others: dict[str, Any]) -> None:
    """Such as those that the SDK keeps while it runs."""
    kept: dict[str, Any] = deepcopy(WRITTEN) | others
    state.write_into(kept)
    assert kept == state.write() | others


@pytest.mark.parametrize(
    ("kept", "parsed"),
    [
        ({"replication_key_value": 1_600_000_000}, StreamState(bookmark=1_600_000_000)),
        ({"replication_key_value": "2026-01-01"}, StreamState(bookmark="2026-01-01")),
        ({"reconcile": {"version": 3, "rows": 2}}, StreamState(unfinished=Unfinished(3, is_scope_known=False, rows=2))),
        ({"reconcile": {"version": 3, "since": TIME}}, StreamState(unfinished=Unfinished(3, scope=TIME))),
        ({"rows": 3}, StreamState(rows=3)),
        ({"memory": {"counted": 3}}, StreamState(memory=Memory(counted=3))),
        ({"memory": {}}, StreamState(memory=Memory())),
    ],
    ids=str,
)
def test_forms_that_earlier_versions_wrote_are_read(kept: dict[str, Any], parsed: StreamState) -> None:
    """And those that people write."""
    assert StreamState.parse(kept) == parsed


@pytest.mark.parametrize("value", ["yesterday", "", float("inf"), "[]"])
def test_a_bookmark_that_is_no_time_is_an_error(value: object) -> None:
    """Only one who looks for it is told."""
    state = StreamState.parse({"replication_key_value": value})
    with pytest.raises(errors.ConfigError, match=r"bookmark of stream `people` is no ISO 8601 time"):
        state.bookmark_at("people")


@pytest.mark.parametrize("state", [[], "x", {"bookmarks": []}, {"bookmarks": {"people": 3}}, {"people": {}}])
def test_what_is_no_singer_state_is_refused(state: object) -> None:
    """In one line."""
    with pytest.raises(errors.ConfigError, match="no Singer state"):
        states_of(state)
    with pytest.raises(errors.ConfigError, match="no Singer state"):
        plain_state(state)


def test_keys_of_the_state_are_named_in_one_file_only() -> None:
    """Those at least that are no words of anything else; elsewhere they are attributes with types."""
    keys = {"bookmarks", "replication_key_value", "reconciled_at", "untold_since", "told_to", "rows_until"}
    keys |= {"written_from", "empty_since", "memory", "counted", "unexplained", "read_to"}
    # The audit's own columns of these names, what it asks a table for, and what is counted of a read.
    audit = {
        "singer/audit_stream.py": {"unexplained", "read_to"},
        "audit/tables.py": {"read_to"},
        "report/audit_table.py": {"unexplained", "read_to"},
        "ledger.py": {"unexplained"},
    }
    found = {
        (name, node.value)
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in keys
        if node.value not in audit.get(name := path.relative_to(ROOT).as_posix(), set())
    }
    assert {name for name, _ in found} == {"sync/state.py"}
    assert {key for _, key in found} == keys

"""Times in a state that have not come yet are taken out of it; all else stays."""

from __future__ import annotations

from typing import Any

import pytest

from tap_crm.shaping.moments import from_epoch
from tap_crm.sync.given_state import forget_future
from tap_crm.sync.state import StreamState

NOW = 1_790_000_000
PAST, FUTURE = from_epoch(NOW - 100), from_epoch(NOW + 1)
COUNTED: dict[str, Any] = {"rows": 5, "rows_until": PAST, "total": 6}


def mended(**kept: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return what is left of a stream's state."""
    state = StreamState.parse(kept)
    forget_future("people", state, NOW)
    state.write_into(kept)
    return kept


def test_what_is_past_stays() -> None:
    """The present itself is no future."""
    kept = {"replication_key_value": from_epoch(NOW), "reconciled_at": PAST, "untold_since": PAST, **COUNTED}
    kept["reconcile"] = {"version": 9, "started": PAST, "read_to": PAST}
    assert mended(**kept) == kept


def test_a_complete_read_in_the_future_is_forgotten_with_what_it_counted() -> None:
    """Else no other one would ever be due."""
    assert mended(reconciled_at=FUTURE, version=3, **COUNTED) == {"version": 3}
    assert mended(untold_since=FUTURE) == {}


@pytest.mark.parametrize("name", ["started", "read_to"])
def test_an_unfinished_read_that_went_into_the_future_begins_anew(name: str) -> None:
    """What lies behind that was not read."""
    assert mended(reconcile={"version": 9, name: FUTURE}) == {}


def test_a_bookmark_in_the_future_goes_back_to_the_last_complete_read() -> None:
    """An unfinished one is left to go on."""
    unfinished = {"version": 9, "started": PAST}
    kept = mended(replication_key_value=FUTURE, reconciled_at=PAST, reconcile=unfinished)
    assert kept == {"replication_key_value": PAST, "reconciled_at": PAST, "reconcile": unfinished}


@pytest.mark.parametrize("value", [FUTURE, NOW * 1000, NOW + 1, 1e300])
def test_without_one_it_goes(value: Any) -> None:  # noqa: ANN401 - any JSON
    """And with it an unfinished read, whose rows the next one gives a version of their own."""
    kept = mended(replication_key="date_modified", replication_key_value=value, version=4, reconcile={"version": 9})
    assert kept == {"version": 4}


@pytest.mark.parametrize(
    ("kept", "loaded"),
    [
        ({}, False),
        ({"account": "00"}, False),
        ({"replication_key_value": PAST}, True),
        ({"version": 1}, True),
        ({"memory": {}}, True),
        ({"reconcile": {"version": 1}}, True),
    ],
)
def test_a_stream_was_loaded_if_its_state_tells_of_rows(kept: dict[str, Any], loaded: bool) -> None:
    """The name of the account alone does not."""
    assert StreamState.parse(kept).was_loaded is loaded

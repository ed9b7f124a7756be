"""The server's clock, told from the ``Date`` of its answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.transport.clock import ServerClock, http_date

NEW_YEAR_2026 = 1_767_225_600


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 -0000",
        "Thu, 01 Jan 2026 02:00:00 +0200",
        "Thursday, 01-Jan-26 00:00:00 GMT",
        "Thu Jan  1 00:00:00 2026",
    ],
)
def test_http_dates_are_read_in_every_form_that_servers_use(text: str) -> None:
    """RFC 9110 names three; offsets occur as well."""
    assert http_date(text) == NEW_YEAR_2026


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "soon",
        "120",
        "Thu, 99 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 +99999999999999999999",
    ],
)
def test_what_is_no_http_date_is_none(text: str | None) -> None:
    """Never an exception."""
    assert http_date(text) is None


@given(st.text(alphabet="Mon,Jan 0123456789:+-GMTx", max_size=40))
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    """A proxy may send anything."""
    moment = http_date(text)
    assert moment is None or isinstance(moment, float)


def test_until_the_first_answer_it_is_this_machines_clock() -> None:
    """Nothing else is known then."""
    assert ServerClock(lambda: 1000.0).now() == 1000.0


@pytest.mark.parametrize("skew", [-7200, -3, 0, 5, 86_400])
def test_the_present_is_the_earlier_of_both_clocks(skew: int) -> None:
    """Whichever is ahead; only the difference at the last answer is used."""
    local = NEW_YEAR_2026 + skew
    clock = ServerClock(lambda: float(local))
    earlier = min(NEW_YEAR_2026, local)
    assert clock.note("Thu, 01 Jan 2026 00:00:00 GMT") == earlier
    assert clock.now() == earlier
    assert clock.server() == NEW_YEAR_2026
    local += 10
    assert clock.now() == earlier + 10
    assert clock.server() == NEW_YEAR_2026 + 10


def test_the_last_answer_counts() -> None:
    """A clock that was set meanwhile is followed, and one that was ahead in one answer is forgotten."""
    clock = ServerClock(lambda: NEW_YEAR_2026 + 70.0)
    clock.note("Fri, 02 Jan 2026 00:00:00 GMT")
    clock.note("Thu, 01 Jan 2026 00:01:00 GMT")
    assert clock.now() == clock.server() == NEW_YEAR_2026 + 60


@pytest.mark.parametrize("header", [None, "", "yesterday"])
def test_an_answer_without_a_date_changes_nothing(header: str | None) -> None:
    """What was learned before stays."""
    clock = ServerClock(lambda: NEW_YEAR_2026 + 9.0)
    assert clock.note(header) == NEW_YEAR_2026 + 9
    assert not clock.is_told
    clock.note("Thu, 01 Jan 2026 00:00:00 GMT")
    assert clock.is_told
    assert clock.note(header) == clock.now() == NEW_YEAR_2026

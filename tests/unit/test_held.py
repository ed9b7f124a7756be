"""What is kept back of a stream's messages, and in which order it is written."""

from __future__ import annotations

import pytest
from singer_sdk.singerlib import StateMessage

from tap_crm.config.settings import DAY
from tap_crm.singer import held, writer
from tap_crm.singer.held import Held
from tap_crm.singer.writer import LineWriter
from tap_crm.sync.written import Written


def holding(out: list[bytes], *, waits: bool = True) -> Held:
    """Return what holds a stream ``tags`` and its child table, and writes into a list."""
    found = Held(out.extend)
    found.schema("tags", b"SCHEMA tags")
    found.schema("tags__parts", b"SCHEMA parts")
    found.compare(b"", lambda: out.append(b"STATE"), waits=waits)
    return found


def test_a_schema_is_written_before_the_first_row_of_its_own_table_and_not_without_one() -> None:
    """The state that forgets what was written comes first."""
    out: list[bytes] = []
    found = holding(out)
    found.rows("tags", [b"1"], [b"RECORD 1"])
    found.rows("tags", [b"2"], [b"RECORD 2"])
    assert out == []
    found.release()
    assert out == [b"STATE", b"SCHEMA tags", b"RECORD 1", b"RECORD 2"]
    found.other("tags__parts", b"ACTIVATE")
    assert out[-2:] == [b"SCHEMA parts", b"ACTIVATE"]


def test_the_digest_is_of_rows_in_any_order_and_of_nothing_else() -> None:
    """Versions and times are in the lines only."""

    def digest(*records: bytes, stream: str = "tags") -> str | None:
        found = holding([])
        for record in records:
            found.rows(stream, [record], [b"RECORD"])
        return found.digest

    assert digest(b"1", b"2") == digest(b"2", b"1")
    others = [digest(b"1"), digest(b"1", b"1"), digest(b"1", b"3"), digest(b"1", b"2", stream="other"), digest()]
    assert len({digest(b"1", b"2"), *others}) == len(others) + 1


@pytest.mark.parametrize("limit", ["MOST_ROWS", "MOST_BYTES"])
def test_a_list_that_is_too_long_is_written_as_it_comes(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept of it: neither lines nor a digest."""
    monkeypatch.setattr(held, limit, 2)
    out: list[bytes] = []
    found = holding(out)
    for number in range(4):
        found.rows("tags", [b"%d" % number], [b"RECORD"])
    assert out == [b"STATE", b"SCHEMA tags", *4 * [b"RECORD"]]
    assert found.digest is None
    assert not found.waits


class Auto:
    """The settings that count here, as they are by default."""

    reconcile, reconcile_days = "auto", 7.0


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        (Written("2:ab", 5, 1_000), True),
        (Written("2:ab", 4, 1_000), False),
        (Written("2:ab", 5, 1_001), False),  # later than the clock
        (Written("2:ab", 5, int(1_000 - 7 * DAY)), False),
        (Written("2:ab", 5, None), False),
        (Written(None, 5, 1_000), False),
    ],
)
def test_what_was_written_holds_for_its_version_and_for_some_days(written: Written, *, holds: bool) -> None:
    """Times are epoch seconds."""
    assert written.holds(5, Auto, 1_000.0) is holds  # type: ignore[arg-type]


def test_a_state_waits_only_where_nothing_lies_behind_the_last_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not wait for long either."""
    lines = LineWriter()
    lines.write_message(StateMessage(value={}))
    assert lines.lets_state_wait()
    assert lines.state_waits
    lines.write_lines([b"{}"])
    assert not lines.lets_state_wait()
    lines.write_message(StateMessage(value={}))
    assert not lines.state_waits
    monkeypatch.setattr(writer, "STATE_EVERY", 0.0)
    assert not lines.lets_state_wait()
    assert capsys.readouterr().out.count("STATE") == 2

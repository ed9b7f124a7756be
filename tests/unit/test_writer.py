"""The writer: whole lines, in order, whatever stands at the other end."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from tap_crm.errors import TargetGone
from tap_crm.singer.writer import FLUSH_AT, LineWriter


class Pipe:
    """A pipe that is read in another thread, more or less slowly."""

    def __init__(self, slowness: float) -> None:
        """Begin to read."""
        self._read_end, write_end = os.pipe()
        self.file = os.fdopen(write_end, "w")
        self._received = b""
        self._slowness = slowness
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while part := os.read(self._read_end, 50_000):
            self._received += part
            time.sleep(self._slowness)

    def lines(self) -> list[bytes]:
        """Close the writing end; return every line that arrived."""
        self.file.close()
        self._thread.join(10)
        os.close(self._read_end)
        assert self._received.endswith(b"\n")
        return self._received.splitlines()


def test_lines_arrive_whole_and_in_order_although_the_reader_is_slow() -> None:
    """Three megabytes through a pipe of 64 kB."""
    lines = [b'{"n":%d,"text":"%s"}' % (number, b"x" * (number % 300)) for number in range(20_000)]
    pipe = Pipe(slowness=0.001)
    with redirect_stdout(pipe.file):
        writer = LineWriter()
        for at in range(0, len(lines), 200):
            writer.write_lines(lines[at : at + 200])
        writer.flush()
    assert pipe.lines() == lines


def test_a_write_that_the_system_takes_only_a_part_of_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals and full pipes cut writes anywhere."""
    whole_write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole_write(descriptor, bytes(data)[:7]))
    pipe = Pipe(slowness=0)
    with redirect_stdout(pipe.file):
        writer = LineWriter()
        writer.write_lines([b"a" * 50, b"b" * 50])
        writer.flush()
    assert pipe.lines() == [b"a" * 50, b"b" * 50]


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    """Whoever shares the pipe may have switched that off."""
    pipe = Pipe(slowness=0.001)
    os.set_blocking(pipe.file.fileno(), False)
    lines = [b"x" * 1000] * 1000
    with redirect_stdout(pipe.file):
        writer = LineWriter()
        writer.write_lines(lines)
        writer.flush()
    assert pipe.lines() == lines


def test_a_target_that_is_gone_is_said_in_one_line() -> None:
    """Its own log says why."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as file, redirect_stdout(file):
        writer = LineWriter()
        writer.write_lines([b"{}"])
        with pytest.raises(TargetGone, match="stopped reading"):
            writer.flush()


def test_a_state_is_there_at_once() -> None:
    """With everything before it."""
    with redirect_stdout(io.StringIO()) as screen:
        writer = LineWriter()
        writer.write_lines([b'{"type":"RECORD"}'])
        assert screen.getvalue() == ""
        writer.write_message(
            StateMessage(value={"bookmarks": {"people": {"replication_key_value": "2026-01-01T00:00:00Z"}}})
        )
        record, state = map(json.loads, screen.getvalue().splitlines())
        assert record["type"] == "RECORD"
        assert state["value"]["bookmarks"]["people"]["replication_key_value"] == "2026-01-01T00:00:00Z"


def test_other_messages_wait_for_company() -> None:
    """One system call a line is what makes the SDK slow."""
    with redirect_stdout(io.StringIO()) as screen:
        writer = LineWriter()
        writer.write_message(SchemaMessage(stream="people", schema={"properties": {}}, key_properties=["id"]))
        assert screen.getvalue() == ""
        writer.flush()
        assert json.loads(screen.getvalue())["type"] == "SCHEMA"


def test_memory_stays_small() -> None:
    """A megabyte is enough company."""
    with redirect_stdout(io.StringIO()) as screen:
        writer = LineWriter()
        writer.write_lines([b"x" * (FLUSH_AT // 2)])
        assert screen.getvalue() == ""
        writer.write_lines([b"y" * (FLUSH_AT // 2)])
        assert len(screen.getvalue()) == FLUSH_AT + 2


def test_nothing_is_written_where_nothing_is_to_be_written() -> None:
    """No empty line."""
    with redirect_stdout(io.StringIO()) as screen:
        LineWriter().flush()
        assert screen.getvalue() == ""


def test_what_others_printed_before_stays_before() -> None:
    """Python's own buffer is emptied first."""
    pipe = Pipe(slowness=0)
    with redirect_stdout(pipe.file):
        sys.stdout.write("first\n")
        writer = LineWriter()
        writer.write_lines([b"second"])
        writer.flush()
    assert pipe.lines() == [b"first", b"second"]


def test_text_is_utf8_in_memory_too() -> None:
    """Names are not all English."""
    with redirect_stdout(io.StringIO()) as screen:
        writer = LineWriter()
        writer.write_lines(['{"name":"Zoë 🙂"}'.encode()])
        writer.flush()
        assert screen.getvalue() == '{"name":"Zoë 🙂"}\n'


class OwnTime(datetime):
    """A time of some library."""


class OwnThing:
    """Something that JSON has no form for."""

    def __str__(self) -> str:
        return "own"


def test_values_that_json_does_not_have_are_written_as_the_sdk_does() -> None:
    """Numbers with every digit, times as ISO text."""
    with redirect_stdout(io.StringIO()) as screen:
        zone = timezone(timedelta(hours=2))
        record = {
            "amount": Decimal("0.10000000000000000001"),
            "own_time": OwnTime(2026, 1, 1, 2, tzinfo=zone),
            "own": OwnThing(),
        }
        writer = LineWriter()
        writer.write_message(
            RecordMessage(stream="people", record=record, time_extracted=datetime(2026, 1, 1, tzinfo=UTC))
        )
        writer.flush()
        line = json.loads(screen.getvalue(), parse_float=Decimal)
        assert line["record"] == {
            "amount": Decimal("0.10000000000000000001"),
            "own_time": "2026-01-01T00:00:00+00:00",
            "own": "own",
        }
        assert datetime.fromisoformat(line["time_extracted"]) == datetime(2026, 1, 1, tzinfo=UTC)

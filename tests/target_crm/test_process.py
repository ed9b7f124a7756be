"""The command as a process: exit codes, signals, and what it says.

One run is the command as a user starts it. What signals do is asked of processes that are forked with the target
imported, and what is only said of a run in this process: a cold start takes as long as ten runs.
"""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests import in_process
from tests.singer import environment
from tests.started import run
from tests.target_crm.running import CREDENTIALS, records, state
from tests.warm_tap import WarmRun, is_measured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "target_crm"]


class Server(ThreadingHTTPServer):
    """A CRM that knows its account, has no records, and takes new ones slowly."""

    daemon_threads = True
    status = 200
    wrong = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self.made: list[dict[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Give the account, an empty list, or no record; where that is ``wrong``, a list, and count how often."""
        if self.server.wrong and self.path.endswith("/tasks/1"):
            self.server.wrong += 1
            self._send([])
            return
        if self.path.rpartition("/")[2].isdigit():
            self._send({"success": False, "status": 404, "message": "Resource not found"}, 404)
            return
        self._send({"id": 1, "name": "Example"} if self.path.endswith("/account") else [])

    def do_POST(self) -> None:
        """Take records, once the test says so."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/search"):
            self._send([])
            return
        self.server.asked.set()
        self.server.go_on.wait(30)
        record = {**body, "id": 900 + len(self.server.made), "date_created": 1, "date_modified": 1}
        self.server.made.append(record)
        self._send(record)

    def _send(self, body: object, status: int | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status or self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.server.status != HTTPStatus.OK:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def crm() -> Iterator[Server]:
    """Serve a CRM on the loopback."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


def command_of(folder: Path, crm: Server, messages: list[dict[str, Any]] | None = None) -> list[str]:
    """Return the command with a config, and with an input if it is not to be the standard one."""
    config = {
        **CREDENTIALS,
        "api_url": f"http://127.0.0.1:{crm.server_port}",
        "streams": {"*": {}},
        "journal": str(folder / "journal.sqlite"),
        "report": str(folder / "report.jsonl"),
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [*COMMAND, "--config", str(folder / "config.json")]
    if messages is None:
        return command
    (folder / "input.jsonl").write_text(lines_of(messages))
    return [*command, "--input", str(folder / "input.jsonl")]


@contextmanager
def started(folder: Path, command: list[str]) -> Iterator[tuple[WarmRun, Path]]:
    """Start the command as a process, and give it with the file of its output."""
    output = folder / "output"
    with output.open("wb") as out, (folder / "log").open("wb") as log:
        process = WarmRun(command, environment(measured=False), out.fileno(), log.fileno())
    try:
        yield process, output
    finally:
        process.send_signal(signal.SIGKILL)
        process.close()


def lines_of(messages: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


def test_a_whole_run_ends_with_0_and_its_state(tmp_path: Path, crm: Server) -> None:
    crm.go_on.set()
    given = lines_of([*records("tasks", {"id": 1, "name": "A"}), state(7)])
    done = run(command_of(tmp_path, crm), given=given.encode(), folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, b'{"at": 7}\n')
    assert "tasks: 1 created" in done.stderr.decode()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_what_was_sent_be_settled(tmp_path: Path, crm: Server, number: int, code: int) -> None:
    rows = [{"id": at, "name": f"T{at}"} for at in range(1, 30)]
    with started(tmp_path, command_of(tmp_path, crm, [*records("tasks", *rows), state(1)])) as (process, output):
        assert crm.asked.wait(30)
        process.send_signal(number)
        crm.go_on.set()
        assert process.wait(30) == code
    report = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert output.read_text() == ""
    assert sorted(line["key"] for line in report) == list(range(1, 30))
    created = {line["crm_id"] for line in report if line["outcome"] == "created"}
    assert created == {record["id"] for record in crm.made}


def test_a_signal_while_the_input_is_waited_for_ends_the_run(tmp_path: Path, crm: Server) -> None:
    command = command_of(tmp_path, crm, [])
    os.mkfifo(tmp_path / "slow")
    with (
        started(tmp_path, [*command[:-1], str(tmp_path / "slow")]) as (process, _),
        (tmp_path / "slow").open("w") as slow,
    ):
        slow.write(lines_of([*records("tasks", {"id": 1, "name": "A"}), state(1)]))
        slow.flush()
        while not (tmp_path / "journal.sqlite").exists() or not (tmp_path / "report.jsonl").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143


def test_a_signal_while_an_answer_is_asked_for_again_ends_the_run_at_once(tmp_path: Path, crm: Server) -> None:
    crm.wrong = 1
    given = [*records("tasks", {"id": 1, "name": "A"}), state(1)]
    with started(tmp_path, command_of(tmp_path, crm, given)) as (process, output):
        while crm.wrong < 6:  # by now it waits for seconds
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(30) == 143
        assert time.monotonic() - began < 3
    assert output.read_text() == ""


def test_refused_credentials_are_one_line_without_them(tmp_path: Path, crm: Server) -> None:
    crm.status = 401
    command = command_of(tmp_path, crm, [*records("tasks", {"id": 1, "name": "A"}), state(1)])
    done = in_process.execute(command, environment(), measured=is_measured())
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert "refused the credentials (401)" in said
    assert said.rstrip().endswith("(credentials refused: exit code 1)")
    assert "Traceback" not in said
    assert str(CREDENTIALS["api_key"]) not in said


def test_the_command_tells_of_itself() -> None:
    done = in_process.execute([*COMMAND, "--about", "--format=json"], environment(), measured=is_measured())
    told = json.loads(done.stdout)
    assert told["name"] == "target-crm"
    assert told["description"] == "Writes records into a CRM: nothing doubled, lost or overwritten."


def test_a_second_signal_waits_for_a_token_that_is_being_exchanged(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.target_crm.two_signals", str(tmp_path / "settled")]
    with started(tmp_path, command) as (process, _):
        assert process.wait(60) == 143
    assert (tmp_path / "settled").exists()

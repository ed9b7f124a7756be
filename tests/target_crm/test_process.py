"""The command as a process: exit codes, signals, and what it says."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crm.running import CREDENTIALS, records, state

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


@contextmanager
def started(folder: Path, crm: Server, **settings: Any) -> Iterator[subprocess.Popen[str]]:  # noqa: ANN401
    """Start the command with a config."""
    config = {
        **CREDENTIALS,
        "api_url": f"http://127.0.0.1:{crm.server_port}",
        "streams": {"*": {}},
        "journal": str(folder / "journal.sqlite"),
        "report": str(folder / "report.jsonl"),
        **settings,
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [*COMMAND, "--config", str(folder / "config.json")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=folder) as process:
        yield process
        process.kill()


def lines_of(messages: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


def test_a_whole_run_ends_with_0_and_its_state(tmp_path: Path, crm: Server) -> None:
    crm.go_on.set()
    with started(tmp_path, crm) as process:
        out, said = process.communicate(lines_of([*records("tasks", {"id": 1, "name": "A"}), state(7)]))
    assert (process.returncode, out) == (0, '{"at": 7}\n')
    assert "tasks: 1 created" in said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_what_was_sent_be_settled(tmp_path: Path, crm: Server, number: int, code: int) -> None:
    rows = [{"id": at, "name": f"T{at}"} for at in range(1, 30)]
    with started(tmp_path, crm) as process:
        assert process.stdin is not None
        process.stdin.write(lines_of([*records("tasks", *rows), state(1)]))
        process.stdin.close()
        process.stdin = None
        assert crm.asked.wait(30)
        os.kill(process.pid, number)
        crm.go_on.set()
        out, _ = process.communicate()
    report = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert (process.returncode, out) == (code, "")
    assert sorted(line["key"] for line in report) == list(range(1, 30))
    created = {line["crm_id"] for line in report if line["outcome"] == "created"}
    assert created == {record["id"] for record in crm.made}


def test_a_signal_while_the_input_is_waited_for_ends_the_run(tmp_path: Path, crm: Server) -> None:
    with started(tmp_path, crm) as process:
        assert process.stdin is not None
        process.stdin.write(lines_of([*records("tasks", {"id": 1, "name": "A"}), state(1)]))
        process.stdin.flush()
        while not (tmp_path / "journal.sqlite").exists() or not (tmp_path / "report.jsonl").exists():
            assert process.poll() is None
        assert process.stderr is not None
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 143


def test_a_signal_while_an_answer_is_asked_for_again_ends_the_run_at_once(tmp_path: Path, crm: Server) -> None:
    crm.wrong = 1
    with started(tmp_path, crm) as process:
        assert process.stdin is not None
        process.stdin.write(lines_of([*records("tasks", {"id": 1, "name": "A"}), state(1)]))
        process.stdin.close()
        process.stdin = None
        while crm.wrong < 6:  # by now it waits for seconds
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)
        began = time.monotonic()
        out, _ = process.communicate()
        assert time.monotonic() - began < 3
    assert (process.returncode, out) == (143, "")


def test_refused_credentials_are_one_line_without_them(tmp_path: Path, crm: Server) -> None:
    crm.status = 401
    with started(tmp_path, crm) as process:
        out, said = process.communicate(lines_of([*records("tasks", {"id": 1, "name": "A"}), state(1)]))
    assert (process.returncode, out) == (1, "")
    assert "refused the credentials (401)" in said
    assert said.rstrip().endswith("(credentials refused: exit code 1)")
    assert "Traceback" not in said
    assert str(CREDENTIALS["api_key"]) not in said


def test_the_command_tells_of_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--about", "--format=json"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    told = json.loads(done.stdout)
    assert told["name"] == "target-crm"
    assert told["description"] == "Writes records into a CRM: nothing doubled, lost or overwritten."


_TWO_SIGNALS = """
import os, pathlib, signal, sys, time
from target_crm.singer.target import TargetCRM

class Settling:
    def settle(self) -> None:
        time.sleep(0.3)
        pathlib.Path("settled").touch()

target = TargetCRM(config={"provider": "copper", "api_key": "k", "user_email": "u@example.com"})
target.__dict__.update(engine=object(), transport=Settling())
for _ in range(2):
    os.kill(os.getpid(), signal.SIGTERM)
time.sleep(30)
"""


def test_a_second_signal_waits_for_a_token_that_is_being_exchanged(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _TWO_SIGNALS], cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 143
    assert (tmp_path / "settled").exists()

"""`python -m sandbox` serves and says where."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from sandbox.__main__ import main
from sandbox.client import Client, CloseClient
from tests.started import PIPE, Program

ROOT = Path(__file__).parents[2]


def test_it_prints_its_url_and_serves() -> None:
    command = [sys.executable, "-m", "sandbox", "copper", "--port", "0", "--people", "50", "--companies", "9"]
    command += [
        "--opportunities",
        "5",
        "--leads",
        "5",
        "--projects",
        "5",
        "--tasks",
        "5",
        "--activities",
        "5",
    ]
    command += [
        "--now",
        "1790000000",
        "--search-cap",
        "30",
        "--latency-ms",
        "1",
        "--knobs",
        '{"total": "capped"}',
    ]
    with Program(command, stdout=PIPE, cwd=ROOT) as process:
        assert process.stdout
        said, url = process.stdout.readline().decode().strip().rsplit(" ", 1)
        client = Client(url)
        try:
            assert said == "listening on"
            assert url.endswith("/developer_api/v1")
            answer = client.post("people/search", {"page_size": 200})
            assert len(answer.json()) == 30
            assert answer.headers["X-PW-TOTAL"] == "30"
            assert client.control("truth")["people"]["count"] == 50
        finally:
            client.close()
            process.terminate()


def test_a_port_that_is_taken_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["close", "--port", str(port), "--leads", "1", "--activities", "1"])
    told = capsys.readouterr()
    assert (code, told.out) == (1, "")
    (line,) = told.err.splitlines()
    assert line.startswith(f"cannot serve on port {port}: Address already in use; name another one by --port")


def test_a_wrong_knob_is_an_error_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["copper", "--knobs", '{"speed": 1}'])
    assert end.value.code == 2
    assert "no such knob: speed" in capsys.readouterr().err


def test_close_is_served_beside_copper() -> None:
    command = [sys.executable, "-m", "sandbox", "close", "--port", "0", "--leads", "30", "--contacts", "9"]
    command += ["--activities", "20", "--opportunities", "5", "--tasks", "5", "--events", "5"]
    command += ["--now", "1790000000", "--tie-block", "10", "--knobs", '{"totals": "missing"}', "--api-key", "api_own"]
    with Program(command, stdout=PIPE, cwd=ROOT) as process:
        assert process.stdout
        client = CloseClient(process.stdout.readline().decode().strip().rsplit(" ", 1)[1])
        client.session.auth = ("api_own", "")
        try:
            answer = client.get("lead").json()
            assert len(answer["data"]) == 30
            assert "total_results" not in answer
            assert client.control("truth")["leads"]["count"] == 30
        finally:
            client.close()
            process.terminate()

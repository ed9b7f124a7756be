"""The command `tap-crm-inbox serve`."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_crm.inbox.command import main
from tap_crm.inbox.spool import Spool
from tests.inbox.deliveries import kept
from tests.inbox.serving import COPPER, TOKEN
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that runs the command with these settings in this process: exit code, and stderr."""

    def run(*options: str, **settings: Any) -> tuple[int, str]:  # noqa: ANN401 - any JSON
        path = tmp_path / "config.json"
        given = {"provider": "copper", "inbox": str(tmp_path / "inbox.sqlite"), "inbox_token": TOKEN, **settings}
        path.write_text(json.dumps({name: value for name, value in given.items() if value is not None}))
        with pytest.raises(SystemExit) as end:
            main(["serve", "--config", str(path), *options])
        return int(end.value.code or 0), capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"inbox": None}, "the setting `inbox` is missing; set it to a SQLite file"),
        ({"inbox": "mysql://u:pass@h/d"}, "the setting `inbox` must be a file's path, or a URL"),
        ({"inbox_token": None}, "the setting `inbox_token` is missing; set it to at least 32 random characters"),
        ({"inbox_token": "x" * 31}, "the setting `inbox_token` must be at least 32 letters, digits"),
        ({"inbox_token": "with/slash" * 4}, "the setting `inbox_token` must be at least 32 letters, digits"),
        ({"inbox": "/nowhere/inbox.sqlite"}, "the inbox cannot be opened: No such file or directory"),
        ({"provider": "hubspot"}, "the setting `provider` is not known"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(
    run: Callable[..., tuple[int, str]], settings: dict[str, Any], said: str
) -> None:
    code, told = run("--port", "0", **settings)
    assert code == 1
    assert told.startswith("tap-crm-inbox: ")
    assert said in told
    assert told.count("\n") == 1
    assert "pass" not in told


def test_a_port_that_is_taken_is_one_line(run: Callable[..., tuple[int, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = f"cannot listen on 127.0.0.1, port {port}: Address already in use; choose others by --host and --port"
        assert run("--port", port) == (1, f"tap-crm-inbox: {said}\n")


def test_an_address_of_another_machine_is_one_line(run: Callable[..., tuple[int, str]]) -> None:
    code, told = run("--host", "192.0.2.1")
    assert (code, told.count("\n")) == (1, 1)
    assert "cannot listen on 192.0.2.1, port 8480" in told


def test_without_its_extra_it_says_what_to_install(
    run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tap_crm.inbox.app", "tap_crm.inbox.server"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    code, told = run()
    assert code == 1
    assert told.endswith("install tap-crm with the extra `inbox`, in its clone: pip install '.[inbox]'\n")
    assert told.count("\n") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_after_what_it_accepted_was_answered(tmp_path: Path, number: int, code: int) -> None:
    """What it logs holds neither the token nor what was sent; the file is its owner's alone."""
    inbox = tmp_path / "inbox.sqlite"
    environment = {**os.environ, "TAP_CRM_PROVIDER": "copper", "TAP_CRM_INBOX_TOKEN": TOKEN}
    command = [sys.executable, "-m", "tap_crm.inbox", "serve", "--config", "ENV", "--port", "0"]
    log = tmp_path / "log"
    with log.open("wb") as err, (tmp_path / "output").open("wb") as out:
        variables = {**environment, "TAP_CRM_INBOX": str(inbox)}
        process = WarmRun(command, variables, out.fileno(), err.fileno())
    deadline = time.monotonic() + 60
    while (found := re.search(r"http://127\.0\.0\.1:(\d+); ", log.read_text())) is None:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    url = found[0][:-2]
    assert requests.post(f"{url}/copper/{TOKEN}", data=b"first one", headers=COPPER, timeout=20).status_code == 200
    assert requests.post(f"{url}/copper/{TOKEN}", data=b"forged", timeout=20).status_code == 401
    begun, ended = threading.Event(), threading.Event()

    def slowly() -> None:
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=20) as connection:
            head = f"POST /copper/{TOKEN} HTTP/1.1\r\nHost: x\r\nX-Tap-Crm-Token: {TOKEN}\r\nContent-Length: 4\r\n\r\n"
            connection.sendall(f"{head}la".encode())
            assert requests.get(f"{url}/health", timeout=20).status_code == 200  # so the other one was accepted, too
            begun.set()
            assert stopping.wait(20)
            connection.sendall(b"st")
            if connection.recv(100).startswith(b"HTTP/1.1 200 "):
                ended.set()

    stopping = threading.Event()
    thread = threading.Thread(target=slowly)
    thread.start()
    assert begun.wait(20)
    process.send_signal(number)
    stopping.set()
    thread.join(30)
    assert process.wait(60) == code
    process.close()
    told = log.read_text()
    assert ended.is_set()
    with closing(Spool.open(str(inbox))) as spool:
        assert kept(spool) == ["first one", "last"]
        assert spool.counters()["refused"] == 1
    assert inbox.stat().st_mode & 0o777 == 0o600
    assert TOKEN not in told
    assert "first one" not in told
    assert TOKEN.encode() not in inbox.read_bytes()

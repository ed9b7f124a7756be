"""A receiver that is killed: whatever it answered by 200 is in the inbox."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from tap_crm.inbox.spool import Spool
from tests import leaks
from tests.inbox.deliveries import kept
from tests.inbox.serving import COPPER, TOKEN

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

KILLS, SENDERS = 50, 4


def receive(path: str, log: str, pipe: Connection) -> None:
    """Receive in a process of its own, which tells its port and writes into a log."""
    with Path(log).open("ab") as output:
        for one in (1, 2):
            os.dup2(output.fileno(), one)
    from tap_crm.inbox.app import create  # noqa: PLC0415 - the process that forks has it already
    from tap_crm.inbox.server import make_server  # noqa: PLC0415
    from tap_crm.inbox.settings import InboxSettings  # noqa: PLC0415

    listener = socket.create_server(("127.0.0.1", 0))
    server = make_server(create(InboxSettings(address=path, token=TOKEN)))
    pipe.send(listener.getsockname()[1])
    server.run(sockets=[listener])


def send(port: int, name: str) -> list[str]:
    """Send events until the receiver is gone; returns those that were answered by 200."""
    answered: list[str] = []
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection):
        for number in range(100_000):
            body = f"{name}-{number}"
            try:
                connection.request("POST", f"/copper/{TOKEN}", body, COPPER)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                break
            assert answer.status == 200
            answered.append(body)
    return answered


def test_nothing_that_was_answered_is_missing_wherever_it_is_killed(tmp_path: Path) -> None:
    """Killed at random moments, on the same inbox; what was kept and not answered may be there, but once."""
    path, log = str(tmp_path / "inbox.sqlite"), str(tmp_path / "log")
    moments = random.Random(20260301)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "tap_crm.inbox.app", "tap_crm.inbox.server", "tests.inbox.test_killed"])
    answered: list[str] = []
    with closing(Spool.open(path)) as spool, ThreadPoolExecutor(SENDERS) as pool:
        for kill in range(KILLS):
            ours, theirs = context.Pipe()
            process = context.Process(target=receive, args=(path, log, theirs), daemon=True)
            process.start()
            assert ours.poll(60)
            port = ours.recv()
            sending = [pool.submit(send, port, f"{kill}-{sender}") for sender in range(SENDERS)]
            while not any(one.done() for one in sending) and not _has_begun(spool, kill):
                time.sleep(0.02)
            time.sleep(moments.uniform(0, 0.03))
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join(30)
            for one in sending:
                answered += one.result()
        found = kept(spool)
    assert len(found) == len(set(found))
    assert set(answered) <= set(found)
    assert len(answered) > KILLS
    leaks.check_config({"inbox_token": TOKEN, "inbox": path}, Path(log).read_bytes())


def _has_begun(spool: Spool, kill: int) -> bool:
    """Tell whether the receiver has kept anything: before that there is nothing to lose."""
    newest = spool.read("copper", max(0, spool.newest("copper") - 1), 1)
    return bool(newest) and newest[0].body.decode().startswith(f"{kill}-")

"""Measures how many events a second the receiver keeps durably, on one core, and how long each waits.

The receiver and the senders run in processes of their own, each held to a core; the senders wait for each answer.

    python -m bench.inbox --events 5000 --senders 32
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from tap_crm.inbox.entries import Delivery
from tap_crm.inbox.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

#: About the size of a notification of Copper's with 30 ids.
BODY = json.dumps({"ids": list(range(100_000, 100_030)), "type": "person", "event": "update"}).encode()


@dataclass(frozen=True)
class Sent:
    """What some senders saw: how long each event waited for its answer, in seconds."""

    waits: list[float]


def send(port: int, token: str, events: int, senders: int) -> Sent:
    """Send events over several connections at once, each waiting for its answer before it sends the next one."""

    def one(count: int) -> list[float]:
        waits = []
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for _ in range(count):
                began = time.perf_counter()
                connection.request("POST", f"/copper/{token}", BODY, {"X-Tap-Crm-Token": token})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:  # noqa: PLR2004
                    raise RuntimeError(f"answered by {answer.status}")
                waits.append(time.perf_counter() - began)
        return waits

    with ThreadPoolExecutor(senders) as pool:
        return Sent([wait for waits in pool.map(one, repeat(events // senders, senders)) for wait in waits])


def receiver(folder: Path, token: str) -> Iterator[tuple[int, int]]:
    """Run `serve` on the first core; gives its process id and port."""
    config = {"provider": "copper", "inbox": str(folder / "inbox.sqlite"), "inbox_token": token}
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "tap_crm.inbox", "serve", "--config", str(folder / "config.json"), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    hold(process.pid)
    assert process.stderr is not None  # noqa: S101 - for the type checker
    port = int(process.stderr.readline().partition("127.0.0.1:")[2].partition(";")[0])
    yield process.pid, port
    process.terminate()
    process.wait(30)


def hold(pid: int) -> None:
    """Hold a process to the first core."""
    os.sched_setaffinity(pid, sorted(os.sched_getaffinity(0))[:1])


def keep_off() -> None:
    """Keep this process off the first core, if there is another one."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)


def cpu_of(pid: int) -> float:
    """Return how many seconds of CPU a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def commits_alone(folder: Path, seconds: float = 2.0) -> float:
    """Return how many events a second are kept with a commit for each."""
    with closing(Spool.open(str(folder / "alone.sqlite"))) as spool:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            spool.append([Delivery("copper", BODY, datetime.now(UTC))])
            count += 1
    return count / seconds


def main() -> None:
    """Send, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--senders", type=int, default=32)
    options = parser.parse_args()
    token = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory(dir=".") as name:  # not in /tmp, which may be memory
        folder = Path(name)
        alone = commits_alone(folder)
        for pid, port in receiver(folder, token):
            before, began = cpu_of(pid), time.perf_counter()
            with ProcessPoolExecutor(1, initializer=keep_off) as pool:
                sent = pool.submit(send, port, token, options.events, options.senders).result()
            wall, cpu = time.perf_counter() - began, cpu_of(pid) - before
        with closing(Spool.open(str(folder / "inbox.sqlite"))) as spool:
            received = spool.counters()["received"]
    if received != len(sent.waits):
        raise SystemExit(f"{len(sent.waits)} events were answered by 200, and {received} are kept")
    waits = sorted(sent.waits)
    print(
        f"{received:,} events of {len(BODY)} bytes, {options.senders} senders at once: {received / wall:,.0f} a second"
    )
    median, p95 = statistics.median(waits) * 1000, waits[len(waits) * 95 // 100] * 1000
    print(f"a sender waits {median:.0f} ms at the median, {p95:.0f} ms at p95")
    print(f"CPU of the receiver: {cpu / received * 1000:.2f} ms an event")
    print(f"with a commit for each event: {alone:,.0f} a second")


if __name__ == "__main__":
    main()

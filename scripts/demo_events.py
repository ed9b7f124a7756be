"""The demo of events: a CRM, the inbox and the watch run together; how long until an edit and a deletion are loaded."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import duckdb

from sandbox.client import Client
from scripts.demo_copper import COPPER
from scripts.demo_processes import LOADER, OUTPUT, ROOT, DemoError, Meltano, served, short, started_by_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rich.console import Console

#: A small account: what is measured is the way of a change, not of a first load.
CRM = replace(
    COPPER,
    server=(
        *("--people", "500", "--companies", "100", "--opportunities", "100", "--leads", "50"),
        *("--activities", "200", "--tasks", "50", "--projects", "20", "--rate-limit", "0"),
    ),
)
TOKEN = "demo0token0of0the0inbox0at0least032"  # noqa: S105 - of a demo
#: The CRM is made up and has no limit: it may be asked as often as is wished.
WATCH_OPTIONS = ("--every", "5", "--min-gap", "1", "--requests-per-minute", "600")
PATIENCE = 180.0


def demo_events(console: Console) -> None:
    """Show it.

    Raises:
        DemoError: the warehouse does not get what changed.
    """
    with ExitStack() as stack:
        console.rule("1. Copper, served on this machine, and an inbox for its events", align="left")
        url = stack.enter_context(served(CRM))
        client = Client(url)
        stack.callback(client.close)
        meltano = Meltano(console, CRM, url)
        meltano.install()
        meltano.environment |= {"TAP_COPPER_INBOX": str(OUTPUT / "inbox.sqlite"), "TAP_COPPER_INBOX_TOKEN": TOKEN}
        config = _config(url)
        address = stack.enter_context(_inbox(config))
        client.control("configure", {"webhook_targets": "any"})  # Copper itself takes https only
        _subscribed(console, config, address)
        console.print(f"Copper: {url}; the inbox: {address}, subscribed to all that Copper tells of.")

        console.rule("2. The watch loads everything at start", align="left")
        watch = stack.enter_context(Watched(config, meltano))
        console.print(f"tap-crm-watch {' '.join(WATCH_OPTIONS)} -- meltano run {CRM.extractor} {LOADER}")
        watch.await_loaded(lambda rows: len(rows) == len(client.control("truth/people")))

        console.rule("3. Somebody edits a person", align="left")
        began = time.monotonic()
        (edited,) = client.control("edit", {"object": "people", "count": 1, "changes": {"title": "Seen at once"}})[
            "ids"
        ]
        watch.await_loaded(lambda rows: rows.get(edited, ("",))[0] == "Seen at once")
        console.print(f"The new title of person {edited} is in DuckDB after {time.monotonic() - began:.1f} s.")

        console.rule("4. Somebody deletes another one", align="left")
        gone = next(one["id"] for one in client.control("truth/people") if one["id"] != edited)
        began = time.monotonic()
        client.control("delete", {"object": "people", "ids": [gone]})
        watch.await_loaded(lambda rows: rows.get(gone, ("", None))[1] is not None)
        console.print(f"Person {gone} is marked as deleted in DuckDB after {time.monotonic() - began:.1f} s.")
        console.print("Without an inbox that is found by the next reconcile, after `reconcile_days`.")
    console.print(f"The lines of the watch are in {short(watch.log)}.")


def _config(url: str) -> Path:
    """Write the config that inbox and watch have."""
    path = OUTPUT / "config.json"
    prefix = f"{CRM.extractor.replace('-', '_').upper()}_"
    settings = {name.removeprefix(prefix).lower(): value for name, value in CRM.settings.items()}
    content = {**settings, "provider": CRM.name, "api_url": url, "inbox": str(OUTPUT / "inbox.sqlite")}
    path.write_text(json.dumps({**content, "inbox_token": TOKEN}), "utf-8")
    return path


@contextmanager
def _inbox(config: Path) -> Iterator[str]:
    """Run the receiver on a free port; gives its address."""
    command = [sys.executable, "-m", "tap_crm.inbox", "serve", "--config", str(config), "--port", "0"]
    with started_by_us(command, stderr=subprocess.PIPE) as inbox:
        assert inbox.stderr is not None  # noqa: S101 - for the type checker
        found = next((word for word in inbox.stderr.readline().split() if word.startswith("http")), "").rstrip(";")
        if not found:
            raise DemoError("the inbox did not start")
        yield found


def _subscribed(console: Console, config: Path, address: str) -> None:
    """Subscribe to everything."""
    words = ["subscribe", "--config", str(config), "--public-url", address]
    done = subprocess.run(
        [sys.executable, "-m", "tap_crm.inbox", *words], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        console.print(done.stdout + done.stderr, markup=False)
        raise DemoError(f"`tap-crm-inbox {' '.join(words)}` failed")


class Watched:
    """The watch, whose lines tell when the warehouse can be asked: DuckDB lets nobody in while it is written."""

    def __init__(self, config: Path, meltano: Meltano) -> None:
        self.log = OUTPUT / "watch.log"
        self._config, self._meltano = config, meltano
        self._rounds: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Start it."""
        meltano = [*self._meltano.command, "run", CRM.extractor, LOADER]
        watch = [sys.executable, "-m", "tap_crm.watch", "--config", str(self._config), *WATCH_OPTIONS]
        self._process = subprocess.Popen(
            [*watch, "--", *meltano],
            env=self._meltano.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; COMMAND is waited for."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=60)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        with self.log.open("w", encoding="utf-8") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                if "tap-crm-watch: " in line:
                    self._rounds.put(line)
        self._rounds.put("")

    def await_loaded(self, is_there: Callable[[Mapping[int, tuple[Any, ...]]], bool]) -> None:
        """Wait until the people in the warehouse are as they should be.

        Raises:
            DemoError: they do not become so.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                line = self._rounds.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if not line:
                raise DemoError(f"the watch ended; its lines are in {short(self.log)}")
            if "exit 0" in line and is_there(self._people()):
                return
        raise DemoError(f"the change was not loaded; the lines of the watch are in {short(self.log)}")

    def _people(self) -> dict[int, tuple[Any, ...]]:
        with duckdb.connect(str(self._meltano.database), read_only=True) as connection:
            rows = connection.execute(f"SELECT id, title, _sdc_deleted_at FROM {CRM.schema}.people").fetchall()  # noqa: S608
        return {row[0]: row[1:] for row in rows}

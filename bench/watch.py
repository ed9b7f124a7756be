"""Measures how long an edit in the CRM takes to its row in DuckDB, through `tap-crm-watch`.

At the speed of the sandbox: what is measured are the looks, the start of the programs, and the loading. One record is
edited at a time, at a moment that is drawn, and the next one when that was loaded.

    python -m bench.watch copper --edits 20 --way pipe
    python -m bench.watch close --edits 20 --way meltano
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich.console import Console

from sandbox.client import Client
from scripts.demo_close import CLOSE
from scripts.demo_copper import COPPER
from scripts.demo_processes import LOADER, ROOT, Meltano, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.demo_crm import Crm

CRMS = {
    "copper": (
        replace(COPPER, server=("--people", "500", "--companies", "100", "--activities", "200", "--rate-limit", "0")),
        "people",
        "title",
    ),
    "close": (
        replace(CLOSE, server=("--leads", "300", "--contacts", "300", "--activities", "300", "--rate-limit", "0")),
        "leads",
        "description",
    ),
}
#: The sandbox has no limit; these are the watch's defaults, but that a look costs nothing to wait for.
EVERY, MIN_GAP, BUDGET = 2.0, 1.0, 600
PATIENCE = 300.0


class Trial:
    """A server, a watch of it, and the database that its COMMAND fills."""

    def __init__(self, crm: Crm, url: str, folder: Path, way: str) -> None:
        self.crm, self.url, self.folder, self.way = crm, url, folder, way
        self.meltano = Meltano(Console(stderr=True), crm, url, folder)
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def command(self) -> list[str]:
        """Return COMMAND."""
        self.meltano.install()
        if self.way == "meltano":
            return [*self.meltano.command, "run", self.crm.extractor, LOADER]
        loader = ROOT / ".venvs" / "demo-plugins" / "loaders" / LOADER / "venv" / "bin" / LOADER
        target = self.write(
            "target",
            {
                "path": str(self.meltano.database),
                "default_target_schema": self.crm.schema,
                "add_metadata_columns": True,
            },
        )
        tap = shlex.join([sys.executable, "-m", "tap_crm", "--config", self.config()])
        state, states = shlex.quote(str(self.folder / "state.json")), shlex.quote(str(self.folder / "states"))
        line = (
            f"set -euo pipefail; [ -s {state} ] && s=(--state {state}) || s=(); "
            f'{tap} "${{s[@]}}" 2>/dev/null | {shlex.join([str(loader), "--config", target])} 2>/dev/null > {states}; '
            f"tail -n 1 {states} > {state}.next; [ -s {state}.next ] && mv {state}.next {state}"
        )
        return ["bash", "-c", line]

    def config(self) -> str:
        """Write the tap's config, which is the watch's, too."""
        prefix = f"{self.crm.extractor.replace('-', '_').upper()}_"
        settings = {name.removeprefix(prefix).lower(): value for name, value in self.crm.settings.items()}
        return self.write("config", {**settings, "provider": self.crm.name, "api_url": self.url})

    def write(self, name: str, content: Any) -> str:  # noqa: ANN401 - any JSON
        """Write a JSON file."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), "utf-8")
        return str(path)

    @contextmanager
    def watching(self, options: Sequence[str], command: Sequence[str]) -> Iterator[None]:
        """Watch, and run COMMAND; the lines of its rounds come into ``lines``."""
        watch = [sys.executable, "-m", "tap_crm.watch", "--config", self.config(), *options, "--", *command]
        with subprocess.Popen(
            watch,
            env=self.meltano.environment,
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            threading.Thread(target=self._read, args=(process,), daemon=True).start()
            try:
                yield
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def idle(self, client: Client, seconds: float) -> float:
        """Return the requests a minute of a watch with the usual options, while nothing changes."""
        with self.watching(("--no-first",), ("true",)):
            while "round 1: " not in self.lines.get(timeout=PATIENCE):
                pass
            client.control("reset_stats", {})
            began = time.monotonic()
            while time.monotonic() - began < seconds - 1:  # from round to round
                self.lines.get(timeout=PATIENCE)
            took = time.monotonic() - began
            requests: int = client.control("stats")["requests"]
        return requests * 60 / took

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None  # noqa: S101 - for the type checker
        for line in process.stderr:
            if "tap-crm-watch: " in line:
                self.lines.put(line)

    def await_row(self, question: str) -> None:
        """Wait until a run has ended after which a question has an answer; DuckDB lets nobody in before.

        Raises:
            TimeoutError: none has.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            line = self.lines.get(timeout=PATIENCE)
            if "exit 0" in line:
                with duckdb.connect(str(self.meltano.database), read_only=True) as connection:
                    if connection.execute(question).fetchall():
                        return
        raise TimeoutError(question)


def main() -> None:
    """Edit, wait, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crm", choices=CRMS)
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--way", choices=("pipe", "meltano"), default="pipe")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds for which requests are counted while idle")
    options = parser.parse_args()
    crm, stream, field = CRMS[options.crm]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(served(crm))
        client = Client(url)
        stack.callback(client.close)
        trial = Trial(crm, url, folder, options.way)
        fast = ("--every", str(EVERY), "--min-gap", str(MIN_GAP), "--requests-per-minute", str(BUDGET))
        watching = stack.enter_context(ExitStack())
        watching.enter_context(trial.watching(fast, trial.command()))
        trial.await_row(f"SELECT 1 FROM {crm.schema}.{stream} LIMIT 1")  # noqa: S608 - names of this module
        took = []
        for number in range(options.edits):
            time.sleep(random.uniform(MIN_GAP, MIN_GAP + EVERY))
            began = time.monotonic()
            order = {"object": stream, "count": 1, "changes": {field: f"edit {number}"}}
            (edited,) = client.control("edit", order)["ids"]
            where = f"id = '{edited}' AND {field} = 'edit {number}'"
            trial.await_row(f"SELECT 1 FROM {crm.schema}.{stream} WHERE {where}")  # noqa: S608
            took.append(time.monotonic() - began)
            print(f"edit {number}: {took[-1]:.1f} s", file=sys.stderr)
        watching.close()
        idle = trial.idle(client, options.idle)
    took.sort()
    print(
        f"{options.crm}, {options.way}: median {statistics.median(took):.1f} s, "
        f"p95 {took[min(len(took) - 1, int(0.95 * len(took)))]:.1f} s, of {len(took)} edits; "
        f"a look every {EVERY:g} s; {os.cpu_count()} cores"
    )
    print(f"{options.crm}: {idle:.0f} requests a minute while nothing changes, with a look every 30 s as is usual")


if __name__ == "__main__":
    main()

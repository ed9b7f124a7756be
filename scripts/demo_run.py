"""The demo: serve a CRM, load it, change it, load what changed, compare. Run by `./scripts/demo`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from sandbox.client import Client
from scripts.demo_close import CLOSE
from scripts.demo_compare import compare, remove
from scripts.demo_copera import COPERA
from scripts.demo_copper import COPPER
from scripts.demo_report import show_comparison, show_deals, show_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from scripts.demo_compare import Comparison
    from scripts.demo_crm import Crm

CRMS = {crm.name: crm for crm in (COPPER, CLOSE, COPERA)}
ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "output" / "demo"
LOADER = "target-duckdb"
LOG_LINES = 40


class DemoError(Exception):
    """A step of the demo failed; the line that is printed of it gives the reason."""


class Meltano:
    """Runs Meltano on this checkout's project: output in a log file, state and plugins apart from the user's."""

    def __init__(self, console: Console, crm: Crm, url: str) -> None:
        self.console = console
        self.log = OUTPUT / "meltano.log"
        self.database = OUTPUT / "crm.duckdb"
        self.extractor = crm.extractor
        prefix = crm.extractor.replace("-", "_").upper()
        self.environment = {
            **os.environ,
            **crm.settings,
            f"{prefix}_API_URL": url,
            "TARGET_DUCKDB_PATH": str(self.database),
            "MELTANO_SYS_DIR_ROOT": str(ROOT / ".venvs" / "demo-plugins"),
            "MELTANO_DATABASE_URI": f"sqlite:///{OUTPUT / 'meltano.db'}",
            "MELTANO_CLI_LOG_FORMAT": "uncolored",
            "NO_COLOR": "1",
        }

    def install(self) -> None:
        """Install the tap and the loader, each into a virtual environment of its own."""
        self._meltano("Installing the tap and the loader", "install", self.extractor, LOADER)

    def load(self, settings: Mapping[str, str] | None = None) -> None:
        """Run the tap into the loader, with some settings of its own."""
        more = {} if settings is None else dict(settings)
        title = " ".join(
            [*(f"{name}={value}" for name, value in more.items()), f"meltano run {self.extractor} {LOADER}"]
        )
        self._meltano(title, "run", self.extractor, LOADER, **more)

    def _meltano(self, title: str, *arguments: str, **settings: str) -> None:
        started = time.monotonic()
        program = Path(sys.executable).with_name("meltano")
        # No .env file: what is set there is for a real account.
        command = [str(program), "--cwd", str(ROOT), "--env-file", os.devnull, *arguments]
        with self.console.status(f"{title} ..."), self.log.open("a") as log:
            before = log.tell()
            environment = {**self.environment, **settings}
            with started_by_us(command, env=environment, stdout=log, stderr=log) as process:
                code = process.wait()
        if code:
            lines = self.log.read_bytes()[before:].decode(errors="replace").splitlines()
            self.console.print("\n".join(lines[-LOG_LINES:]), markup=False, highlight=False)
            raise DemoError(f"`meltano {' '.join(arguments)}` failed; the whole log is in {_short(self.log)}")
        self.console.print(f"{title}: {time.monotonic() - started:.0f} s")


@contextmanager
def started_by_us(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:  # noqa: ANN401 - Popen's
    """Start a process that does not outlive us, however we end."""
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def served(crm: Crm) -> Iterator[str]:
    """Serve a CRM on a free port of this machine; gives its URL."""
    command = [sys.executable, "-m", "sandbox", crm.name, "--port", "0", *crm.server]
    with started_by_us(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None  # noqa: S101 - for the type checker
        url = server.stdout.readline().strip().rpartition(" ")[2]
        if not url:
            raise DemoError("the sandbox did not start")
        yield url


def demo(crm: Crm, console: Console) -> bool:
    """Show everything; True if what was loaded is what is there."""
    console.rule(f"1. {crm.title}, served on this machine", align="left")
    with served(crm) as url:
        client = Client(url)
        meltano = Meltano(console, crm, url)
        console.print(f"{url}, filled with made-up data; its rate limit is lifted, so that you need not wait.\n")

        console.rule("2. First run: everything", align="left")
        meltano.install()
        meltano.load()
        first = compare(crm, client, meltano.database)
        show_comparison(console, first)

        console.rule(f"3. {crm.title} changes", align="left")
        for change in crm.changes:
            change.make(client)
            console.print(f"- {change.title}")
        console.print("\nSo these tables are behind now:")
        show_comparison(console, [one for one in compare(crm, client, meltano.database) if not one.equal])

        console.rule("4. Second run: only what changed", align="left")
        meltano.load()
        second = _compare_without_gone(console, crm, client, meltano)
        third = _third_run(console, crm, client, meltano) if crm.deletions else []
        client.close()

    console.rule("What the runs read and asked (from the table sync_audit)", align="left")
    show_runs(console, crm, meltano.database)
    console.rule("The deals by pipeline and stage (SQL on the loaded tables)", align="left")
    show_deals(console, crm, meltano.database)
    console.print(f"The database is {_short(meltano.database)}, schema {crm.schema}; the log is {_short(meltano.log)}.")
    return all(one.equal for one in (*first, *second, *third))


def _third_run(console: Console, crm: Crm, client: Client, meltano: Meltano) -> list[Comparison]:
    """Delete what leaves no trace, and find it by reading everything."""
    console.rule(f"5. {crm.title} loses records without a trace", align="left")
    for change in crm.deletions:
        change.make(client)
        console.print(f"- {change.title}")
    console.rule("6. Third run: with a reconcile, which reads everything once more", align="left")
    meltano.load(crm.reconciling)
    return _compare_without_gone(console, crm, client, meltano)


def _compare_without_gone(console: Console, crm: Crm, client: Client, meltano: Meltano) -> list[Comparison]:
    """Compare, after the loaded tables were freed of what the tap has said to be gone."""
    if removed := sum(remove(crm, meltano.database).values()):
        console.print(
            f"The tap has said by ACTIVATE_VERSION that rows are gone. {LOADER} ignores it, so one SQL statement "
            f"for each table removes them: {removed:,} rows."
        )
    found = compare(crm, client, meltano.database)
    show_comparison(console, found)
    if gone := sum(one.gone for one in found):
        console.print(
            f"{gone:,} rows are of records that were deleted or merged meanwhile; what Close's event log told of is "
            "marked in `_sdc_deleted_at`."
        )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the demo of the CRM that is asked for."""
    parser = argparse.ArgumentParser(prog="./scripts/demo", description="Shows the tap at work, without an account.")
    choices = [*CRMS, "all"]
    parser.add_argument("crm", nargs="?", choices=choices, default="copper", help="which CRM (default: copper)")
    asked = parser.parse_args(arguments).crm
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, _end)
    started = time.monotonic()
    console = Console(highlight=False)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    try:
        results = [demo(crm, console) for crm in CRMS.values() if asked in (crm.name, "all")]
    except DemoError as error:
        console.print(f"Failed: {error}", style="bold red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; the sandbox is stopped.")
        return 130
    if not all(results):
        console.print("What was loaded is not what is there.", style="bold red")
        return 1
    seconds = time.monotonic() - started
    console.print(f"What was loaded is what is there, after both runs ({seconds:.0f} s).", style="bold green")
    return 0


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    sys.exit(128 + number)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())

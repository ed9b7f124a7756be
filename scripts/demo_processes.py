"""Starts what the demo shows: the sandbox, and Meltano on this checkout's project."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from scripts.demo_crm import Crm

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "output" / "demo"
PLUGINS = ROOT / ".venvs" / "demo-plugins"
LOADER = "target-duckdb"
DATABASE = "crm.duckdb"
LOG_LINES = 40


class DemoError(Exception):
    """A step of the demo failed; the line that is printed of it gives the reason."""


class Meltano:
    """Runs Meltano on this checkout's project: output in a log file, state and plugins apart from the user's."""

    def __init__(self, console: Console, crm: Crm, url: str, output: Path = OUTPUT) -> None:
        self.console = console
        self.log = output / "meltano.log"
        self.database = output / DATABASE
        self.extractor = crm.extractor
        prefix = crm.extractor.replace("-", "_").upper()
        self.environment = {
            **os.environ,
            **crm.settings,
            f"{prefix}_API_URL": url,
            "TARGET_DUCKDB_PATH": str(self.database),
            "MELTANO_SYS_DIR_ROOT": str(PLUGINS),
            "MELTANO_DATABASE_URI": f"sqlite:///{output / 'meltano.db'}",
            "MELTANO_CLI_LOG_FORMAT": "uncolored",
            "NO_COLOR": "1",
        }

    @property
    def command(self) -> list[str]:
        """The beginning of each command; without a file `.env`: what is set there is for a real account."""
        program = Path(sys.executable).with_name("meltano")
        return [str(program), "--cwd", str(ROOT), "--env-file", os.devnull]

    def install(self, *others: str) -> None:
        """Install the tap, the loader and others, each into a virtual environment of its own."""
        what = f"the tap, the loader, {' and '.join(others)}" if others else "the tap and the loader"
        self._meltano(f"Installing {what}", "install", self.extractor, LOADER, *others)

    def load(self, settings: Mapping[str, str] | None = None) -> None:
        """Run the tap into the loader, with some settings of its own."""
        self.run(self.extractor, LOADER, **({} if settings is None else settings))

    def run(self, *arguments: str, **settings: str) -> None:
        """Run an extractor into a loader, with some settings of their own."""
        title = " ".join([*(f"{name}={value}" for name, value in settings.items()), "meltano run", *arguments])
        self._meltano(title, "run", *arguments, **settings)

    def _meltano(self, title: str, *arguments: str, **settings: str) -> None:
        started = time.monotonic()
        command = [*self.command, *arguments]
        with self.console.status(f"{title} ..."), self.log.open("a") as log:
            before = log.tell()
            environment = {**self.environment, **settings}
            with started_by_us(command, env=environment, stdout=log, stderr=log) as process:
                code = process.wait()
        if code:
            lines = self.log.read_bytes()[before:].decode(errors="replace").splitlines()
            self.console.print("\n".join(lines[-LOG_LINES:]), markup=False, highlight=False)
            raise DemoError(f"`meltano {' '.join(arguments)}` failed; the whole log is in {short(self.log)}")
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


def make_page(console: Console) -> None:
    """Make the page of all runs, and say where it is.

    Raises:
        DemoError: it could not be made.
    """
    page = OUTPUT / "report.html"
    arguments = ["--database", str(OUTPUT / DATABASE), "--out", str(page)]
    done = subprocess.run(
        [sys.executable, "-m", "tap_crm.report", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise DemoError(done.stderr.strip())
    console.print(f"All runs on one page (tap-crm-report): {page.as_uri()}", soft_wrap=True)


def short(path: Path) -> str:
    """Return a path as it is shown."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)

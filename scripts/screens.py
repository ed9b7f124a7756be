"""Makes the pictures in `docs/screens`: `python -m scripts.screens [report] [docs] [runs] [demo]`; all without a name.

Pages are shown by a headless Chromium, as PNG; what a terminal shows is drawn as SVG, and as PNG besides.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from sandbox.copper import API_KEY, USER_EMAIL, copper_app
from sandbox.faults import FaultRule
from sandbox.server import running
from scripts.browser import browser
from scripts.picture import SHAPE, as_svg
from scripts.report_sample import make
from tap_crm.errors import CrmError
from tap_crm.singer.tap import TapCRM
from tap_crm.singer.verdict_table import show_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
SCREENS, SITE = ROOT / "docs" / "screens", ROOT / "output" / "docs"
#: Columns of the terminal.
WIDTH = 100
#: Columns that the reason of a failure needs.
FAILED_WIDTH = 136
WIDE, NARROW = (1280, 900), (390, 844)


def report() -> None:
    """Show the page of `tap-crm-report`, of made-up runs: light, dark and narrow."""
    with tempfile.TemporaryDirectory() as folder, browser() as started:
        database, page = Path(folder, "loaded.duckdb"), Path(folder, "report.html")
        make(database, datetime.now(UTC))
        arguments = ["--database", str(database), "--out", str(page)]
        subprocess.run([sys.executable, "-m", "tap_crm.report", *arguments], check=True)
        _shot(started, page, "report-light", WIDE)
        _shot(started, page, "report-dark", WIDE, scheme="dark", place="#account-1")
        _shot(started, page, "report-narrow", NARROW)


def site() -> None:
    """Show the first page of the documentation, and that of a CRM."""
    subprocess.run([str(ROOT / "scripts" / "docs")], check=True)
    with browser() as started:
        _shot(started, SITE / "index.html", "docs", WIDE)
        _shot(started, SITE / "copper.html", "docs-copper-dark", WIDE, scheme="dark")


def _shot(  # noqa: PLR0913 - what is shown, and how
    started: Browser, page: Path, name: str, size: tuple[int, int], *, scheme: str = "light", place: str = ""
) -> None:
    width, height = size
    context = started.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
    shown = context.new_page()
    shown.goto(page.as_uri())
    if place:
        shown.evaluate("place => document.querySelector(place).scrollIntoView()", place)
    shown.wait_for_load_state("networkidle")
    shown.screenshot(path=SCREENS / f"{name}.png")
    context.close()


def runs() -> None:
    """Draw the ends of a first run and of one that fails, as a terminal shows them."""
    broken: dict[str, Any] = {"faults": [FaultRule(["500"], every=1, path="tasks/search")], "forbidden": ["projects"]}
    for name, knobs in (("first-run", dict[str, Any]()), ("failed-run", broken)):
        with running(copper_app(SHAPE, rate_limit=0, **knobs)) as url:
            keys = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL, "api_url": url}
            tap = TapCRM(config={**keys, "requests_per_minute": 3_000, "retry_seconds": 1})
            failure = ""
            with redirect_stdout(io.StringIO()):
                try:
                    tap.sync_all()
                except CrmError as error:
                    failure = str(error)
        if tap.verdict is None:
            raise SystemExit(f"{name}: no verdict")
        streams = len(tap.verdict.outcomes)
        last = Text(failure, "bold red") if failure else Text(f"complete: {streams} of {streams} streams", "bold green")
        console = _console(FAILED_WIDTH if knobs else WIDTH)
        console.print("$ tap-crm --config config.json | target-postgres > states.jsonl", style="bold")
        show_on(console, tap.verdict)
        console.print(last)
        _save(console, name)


def demo() -> None:
    """Draw what `./scripts/demo` shows."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    command = [str(ROOT / "scripts" / "demo")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    console = _console()
    console.print("$ ./scripts/demo", style="bold")
    console.print(Text.from_ansi(done.stdout.replace(ROOT.as_uri(), "file:///checkout")), soft_wrap=True)
    _save(console, "demo")


def _console(width: int = WIDTH) -> Console:
    return Console(record=True, width=width, file=io.StringIO(), highlight=False, force_terminal=True)


def _save(console: Console, name: str) -> None:
    drawn = SCREENS / f"{name}.svg"
    drawn.write_text(as_svg(console, name), "utf-8")
    with browser() as started:
        _shot(started, drawn, name, _size_of(drawn))


def _size_of(drawn: Path) -> tuple[int, int]:
    """Return how wide and how high a picture is."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn.read_text("utf-8"))
    if found is None:
        raise SystemExit(f"{drawn}: no viewBox")
    return math.ceil(float(found[1])), math.ceil(float(found[2]))


PICTURES: Mapping[str, Callable[[], None]] = {"report": report, "docs": site, "runs": runs, "demo": demo}


def main() -> int:
    """Make those that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screens", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(PICTURES))
    names = parser.parse_args().names or list(PICTURES)
    if unknown := set(names) - PICTURES.keys():
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    SCREENS.mkdir(exist_ok=True)
    for name in names:
        PICTURES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())

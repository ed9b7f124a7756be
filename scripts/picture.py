"""Draws `docs/run.svg`, what a terminal shows at the end of a run, from a run: `python -m scripts.picture`."""

from __future__ import annotations

import io
import re
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI

from sandbox.copper import API_KEY, USER_EMAIL, CopperSandbox, Shape, copper_app
from sandbox.server import running
from tap_crm.singer.tap import TapCRM
from tap_crm.singer.verdict_table import show_on

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "run.svg"
SHAPE = Shape(people=4_000, companies=1_200, leads=600, opportunities=800, projects=90, tasks=700, activities=3_000)
#: A font of each machine: a picture must load nothing.
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
#: Seconds until a change is later than what the run before has read.
LATER = 8.0
#: Eight days, so that a reconcile is due.
LONG_AGO = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 8 * 86_400))


def loaded(url: str, state: dict[str, Any] | None) -> TapCRM:
    """Return a tap that has read the account, and shown nothing."""
    config = {
        "provider": "copper",
        "api_key": API_KEY,
        "user_email": USER_EMAIL,
        "api_url": url,
        "requests_per_minute": 3_000,
    }
    tap = TapCRM(config=config, state=state)
    with redirect_stdout(io.StringIO()):
        tap.sync_all()
    return tap


def a_week_later(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state as if its complete reads were a week ago: the next run looks for what is gone."""
    bookmarks = {
        stream: kept | ({"reconciled_at": LONG_AGO} if "reconciled_at" in kept else {})
        for stream, kept in state["bookmarks"].items()
    }
    return state | {"bookmarks": bookmarks}


def change(app: CopperSandbox) -> None:
    """Change a few records, as people do between two runs."""
    for stream, created, edited, deleted in (("people", 12, 31, 2), ("leads", 5, 8, 0), ("opportunities", 3, 14, 1)):
        app.account.create(stream, count=created)
        app.account.edit(stream, count=edited)
        if deleted:
            app.account.delete(stream, count=deleted)


def main() -> int:
    """Draw it."""
    app = copper_app(SHAPE, rate_limit=0)
    with running(app) as url:
        state = a_week_later(dict(loaded(url, None).state))
        time.sleep(LATER)
        change(app)
        time.sleep(LATER)
        verdict = loaded(url, state).verdict
    if verdict is None:
        return 1
    console = Console(record=True, width=92, file=io.StringIO(), highlight=False, force_terminal=True)
    console.print("$ tap-crm --config config.json --state state.json | target-postgres >> states.jsonl", style="bold")
    show_on(console, verdict)
    console.print(f"complete: {len(verdict.outcomes)} of {len(verdict.outcomes)} streams", style="bold green")
    PICTURE.write_text(as_svg(console, "run"), "utf-8")
    return 0


def as_svg(console: Console, name: str) -> str:
    """Return what was written to a console that records, as a picture that loads nothing."""
    drawn = console.export_svg(title="tap-crm", theme=MONOKAI, unique_id=name)
    return _FONT.sub("", drawn).replace("Fira Code", "ui-monospace, Menlo, Consolas") + "\n"


if __name__ == "__main__":
    sys.exit(main())

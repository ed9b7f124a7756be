"""The demo `two-way`, with the tap and the target in this process instead of Meltano's plugins."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich.console import Console

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from scripts.demo_two_way import ACCOUNT, EDITED, LATER, REFUSED, TAKEN, TwoWay
from target_crm.singer.target import TargetCRM
from tests.singer import Tap, only
from tests.target_crm.running import records
from tests.target_crm.two_way import load_into

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.singer import Record


class Pipes:
    """What the demo needs of Meltano: the same settings, given as the environment gives them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.database, self.log = folder / "crm.duckdb", folder / "log"
        self.environment: dict[str, str] = {**ACCOUNT.settings, "TAP_COPPER_API_URL": url}
        self.installed: list[str] = []
        self._state: Record | None = None

    def install(self, *others: str) -> None:
        """Note what would be installed."""
        self.installed += others

    def load(self, settings: Mapping[str, str] | None = None) -> None:
        """Run the tap, and load what it wrote."""
        tap = Tap(self.folder, provider="copper", **self._settings("TAP_COPPER_", settings or {}))
        tap.inside = True
        names = [rule.partition(".")[0] for rule in json.loads(self.environment["TAP_COPPER__SELECT"])]
        run = tap.sync(catalog=only(tap.discover()[0], *names), state=self._state)
        self._state = run.state
        with duckdb.connect(str(self.database)) as connection:
            load_into(connection, "copper", run)

    def run(self, *arguments: str, **settings: str) -> None:
        """Send the lines of the outbox to the target."""
        assert arguments == ("--full-refresh", "tap-jsonl", "target-copper")
        rows = [json.loads(line) for line in Path(self.environment["TAP_JSONL_PATH"]).read_text("utf-8").splitlines()]
        messages = records(self.environment["TAP_JSONL_STREAM_NAME"], *rows)
        text = "".join(json.dumps(message) + "\n" for message in messages)
        with redirect_stdout(io.StringIO()):
            TargetCRM(config={"provider": "copper", **self._settings("TARGET_COPPER_", settings)}).run(
                io.StringIO(text)
            )

    def _settings(self, prefix: str, more: Mapping[str, str]) -> Record:
        given = {**self.environment, **more}
        found = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
        return {name.lower(): value for name, value in found.items() if not name.startswith("_")}


def test_the_demo_shows_edits_that_go_there_and_come_back(tmp_path: Path) -> None:
    screen = io.StringIO()
    # Its clock is behind, since the demo moves it on, and the tap believes no time that is yet to come.
    shape = Shape(people=60, companies=5, opportunities=0, leads=0, projects=0, tasks=0, activities=0)
    app = copper_app(shape, rate_limit=0, bulk_rate_limit=0, clock_skew=-600)
    with running(app) as url:
        pipes: Any = Pipes(tmp_path, url)
        failures = TwoWay(Console(file=screen, width=140), url, pipes, tmp_path).show()
    shown = screen.getvalue()
    assert failures == [], shown
    assert pipes.installed == ["tap-jsonl", "target-copper"]
    written = EDITED - TAKEN - REFUSED
    assert f"The report: {REFUSED} rejected, {TAKEN} skipped, {written} updated." in shown
    assert f"Of the {EDITED} edited people, {written - LATER} are echoes" in shown
    assert "somebody.who.left@example.com" in shown
    assert "Requests that write: 0." in shown

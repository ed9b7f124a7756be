"""A worker that vanishes in the middle of a load: another one goes on from the state in the table."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.crms import CRMS
from tests.singer import environment, parse
from tests.started import Program

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.contract.conftest import Start
    from tests.contract.crm import Crm
    from tests.singer import Run, Tap

LOADER = Path(__file__).parents[1] / "load" / "loader.py"


def load(tap: Tap, place: Path, folder: Path) -> Program:
    """Start ``load-account`` in a process group of its own; what is loaded is in the folder's only file."""
    folder.mkdir(exist_ok=True)
    ours = [sys.executable, "-m", "tap_crm.load", "acme", "--state", str(place), "--"]
    target = [sys.executable, str(LOADER), str(folder / "loaded.jsonl")]
    variables = environment(measured=False)
    return Program([*ours, *tap.command(), "|", *target], variables=variables, start_new_session=True)


def loaded(folder: Path) -> Run:
    """Return what the target has stored, less a line that was not finished."""
    text = (folder / "loaded.jsonl").read_bytes()
    return parse(text[: text.rfind(b"\n") + 1])


def kept(place: Path) -> str | None:
    """Return the state in the table."""
    with closing(sqlite3.connect(place)) as connection:
        rows = connection.execute("SELECT state FROM load_account_state").fetchall()
    return rows[0][0] if rows else None


# What is kept, and when, is the same for all CRMs: `test_interrupted` kills the runs of each.
@pytest.mark.parametrize("crm", [pytest.param(CRMS["copera"], id="copera")], indirect=True)
def test_another_machine_goes_on_where_a_worker_vanished(crm: Crm, start: Start, tmp_path: Path) -> None:
    """SIGKILL to all of it as soon as a state is kept; nothing that was on its disk is needed."""
    app, tap = start(*crm.streams)
    place = tmp_path / "state.sqlite"
    place.touch()
    gone: list[int] = []

    def vanish(moment: Moment) -> None:
        if moment.when == "before" and not gone and _has_bookmarks(place):
            gone.append(app.stats.requests)
            os.killpg(process.pid, signal.SIGKILL)

    app.behaviour.latency_ms = 20
    end = app.on_answer(vanish)
    with load(tap, place, tmp_path / "first") as process:
        assert process.wait(60) == -signal.SIGKILL
    end()
    app.behaviour.latency_ms = 0
    assert _has_bookmarks(place)
    with load(tap, place, tmp_path / "second") as process:
        assert process.wait(60) == 0
    first, second = loaded(tmp_path / "first"), loaded(tmp_path / "second")
    crm.assert_complete(app, first, second)


def _has_bookmarks(place: Path) -> bool:
    try:
        return len(json.loads(kept(place) or "{}").get("bookmarks", {})) > 1
    except sqlite3.OperationalError:  # there is no table yet
        return False

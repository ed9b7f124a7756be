"""A run leaves nothing open behind it: Python's development mode, which tells of that, has nothing to tell."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox import close, copera, copper
from sandbox.server import running
from tests.singer import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.simulator import Simulator

#: Of each CRM, what makes a small account, and the credentials for it.
CRMS: dict[str, tuple[Callable[[], Simulator], dict[str, str]]] = {
    "copper": (
        lambda: copper.copper_app(
            copper.Shape(people=3, companies=3, leads=3, opportunities=3, projects=3, tasks=3, activities=3),
            rate_limit=0,
        ),
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
    ),
    "close": (
        lambda: close.close_app(
            close.Shape(leads=3, contacts=3, opportunities=3, tasks=3, activities=40, events=3), rate_limit=0
        ),
        {"api_key": close.API_KEY},
    ),
    "copera": (
        lambda: copera.copera_app(copera.Shape(boards=1, tables=2, rows=20, documents=3, drive_files=3), rate_limit=0),
        {"api_key": copera.PAT},
    ),
}


@pytest.mark.parametrize("crm", CRMS)
def test_no_run_leaves_anything_open(tmp_path: Path, crm: str) -> None:
    """No file, no connection."""
    make, credentials = CRMS[crm]
    config = tmp_path / "config.json"
    command = [sys.executable, "-X", "dev", "-m", "tap_crm", "--config", str(config)]
    with running(make()) as url:
        config.write_text(json.dumps({"provider": crm, "api_url": url, "requests_per_minute": 0, **credentials}))
        done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=environment(measured=False))
    assert done.returncode == 0
    assert "Warning" not in done.stderr.decode()

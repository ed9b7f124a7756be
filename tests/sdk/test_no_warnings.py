"""A run leaves nothing open behind it: Python's development mode, which tells of that, has nothing to tell."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sandbox import close, copera, copper
from sandbox.server import running
from tests.singer import environment
from tests.started import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.simulator import Simulator

#: Of each CRM, what makes a small account, and the credentials for it.
CRMS: dict[str, tuple[Callable[[], Simulator], dict[str, str]]] = {
    "copper": (
        lambda: copper.copper_app(
            copper.Shape(
                people=3, companies=3, leads=3, opportunities=3, projects=3, tasks=3, activities=3, custom_fields=1
            ),
            rate_limit=0,
        ),
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
    ),
    "close": (
        lambda: close.close_app(
            close.Shape(leads=3, contacts=3, opportunities=3, tasks=3, activities=40, events=3, custom_fields=2),
            rate_limit=0,
        ),
        {"api_key": close.API_KEY},
    ),
    "copera": (
        lambda: copera.copera_app(copera.Shape(boards=1, tables=2, rows=20, documents=3, drive_files=3), rate_limit=0),
        {"api_key": copera.PAT},
    ),
}


#: Runs the tap for one config after the other, as the command does: a start in this mode takes longer than a run.
PROGRAM = """
import gc, runpy, sys
for config in sys.argv[1:]:
    sys.argv = ["tap-crm", "--config", config]
    try:
        runpy.run_module("tap_crm", run_name="__main__")
    except SystemExit as end:
        assert not end.code, end.code
    gc.collect()
"""


def test_no_run_leaves_anything_open(tmp_path: Path) -> None:
    """No file, no connection; of any CRM."""
    configs = []
    with ExitStack() as stack:
        for crm, (make, credentials) in CRMS.items():
            url = stack.enter_context(running(make()))
            config = tmp_path / f"{crm}.json"
            config.write_text(json.dumps({"provider": crm, "api_url": url, "requests_per_minute": 0, **credentials}))
            configs.append(str(config))
        command = [sys.executable, "-X", "dev", "-c", PROGRAM, *configs]
        done = run(command, variables=environment(measured=False))
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    for crm in CRMS:
        assert f'"provider":"{crm}"' in done.stdout.decode().replace(": ", ":")
    assert "Warning" not in done.stderr.decode()

"""What `./scripts/test-airflow` shows of Airflow's logs where something is not as expected: a CI keeps no files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_TASK_LINES, _SERVICE_LINES = 60, 40
_ATTEMPTS = 12
"""So many attempts are shown: where more fail, they fail for one reason."""
_WIDTH = 400
_USUAL = ("METRIC:", "request finished")
"""What lines have that explain nothing."""


def attempts(home: Path, run: str, tasks: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Show the end of the logs of some tasks of a run; each is named by its id and its place among the mapped ones."""
    folder = home / "logs" / "dag_id=load_crm_accounts" / f"run_id={run}"
    logs = [
        log
        for task, place in tasks
        for log in sorted((folder / f"task_id={task}" / (f"map_index={place}" if place >= 0 else "")).glob("*.log"))
    ]
    for log in logs[:_ATTEMPTS]:
        yield from _end(log, str(log.relative_to(folder)), _TASK_LINES)
    if len(logs) > _ATTEMPTS:
        yield f"--- and {len(logs) - _ATTEMPTS} more"


def services(home: Path) -> Iterator[str]:
    """Show the end of what Airflow's own processes have said."""
    for log in sorted(home.glob("*.log")):
        yield from _end(log, log.name, _SERVICE_LINES)


def _end(log: Path, name: str, lines: int) -> Iterator[str]:
    yield f"--- {name}"
    told = [line for line in log.read_text("utf-8", "replace").splitlines() if not any(one in line for one in _USUAL)]
    for line in told[-lines:]:
        yield f"  {_plain(line)[:_WIDTH]}"


def _plain(line: str) -> str:
    """Return what a line of a task's log says; others are as they are."""
    try:
        said: dict[str, Any] = json.loads(line)
        errors = "".join(f": {one['exc_type']}: {one['exc_value']}" for one in said.get("error_detail", ()))
        return f"{said['timestamp'][11:19]} {said['level']} {said['event']}{errors}"
    except (ValueError, TypeError, KeyError, AttributeError):
        return line

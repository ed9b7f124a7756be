"""What `./scripts/test-airflow` shows of Airflow's logs when something is not as expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.airflow_logs import attempts, services

if TYPE_CHECKING:
    from pathlib import Path

RUN = "manual__1"
BOTH = [("load_copper", 1), ("report", -1)]


def written(home: Path, task: str, text: str, attempt: int = 1) -> None:
    """Write the log of an attempt."""
    log = home / "logs" / "dag_id=load_crm_accounts" / f"run_id={RUN}" / task / f"attempt={attempt}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)


def event(text: str, **more: object) -> str:
    """Return a line as Airflow writes it."""
    return json.dumps({"timestamp": "2026-01-31T02:00:01.123Z", "level": "info", "event": text, **more}) + "\n"


def test_each_attempt_of_the_tasks_is_shown_and_no_other_task(tmp_path: Path) -> None:
    """A mapped task is one of several, and may have been tried again."""
    for attempt in (1, 2):
        written(tmp_path, "task_id=load_copper/map_index=1", event(f"attempt {attempt}"), attempt)
    written(tmp_path, "task_id=load_copper/map_index=2", event("another account"))
    written(tmp_path, "task_id=report", event("no report"))
    assert list(attempts(tmp_path, RUN, BOTH)) == [
        "--- task_id=load_copper/map_index=1/attempt=1.log",
        "  02:00:01 info attempt 1",
        "--- task_id=load_copper/map_index=1/attempt=2.log",
        "  02:00:01 info attempt 2",
        "--- task_id=report/attempt=1.log",
        "  02:00:01 info no report",
    ]


def test_an_error_is_shown_with_what_was_raised(tmp_path: Path) -> None:
    """Airflow keeps it beside the event."""
    raised = [{"exc_type": "AirflowException", "exc_value": "exit code 1."}]
    written(tmp_path, "task_id=report", event("Task failed", error_detail=raised))
    assert list(attempts(tmp_path, RUN, BOTH))[-1].endswith("Task failed: AirflowException: exit code 1.")


def test_a_line_that_is_no_event_is_shown_as_it_is(tmp_path: Path) -> None:
    """A process may be killed while it writes."""
    written(tmp_path, "task_id=report", '{"timestamp": "2026-0\n17\n')
    assert list(attempts(tmp_path, RUN, BOTH))[1:] == ['  {"timestamp": "2026-0', "  17"]


def test_tasks_without_a_log_are_none(tmp_path: Path) -> None:
    """They may not have begun."""
    assert list(attempts(tmp_path, RUN, BOTH)) == []


def test_the_end_of_what_airflows_own_processes_said_is_shown(tmp_path: Path) -> None:
    """Without what each request adds to it."""
    lines = [*(f"line {n}" for n in range(100)), *["request finished"] * 100]
    (tmp_path / "scheduler.log").write_text("\n".join(lines))
    assert list(services(tmp_path)) == ["--- scheduler.log", *(f"  line {n}" for n in range(60, 100))]

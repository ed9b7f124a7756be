"""Airflow for `./scripts/test-airflow`: its scheduler, DAG processor and API server, on this machine alone."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import time
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests

from scripts.demo_processes import started_by_us

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "orchestrate" / "airflow"
DAG = "load_crm_accounts"
PATIENCE = 300.0


class AirflowError(Exception):
    """Airflow does not do what the test needs of it."""


class Airflow:
    """Airflow with a home of its own.

    Args:
        home: its folder.
        database: a PostgreSQL database of its own.
        variables: what the DAG is told.
    """

    def __init__(self, home: Path, database: str, variables: Mapping[str, str]) -> None:
        self.home = home
        self._programs = ROOT / ".venvs" / "airflow" / "bin"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        secret = base64.urlsafe_b64encode(os.urandom(32)).decode()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON", "TAP_"))}
        self.environment = {
            **kept,
            **variables,
            "PATH": f"{self._programs}:/usr/local/bin:/usr/bin:/bin",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "3",
            "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": secret,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API__SECRET_KEY": secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": secret,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            # The usual ones, of 5 to 50 seconds, are too few where two cores do all this.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "180",
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "240",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "300",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        self._port = str(port)
        self._stack = ExitStack()
        self._session = requests.Session()

    def __enter__(self) -> Self:
        """Start it and wait until it answers and knows the DAG."""
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            self._cli("db", "migrate")
            self._start("api-server", "--host", "127.0.0.1", "--port", self._port, "--workers", "1")
            self._start("scheduler", "--skip-serve-logs")
            self._start("dag-processor")
            self._cli("pools", "import", str(FOLDER / "pools.json"))
            self._wait_for_dag()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End its processes."""
        self._stack.close()
        self._session.close()

    def connect(self, name: str, **parts: str) -> None:
        """Make a connection, or change the one of that name.

        Raises:
            AirflowError: Airflow refuses it.
        """
        body = {"connection_id": name, "conn_type": "generic", **parts}
        if self._ask("GET", f"connections/{name}").ok:
            done = self._ask("PATCH", f"connections/{name}", body)
        else:
            done = self._ask("POST", "connections", body)
        if not done.ok:
            raise AirflowError(f"the connection {name}: {done.text}")

    def trigger(self) -> str:
        """Begin a run of the DAG and return its id."""
        done = self._ask("POST", f"dags/{DAG}/dagRuns", {"logical_date": None})
        if not done.ok:
            raise AirflowError(f"the run cannot be begun: {done.text}")
        return str(done.json()["dag_run_id"])

    def state(self, run: str) -> str:
        """Return what has become of a run."""
        return str(self._get(f"dags/{DAG}/dagRuns/{run}")["state"])

    def tasks(self, run: str) -> list[dict[str, Any]]:
        """Return all task instances of a run."""
        found: list[dict[str, Any]] = self._get(f"dags/{DAG}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return found

    def logs(self) -> dict[Path, str]:
        """Return the text of every log file of tasks."""
        return {path: path.read_text("utf-8") for path in (self.home / "logs").rglob("*.log")}

    def rendered(self, run: str) -> str:
        """Return the rendered fields of all tasks of a run, as they are shown."""
        return str([task["rendered_fields"] for task in self.tasks(run)])

    def _wait_for_dag(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(1)
            try:
                if self._ask("GET", f"dags/{DAG}").ok:
                    return
            except requests.ConnectionError:  # it does not answer yet
                continue
        raise AirflowError(f"Airflow does not know the DAG after {PATIENCE:.0f} s; its logs are in {self.home}")

    def _get(self, path: str) -> Any:  # noqa: ANN401 - what the API documents for each path
        """Ask for something that must be there, once more if a busy server fails at first."""
        answer = self._ask("GET", path)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            time.sleep(1)
            answer = self._ask("GET", path)
        if not answer.ok:
            raise AirflowError(f"GET {path}: {answer.status_code} {answer.text[:2000]}")
        return answer.json()

    def _ask(self, method: str, path: str, body: object = None) -> requests.Response:
        if "Authorization" not in self._session.headers:
            token = self._session.get(f"{self._url}/auth/token", timeout=PATIENCE).json()["access_token"]
            self._session.headers["Authorization"] = f"Bearer {token}"
        return self._session.request(method, f"{self._url}/api/v2/{path}", json=body, timeout=PATIENCE)

    def _start(self, *words: str) -> None:
        log = self._stack.enter_context((self.home / f"{words[0]}.log").open("w"))
        command = [str(self._programs / "airflow"), *words]
        self._stack.enter_context(
            started_by_us(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        )

    def _cli(self, *words: str) -> None:
        path = self.home / f"{words[0]}.log"
        command = [str(self._programs / "airflow"), *words]
        with path.open("w") as log:
            done = subprocess.run(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                timeout=PATIENCE,
            )
        if done.returncode:
            raise AirflowError(f"`airflow {' '.join(words)}` failed: {path.read_text('utf-8')[-2000:]}")

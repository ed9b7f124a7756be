"""Runs the dbt package of this checkout on a loaded database, and reads what dbt says of the run."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from scripts.demo_processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "dbt"
PROGRAM = ROOT / ".venvs" / "dbt" / "bin" / "dbt"
"""Where `make_environment dbt dbt` installs it."""
SCHEMA = "analytics"
"""Not `crm`: DuckDB takes `crm.x` for ambiguous where the file is called so, too."""
_LINES = 40
_USUAL = (" START ", " OK ", " PASS ", " SKIP ")
"""What lines have that tell of no failure; the summary counts what was skipped."""


class DbtError(Exception):
    """dbt ended with a failure; the message has the last lines of its output."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a build came to.

    Attributes:
        models: how many models were made.
        tests: how many tests there were, by their end: `pass`, `warn` or `fail`.
        told: tests that did not pass, and what dbt says of them.
        seconds: how long it took, without dbt's start.
    """

    models: int
    tests: Counter[str]
    told: dict[str, str]
    seconds: float

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.tests.items()))
        return f"{self.models} models, {sum(self.tests.values())} tests ({ends}) in {self.seconds:.0f} s"


def duckdb_output(database: Path) -> dict[str, Any]:
    """Return the profile's output for a file of DuckDB."""
    return {"type": "duckdb", "path": str(database), "schema": SCHEMA, "threads": 2}


def postgres_output(address: str) -> dict[str, Any]:
    """Return the profile's output for a database, by its address as SQLAlchemy has it."""
    url = make_url(address)
    return {
        "type": "postgres",
        "host": url.host or url.query["host"],
        "port": url.port or 5432,
        "user": url.username,
        "password": url.password or "",
        "dbname": url.database,
        "schema": SCHEMA,
        "threads": 2,
    }


class DbtPackage:
    """The package, built into one database.

    Args:
        folder: for its profile and for what dbt writes.
        output: the database, as a dbt profile has it.
    """

    def __init__(self, folder: Path, output: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        profile = {"tap_crm": {"target": "here", "outputs": {"here": output}}}
        (folder / "profiles.yml").write_text(json.dumps(profile))  # JSON is YAML
        self.log = folder / "dbt.log"
        self._results = folder / "target" / "run_results.json"

    def build(self, *options: str) -> Summary:
        """Make all models and run all tests.

        Raises:
            DbtError: a model or a test failed.
        """
        self._results.unlink(missing_ok=True)
        self._run("build", *options)
        found = json.loads(self._results.read_text())
        results = [(one["unique_id"].split("."), one) for one in found["results"]]
        tests = [(path[2], one) for path, one in results if path[0] == "test"]
        return Summary(
            models=sum(path[0] == "model" for path, _ in results),
            tests=Counter(one["status"] for _, one in tests),
            told={name: str(one["message"]) for name, one in tests if one["status"] != "pass"},
            seconds=found["elapsed_time"],
        )

    def freshness(self, *sources: str) -> dict[str, str]:
        """Return how fresh dbt finds these sources, by their table.

        Raises:
            DbtError: one of them is too old, or cannot be asked.
        """
        self._run("source", "freshness", "--select", *(f"source:{one}" for one in sources))
        found = json.loads((self.folder / "target" / "sources.json").read_text())
        return {one["unique_id"].split(".", 2)[2]: one["status"] for one in found["results"]}

    def doubts(self) -> dict[str, str]:
        """Return the SQL of each test that did not pass in the last build, by its name; none before any was tried."""
        if not self._results.exists():
            return {}
        results = json.loads(self._results.read_text())["results"]
        return {
            one["unique_id"].split(".")[2]: one["compiled_code"]
            for one in results
            if one["status"] in {"fail", "warn"} and one.get("compiled_code")
        }

    def _run(self, *arguments: str) -> None:
        options = ("--no-use-colors", "--no-version-check", *arguments, "--project-dir", str(PACKAGE))
        places = ("--profiles-dir", str(self.folder), "--target-path", str(self.folder / "target"))
        logs = ("--log-path", str(self.folder / "logs"))
        done = subprocess.run(
            [str(PROGRAM), *options, *places, *logs],
            cwd=self.folder,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with self.log.open("a") as log:
            log.write(done.stdout)
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if not any(word in line for word in _USUAL)]
            raise DbtError("\n".join(lines[-_LINES:]))

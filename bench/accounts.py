"""Measures what an unchanged account costs, each way side by side: directly and by Meltano.

    python -m bench.accounts --rounds 3

It needs the loader and the tap that `./scripts/test-airflow` installs. The CPU is that of all processes together; the
sandbox, which plays the CRM, is a process of its own and not counted, nor is the PostgreSQL server.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sandbox.client import Client
from scripts.airflow_accounts import CREDENTIALS, CRMS
from scripts.demo_processes import served
from tests.postgres import serving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.demo_crm import Crm

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / ".venvs" / "airflow-plugins"
SIZES = {
    "copper": ("--people", "300", "--companies", "60", "--opportunities", "60", "--leads", "60", "--activities", "150"),
    "close": ("--leads", "200", "--contacts", "200", "--opportunities", "60", "--tasks", "40", "--activities", "200"),
    "copera": ("--boards", "1", "--tables", "4", "--rows", "200"),
}
#: The command of a way, for a CRM.
Way: TypeAlias = Callable[[str], list[str]]


@dataclass(frozen=True)
class Cost:
    """What one load took: CPU seconds, seconds, megabytes of its largest process, requests."""

    cpu: float
    wall: float
    peak: float
    requests: int


def direct(_: str) -> list[str]:
    """Return the command of a load by `tap | target`."""
    programs, loader = Path(sys.executable).parent, PLUGINS / "loaders" / "target-postgres" / "venv" / "bin"
    tap, target = str(programs / "tap-crm"), str(loader / "target-postgres")
    return [tap, "--config", "ENV", "|", target, "--config", "ENV"]


def by_meltano(crm: str) -> list[str]:
    """Return the command of a load by Meltano."""
    meltano = str(Path(sys.executable).with_name("meltano"))
    return [meltano, "--env-file", os.devnull, "run", f"tap-{crm}", "target-postgres"]


WAYS: Mapping[str, Way] = {"direct": direct, "Meltano": by_meltano}


def load(crm: str, way: str, url: str, database: str, folder: Path) -> Cost:
    """Load an account once."""
    user, key = CREDENTIALS[crm]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "TARGET_", "MELTANO_"))}
    variables = {
        **kept,
        "TAP_CRM_PROVIDER": crm,
        "TAP_CRM_API_KEY": key,
        "TAP_CRM_USER_EMAIL": user,
        "TAP_CRM_API_URL": url,
        "TAP_CRM_REQUESTS_PER_MINUTE": "0",
        "TARGET_POSTGRES_SQLALCHEMY_URL": database,
        "TARGET_POSTGRES_USE_COPY": "true",
        "TARGET_POSTGRES_VALIDATE_RECORDS": "false",
        "MELTANO_SYS_DIR_ROOT": str(PLUGINS),
        "MELTANO_DATABASE_URI": f"sqlite:///{folder / 'meltano.db'}",
        "LOAD_ACCOUNT_STATE": database,
    }
    client = Client(url)
    client.control("reset_stats", {})
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ours = [sys.executable, "-m", "tap_crm.load", f"{crm}-{way.lower()}", "--schema", f"{crm}_{way.lower()}", "--"]
    done = subprocess.run([*ours, *WAYS[way](crm)], cwd=ROOT, env=variables, capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-4000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    requests = int(client.control("stats")["requests"])
    client.close()
    return Cost(cpu, wall, after.ru_maxrss / 1024, requests)


def measure(rounds: int, crms: list[str]) -> dict[tuple[str, str], list[Cost]]:
    """Load each account once in full, then, unchanged, once a round and way."""
    costs: dict[tuple[str, str], list[Cost]] = {}
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        database = server.create().replace("postgresql://", "postgresql+psycopg://")
        for name in crms:
            crm = CRMS[name]
            small: Crm = replace(crm, server=(*SIZES[name], "--rate-limit", "0"))
            with served(small) as url:
                for number in range(rounds + 1):
                    for way in WAYS:
                        cost = load(name, way, url, database, Path(folder))
                        if number:  # the first load is no measure of an unchanged account
                            costs.setdefault((name, way), []).append(cost)
    return costs


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--crm", action="append", choices=[*SIZES], help="one of them; several times for several")
    parser.add_argument("--json", metavar="FILE", help="write the medians there, too, for bench.scale")
    options = parser.parse_args()
    costs = measure(options.rounds, options.crm or [*SIZES])
    print(f"an unchanged account, median of {options.rounds} loads")
    found = []
    for (crm, way), all_costs in costs.items():
        middle = Cost(*(statistics.median(getattr(one, name) for one in all_costs) for name in Cost.__annotations__))
        found.append({"crm": crm, "way": way, "cpu": middle.cpu, "peak": middle.peak, "requests": middle.requests})
        print(
            f"{crm:<8} {way:<8} {middle.cpu:5.1f} CPU s   {middle.requests:4.0f} requests   {middle.wall:5.1f} s wall"
        )
    print(f"largest process of all: {max(one.peak for some in costs.values() for one in some):.0f} MB")
    if options.json:
        Path(options.json).write_text(json.dumps(found))


if __name__ == "__main__":
    main()

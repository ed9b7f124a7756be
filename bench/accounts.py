"""Measures what an unchanged account costs, each way side by side, alternating.

    python -m bench.accounts --rounds 3 [--before FOLDER] [--peers FOLDER]

It needs the loader and the tap that `./scripts/test-airflow` installs. Between two loads a day goes by on the CRM's
clock. The CPU is that of all processes together; the sandbox, which plays the CRM, is a process of its own and not
counted, nor is the PostgreSQL server.

`--before` names a checkout of another commit, with this project in `.venvs/test`: its `tap | target`, with the same
target and a state in a file. `--peers` names a folder with the environments `airbyte` (`pip install airbyte`) and `dlt`
(`pip install 'dlt[postgres]'`); `bench/peers` says what each does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers.streams import CHANGED, WHOLE
from sandbox.client import Client
from scripts.airflow_accounts import CREDENTIALS, CRMS
from scripts.demo_processes import served
from tests.postgres import serving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.demo_crm import Crm

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / ".venvs" / "airflow-plugins"
TARGET = str(PLUGINS / "loaders" / "target-postgres" / "venv" / "bin" / "target-postgres")
PEERS = {"dlt": "dlt_copper.py", "Airbyte": "airbyte_copper.py"}
SIZES = {
    "copper": ("--people", "300", "--companies", "60", "--opportunities", "60", "--leads", "60", "--activities", "150"),
    "close": ("--leads", "200", "--contacts", "200", "--opportunities", "60", "--tasks", "40", "--activities", "200"),
    "copera": ("--boards", "1", "--tables", "4", "--rows", "200"),
}
DAY = 86_400
LOOK = 0.1


@dataclass(frozen=True)
class Cost:
    """What one load took.

    Attributes:
        cpu: CPU seconds of all processes.
        wall: seconds.
        peak: megabytes of its largest process.
        together: megabytes of all its processes at once, at most; what they share counts for each.
        requests: that the CRM was asked.
    """

    cpu: float
    wall: float
    peak: float
    together: float
    requests: float


@dataclass(frozen=True)
class Ways:
    """The commands by which an account is loaded.

    Args:
        folder: for states and configurations.
        before: a checkout of another commit, if one is given.
        peers: the folder of the environments of other tools, if one is given.
    """

    folder: Path
    before: Path | None = None
    peers: Path | None = None

    def of(self, crm: str) -> dict[str, list[str]]:
        """Return the command of each way, for a CRM."""
        programs = Path(sys.executable).parent
        tap, meltano = str(programs / "tap-crm"), str(programs / "meltano")
        pipe = ["|", TARGET, "--config", "ENV"]
        found = {
            "direct": self._ours(f"{crm}-direct", tap, "--config", "ENV", *pipe),
            "Meltano": self._ours(
                f"{crm}-meltano", meltano, "--env-file", os.devnull, "run", f"tap-{crm}", "target-postgres"
            ),
        }
        if self.before is not None:
            found["before"] = self._by_shell(f"{crm}-before", str(self.before / ".venvs" / "test" / "bin" / "tap-crm"))
        if self.peers is not None and crm == "copper":
            rules = [word for name in (*CHANGED, *WHOLE) for word in ("--select", name)]
            found["same streams"] = self._ours(f"{crm}-same", *rules, "--", tap, "--config", "ENV", *pipe)
            for name, script in PEERS.items():
                python = str(self.peers / name.lower() / "bin" / "python")
                found[name] = [
                    python,
                    str(ROOT / "bench" / "peers" / script),
                    f"{crm}_{name.lower()}",
                    str(self.folder),
                ]
        return found

    @staticmethod
    def _ours(name: str, *words: str) -> list[str]:
        given = words if "--" in words else ("--", *words)
        return [str(Path(sys.executable).with_name("load-account")), name, "--schema", name.replace("-", "_"), *given]

    def _by_shell(self, name: str, tap: str) -> list[str]:
        """Return a load as people write it who have no `load-account`: the state is in a file."""
        state = self.folder / f"{name}.json"
        text = f"""
            set -o pipefail
            [ -s {state} ] && given="--state {state}" || given=
            {tap} --config ENV $given | {TARGET} --config ENV >{state}.new && tail -n 1 {state}.new >{state}
        """
        return ["env", f"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA={name.replace('-', '_')}", "bash", "-c", text]


def environment(crm: str, url: str, database: str, folder: Path) -> dict[str, str]:
    """Return the variables of a load, of whichever way."""
    user, key = CREDENTIALS[crm]
    unwanted = ("TAP_", "TARGET_", "MELTANO_", "PYTHONDONTWRITEBYTECODE")
    server = database.replace("postgresql://postgres:@/", "postgresql://postgres:none@localhost:5432/")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(unwanted)},
        "TAP_CRM_PROVIDER": crm,
        "TAP_CRM_API_KEY": key,
        "TAP_CRM_USER_EMAIL": user,
        "TAP_CRM_API_URL": url,
        "TAP_CRM_REQUESTS_PER_MINUTE": "0",
        "TARGET_POSTGRES_SQLALCHEMY_URL": database.replace("postgresql://", "postgresql+psycopg://"),
        "TARGET_POSTGRES_USE_COPY": "true",
        "TARGET_POSTGRES_VALIDATE_RECORDS": "false",
        "MELTANO_SYS_DIR_ROOT": str(PLUGINS),
        "MELTANO_DATABASE_URI": f"sqlite:///{folder / 'meltano.db'}",
        "LOAD_ACCOUNT_STATE": database.replace("postgresql://", "postgresql+psycopg://"),
        "DATABASE": server,
        "HOST": "localhost",
        "DATABASE_NAME": server.rpartition("5432/")[2],
        "AIRBYTE_OFFLINE_MODE": "1",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def load(command: list[str], variables: Mapping[str, str], log: Path, client: Client) -> Cost:
    """Load an account once."""
    client.control("reset_stats", {})
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        most: list[float] = [0.0]
        over = threading.Event()
        looking = threading.Thread(target=_look, args=(process.pid, most, over))
        looking.start()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        looking.join()
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[:300]}\n{log.read_text(errors='replace')[-4000:]}")
    requests = float(client.control("stats")["requests"])
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, most[0], requests)


def _look(pid: int, most: list[float], over: threading.Event) -> None:
    while not over.wait(LOOK):
        most[0] = max(most[0], _memory(pid))


def _memory(pid: int) -> float:
    """Return the megabytes of a process and of all below it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        below = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has ended meanwhile
        return 0.0
    own = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return own + sum(_memory(int(child)) for children in below for child in children)


def measure(rounds: int, crms: list[str], before: Path | None, peers: Path | None) -> dict[tuple[str, str], list[Cost]]:
    """Load each account once in full, then, unchanged, once a round and way."""
    costs: dict[tuple[str, str], list[Cost]] = {}
    with serving() as server, tempfile.TemporaryDirectory() as name:
        database, folder = server.create(), Path(name)
        ways = Ways(folder, before, peers)
        for crm in crms:
            small: Crm = replace(CRMS[crm], server=(*SIZES[crm], "--rate-limit", "0"))
            with served(small) as url:
                client, variables = Client(url), environment(crm, url, database, folder)
                for number in range(rounds + 1):
                    client.control("configure", {"clock_skew": number * DAY})
                    for way, command in ways.of(crm).items():
                        cost = load(command, variables, folder / "log", client)
                        print(f"{number} {crm:<8}{way:<14}{cost}", file=sys.stderr, flush=True)
                        if number:  # the first load is no measure of an unchanged account
                            costs.setdefault((crm, way), []).append(cost)
                client.close()
    return costs


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--crm", action="append", choices=[*SIZES], help="one of them; several times for several")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="a checkout of another commit")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="the environments of other tools")
    parser.add_argument("--json", metavar="FILE", help="write the medians there, too, for bench.scale")
    options = parser.parse_args()
    costs = measure(options.rounds, options.crm or [*SIZES], options.before, options.peers)
    print(f"an unchanged account, median of {options.rounds} loads (the least CPU)")
    print("| CRM | way | CPU s | requests | largest process, MB | all processes, MB | wall, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    found = []
    for (crm, way), some in costs.items():
        middle = Cost(*(statistics.median(getattr(one, name) for one in some) for name in Cost.__annotations__))
        found.append({"crm": crm, "way": way, **{name: getattr(middle, name) for name in Cost.__annotations__}})
        print(
            f"| {crm} | {way} | {middle.cpu:.1f} ({min(one.cpu for one in some):.1f}) | {middle.requests:.0f} | "
            f"{middle.peak:.0f} | {middle.together:.0f} | {middle.wall:.0f} |"
        )
    if options.json:
        Path(options.json).write_text(json.dumps(found))


if __name__ == "__main__":
    main()

"""Two nights of twelve accounts on a real Airflow, into one PostgreSQL database. Run by `./scripts/test-airflow`.

The first night goes wrong in every way that is foreseen; in the second one all are loaded. What becomes of each account
is compared with what is expected, and every table with what the CRM has.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from rich.console import Console
from rich.table import Table as Shown

from sandbox.faults import FaultRule
from scripts import airflow_logs
from scripts.airflow_accounts import CREDENTIALS, CRMS, Served, accounts, compare, edit, loaded_besides
from scripts.airflow_service import ROOT, Airflow, AirflowError
from tap_crm.sync import schema_owner
from tests.postgres import serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scripts.airflow_accounts import Account

OUTPUT = ROOT / "output" / "airflow"
PLUGINS = ROOT / ".venvs" / "airflow-plugins"
WRONG = "wr0ng-wr0ng-wr0ng-wr0ng"
LOCKED = 75
PATIENCE = 900.0
SLOW_MS = 300
"""What each request takes, so that there is a middle of a load in which something can happen."""
HELD_MS = 3000
"""The same while a second load begins: it must find the first one, also where a process takes seconds to start."""
LOOK = 0.2
RETRY_SECONDS = 5
"""What there is between two attempts: time enough for the CRM to be mended."""
#: What happens to an account while it is loaded.
HAPPENING = ("killed", "twice at once", "CRM fails at first")


class Night:
    """A run of the DAG, watched.

    Args:
        airflow: which one.
        events: what happens meanwhile.
    """

    def __init__(self, airflow: Airflow, events: Events) -> None:
        self._airflow, self._events = airflow, events
        self.run = airflow.trigger()

    def watch(self) -> str:
        """Wait for the end of the run; returns what became of it."""
        end = time.monotonic() + PATIENCE
        with self._events:
            while (state := self._airflow.state(self.run)) in ("queued", "running"):
                if time.monotonic() > end:
                    raise AirflowError(f"the run is not over after {PATIENCE:.0f} s")
                time.sleep(1)
        return state

    def logs(self, names: Iterable[str]) -> Iterator[str]:
        """Show the logs of tasks, by their names; with no task among these, those of all that did not succeed."""
        tasks, wanted = self._airflow.tasks(self.run), set(names)
        named = [one for one in tasks if (one["rendered_map_index"] or one["task_id"]).split("/")[0] in wanted]
        shown = named or [one for one in tasks if one["state"] != "success"]
        yield from airflow_logs.attempts(
            self._airflow.home, self.run, [(one["task_id"], int(one["map_index"])) for one in shown]
        )

    def outcomes(self) -> dict[str, tuple[str, int]]:
        """Return the state and the number of attempts of each task, by its name."""
        tasks = self._airflow.tasks(self.run)
        return {
            one["rendered_map_index"] or one["task_id"]: (str(one["state"]), int(one["try_number"])) for one in tasks
        }


class Events:
    """Lets happen to accounts what should, once each, while a night goes on.

    A thread of its own looks at the processes of the loads: Airflow's API may be too slow to say that an attempt failed
    before the next one begins.

    Args:
        all_accounts: those to which something happens.
        environment: of a load by hand.
    """

    def __init__(self, all_accounts: Iterable[Account], environment: Mapping[str, str]) -> None:
        self._waiting = [one for one in all_accounts if one.event in HAPPENING]
        self._environment = environment
        self._begun: set[str] = set()
        self._second: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.by_hand: int | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._over.set()
        self._thread.join()
        if self._second is not None:
            self._second.kill()
            self._second.wait()

    def left(self) -> list[str]:
        """Return the accounts to which nothing happened."""
        return [one.name for one in self._waiting]

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            self._waiting = [one for one in self._waiting if not self._happened(one)]

    def _happened(self, one: Account) -> bool:
        processes = _processes_of(one.name)
        if one.event == "CRM fails at first":
            return self._has_failed(one, processes)
        if self._second is not None and one.event == "twice at once":
            return self._is_over(one, self._second)
        if not processes or one.app.stats.requests <= 5:  # noqa: PLR2004 - in the middle of a load
            return False
        if one.event == "twice at once":
            one.app.behaviour.latency_ms = HELD_MS
            self._second = _load_by_hand(one, self._environment)
            return False
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        one.app.behaviour.latency_ms = 0
        return True

    def _is_over(self, one: Account, second: subprocess.Popen[bytes]) -> bool:
        """Let the first load go on as soon as the second one has ended; nothing else may wait for that."""
        self.by_hand = second.poll()
        if self.by_hand is None:
            return False
        one.app.behaviour.latency_ms = 0
        return True

    def _has_failed(self, one: Account, processes: list[int]) -> bool:
        """Mend the CRM as soon as the first attempt has ended."""
        if processes:
            self._begun.add(one.name)
        if processes or one.name not in self._begun:
            return False
        one.app.behaviour.faults = []
        return True


def _processes_of(account: str) -> list[int]:
    """Return the processes `load-account` of one account, which are ours: its name is of this test alone."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        if any(word.endswith(b"/load-account") for word in words[:2]) and account.encode() in words:
            found.append(int(path.parent.name))
    return found


def _load_by_hand(one: Account, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("load-account")), one.name, "--wait", "0", "--", "true", "|", "true"]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


def _prepare(all_accounts: list[Account]) -> None:
    for one in all_accounts:
        if one.event == "CRM fails at first":
            one.app.behaviour.faults = [FaultRule(["500"], every=1)]
        elif one.event in ("killed", "twice at once"):
            one.app.behaviour.latency_ms = SLOW_MS


def _connect(airflow: Airflow, one: Account, *, wrong: bool) -> None:
    user, key = CREDENTIALS[one.crm]
    password = WRONG if wrong else key
    extra = f'{{"api_url": "{one.url}", "retry_seconds": "2"}}'
    airflow.connect(f"crm_{one.name}", login=user, password=password, extra=extra)


def _night(
    airflow: Airflow, all_accounts: list[Account], database: str, environment: Mapping[str, str], *, first: bool
) -> list[str]:
    """Show the night's table, and Airflow's logs if anything differs from what is expected; returns what does."""
    began = time.monotonic()
    events = Events(all_accounts if first else (), environment)
    night = Night(airflow, events)
    try:
        state = night.watch()
    except AirflowError:
        _say(night.logs(()))
        raise
    found, wrong, rows = night.outcomes(), [], []
    for one in all_accounts:
        states = one.states if first else ("success",) * len(one.tasks)
        tries = one.tries if first else (1,) * len(one.tasks)
        streams = one.streams if first or one.event != "wrong key" else None
        differing = [table.table for table in compare(one, database, streams) if not table.equal]
        if differing:
            wrong.append(f"{one.name}: not what the CRM has: {', '.join(differing)}")
        if surplus := loaded_besides(one, database, streams):
            wrong.append(f"{one.name}: loaded, though it should not be: {', '.join(surplus)}")
        for task, expected in zip(one.tasks, zip(states, tries, strict=True), strict=True):
            most = 2 if one.event == "in two parts" and first else expected[1]  # both make the table of the audit
            if found.get(task) not in [(expected[0], tries) for tries in range(expected[1], most + 1)]:
                wrong.append(f"{task}: {found.get(task)}, expected {expected}")
            became, attempts = found.get(task, ("not run", 0))
            tables = "-" if streams == () else "equal" if not differing else f"{len(differing)} differ"
            rows.append([task, one.crm, one.event if first else "edited", became, str(attempts), tables])
    wrong += _report_faults(airflow, night, state, first=first)
    wrong += [f"{name}: what should happen to it did not" for name in events.left()]
    if first and events.by_hand != LOCKED:
        wrong.append(f"the second load at once ended with {events.by_hand}, expected {LOCKED}")
    rows.append(["report", "", "", found.get("report", ("not run", 0))[0], "", f"{time.monotonic() - began:.0f} s"])
    _show("First night" if first else "Second night", rows)
    if wrong:
        _say(night.logs(one.split(":")[0].split("/")[0] for one in wrong))
        _say(airflow_logs.services(airflow.home))
    return wrong


def _report_faults(airflow: Airflow, night: Night, state: str, *, first: bool) -> list[str]:
    wrong = []
    if state != ("failed" if first else "success"):
        wrong.append(f"the run: {state}")
    logs = airflow.logs()
    told = "\n".join(text for path, text in logs.items() if "task_id=report" in str(path) and night.run in str(path))
    line = "1 of 13 loads failed: acme-2 (failed)" if first else "all 13 loads succeeded"
    if line not in told:
        wrong.append(f"the report does not say `{line}`")
    shown = "\n".join([*logs.values(), airflow.rendered(night.run)])
    keys = [WRONG, *(key for _, key in CREDENTIALS.values())]
    wrong += [f"a key of {crm} is shown in a log or a rendered field" for crm, key in _named(keys) if key in shown]
    return wrong


def _named(keys: list[str]) -> list[tuple[str, str]]:
    return list(zip(("the wrong account", *CRMS), keys, strict=True))


def _show(title: str, rows: list[list[str]]) -> None:
    shown = Shown("account", "CRM", "what happens", "became", "tries", "tables", title=title)
    for row in rows:
        shown.add_row(*row)
    Console(highlight=False, width=100).print(shown)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _variables(listed: Path, meltano: Path) -> dict[str, str]:
    programs = f"{PLUGINS}/loaders/target-postgres/venv/bin"
    return {
        "CRM_ACCOUNTS": str(listed),
        "CRM_PROGRAMS": f"{Path(sys.executable).parent}:{programs}",
        "CRM_MELTANO_PROJECT": str(ROOT),
        "CRM_SCHEDULE": "",
        "CRM_MINUTES": "5",
        "CRM_KILL_AFTER_SECONDS": "20",
        "CRM_RETRY_SECONDS": str(RETRY_SECONDS),
        "CRM_PASS_ON": "MELTANO_SYS_DIR_ROOT,MELTANO_DATABASE_URI,MELTANO_ENV_FILE",
        "MELTANO_SYS_DIR_ROOT": str(PLUGINS),
        "MELTANO_DATABASE_URI": f"sqlite:///{meltano}",
    }


def main() -> int:
    """Run both nights; 1 if anything is not as expected."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    (PLUGINS / schema_owner.FILE).unlink(missing_ok=True)  # the warehouse is a new one
    began = time.monotonic()
    everyone = accounts()
    with serving() as server, Served(everyone):
        warehouse, own = server.create(), server.create()
        url = warehouse.replace("postgresql://", "postgresql+psycopg://")
        listed = OUTPUT / "accounts.yaml"
        listed.write_text(yaml.safe_dump([one.listed() for one in everyone]))
        by_hand = {"PATH": "/usr/bin:/bin", "LOAD_ACCOUNT_STATE": url}
        try:
            with Airflow(OUTPUT / "home", own, _variables(listed, OUTPUT / "meltano.db")) as airflow:
                airflow.connect("crm_warehouse", password=url)
                for one in everyone:
                    _connect(airflow, one, wrong=one.event == "wrong key")
                _prepare(everyone)
                _say([f"Airflow is ready after {time.monotonic() - began:.0f} s."])
                wrong = _night(airflow, everyone, warehouse, by_hand, first=True)
                for one in everyone:
                    _connect(airflow, one, wrong=False)
                    edit(one, 7)
                wrong += _night(airflow, everyone, warehouse, by_hand, first=False)
        except (Exception, SystemExit):
            _say(airflow_logs.services(OUTPUT / "home"))
            raise
    used: Any = resource.getrusage(resource.RUSAGE_CHILDREN)
    verdict = "not as expected" if wrong else "all as expected"
    minutes = (time.monotonic() - began) / 60
    _say(f"not as expected: {line}" for line in wrong)
    _say([f"{verdict}; {minutes:.1f} minutes, {used.ru_utime + used.ru_stime:.0f} CPU s. Logs: {OUTPUT}/home"])
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

"""Kills the tap and the target at many places of a run, and counts the events that led to no row, or to a wrong one.

Both are processes, and SIGKILL is what kills them: before and after requests of the tap and in the middle of its lines,
at lines and around commits of the target. After each kill, the places in the target's last STATE are held against its
rows; then a run goes on to the end, and the rows are held against the CRM. The receiver has a test of its own:
`tests/inbox/test_killed.py`.

    python -m bench.kills events --places 50
    python -m bench.kills events --crm close --places 10
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.hints.killing import KINDS, VICTIMS, Account
from tests.hints.tellers import TELLERS, Told
from tests.singer import only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hints.tellers import Teller


@contextmanager
def account_of(teller: Teller, folder: Path) -> Iterator[Account]:
    """Serve an account, load it, and let events of it wait in an inbox."""
    crm = teller.crm
    app = crm.app({**crm.shape, **teller.shape}, **{"rate_limit": 0, **crm.knobs, **teller.logless})
    with running(app) as url:
        catalog = tap_for(crm, url, folder).discover()[0]
        tap = tap_for(crm, url, folder, only(catalog, *teller.streams, "sync_audit"))
        told = Told(folder, crm.name)
        tap.config["inbox"] = told.path
        try:
            yield Account(teller, app, tap, told, folder)
        finally:
            told.spool.close()


def killed(teller: Teller, count: int) -> int:
    """Kill each victim at so many places; print what that showed, and return how many places showed a fault."""
    faults = 0
    with tempfile.TemporaryDirectory() as name, account_of(teller, Path(name)) as account:
        waiting = f"{len(account.events)} events, {sum(one.deleted for one in account.events)} of them deletions"
        print(f"{teller.crm.name}: {waiting}; a run has {account.told_counts()}")
        for victim in VICTIMS:
            began, wrong, reached = time.monotonic(), 0, 0
            places = account.places(victim, count)
            for place in places:
                try:
                    reached += account.kill(place)
                except AssertionError as error:
                    wrong += 1
                    print(f"  {str(error)[:500]}", file=sys.stderr)
            kinds = ", ".join(f"{sum(one.kind == kind for one in places)} {kind}" for kind in KINDS[victim])
            took = time.monotonic() - began
            of = f"{reached} of {len(places)} places ({kinds})"
            print(f"  {victim}: killed at {of}, {wrong} with a fault; {took:.0f} s", flush=True)
            faults += wrong
    return faults


def main() -> None:
    """Kill, and end with 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("events",))
    parser.add_argument("--crm", choices=("all", *TELLERS), default="all")
    parser.add_argument("--places", type=int, default=50, help="for each of the tap and the target")
    options = parser.parse_args()
    chosen = TELLERS.values() if options.crm == "all" else [TELLERS[options.crm]]
    sys.exit(1 if sum(killed(teller, options.places) for teller in chosen) else 0)


if __name__ == "__main__":
    main()

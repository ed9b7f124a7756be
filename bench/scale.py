"""Prints what a night of many unchanged accounts costs, computed from what one was measured to cost.

    python -m bench.accounts --json measured.json; python -m bench.scale --measured measured.json

A night takes as long as the scarcer of two things: cores, which all accounts share, and slots, in which each account
waits for its CRM's rate limit. Prices are assumptions: those that container services ask for an hour.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

#: Requests a minute that each CRM allows to an account; Copera counts each route apart, Close tells its own.
LIMITS = {"copper": 180, "close": 1200, "copera": 50 * 8}
WAYS = ("direct", "Meltano")
#: CPU seconds that Airflow itself uses for a task.
AIRFLOW = 0.28
COUNTS = (10, 1_000, 100_000)


@dataclass(frozen=True)
class Account:
    """What one unchanged account costs: CPU seconds, requests, megabytes of all its processes together."""

    crm: str
    way: str
    cpu: float
    requests: float
    together: float

    @property
    def seconds(self) -> float:
        """For how long it has a slot: its own CPU, and what the rate limit makes of its requests."""
        return self.cpu + self.requests / LIMITS[self.crm] * 60


@dataclass(frozen=True)
class Night:
    """A night of so many accounts, a third of each CRM.

    Attributes:
        accounts: how many.
        cores: that all loads share.
        slots: how many loads run at once.
    """

    accounts: int
    cores: int
    slots: int
    requests: float
    cpu_hours: float
    hours: float
    gigabytes: float

    def cost(self, cpu_price: float, memory_price: float) -> float:
        """Return what it costs, by the prices of an hour of a core and of a gigabyte."""
        return self.hours * (self.cores * cpu_price + self.gigabytes * memory_price)


def measured(path: Path, way: str) -> list[Account]:
    """Return the accounts that `bench.accounts` measured, loaded one way."""
    rows = json.loads(path.read_text("utf-8"))
    return [Account(row["crm"], way, row["cpu"], row["requests"], row["together"]) for row in rows if row["way"] == way]


def night(found: list[Account], accounts: int, slots_per_core: int) -> Night:
    """Compute a night: as many cores as let 100,000 accounts end in eight hours, one at least."""
    each = accounts / len(found)
    cpu = sum(one.cpu + AIRFLOW for one in found) * each
    waiting = sum(one.seconds + AIRFLOW for one in found) * each
    cores = max(1, math.ceil(cpu / (8 * 3600)))
    slots = min(accounts, cores * slots_per_core)
    hours = max(cpu / cores, waiting / slots) / 3600
    memory = slots * sum(one.together for one in found) / len(found) / 1024
    return Night(accounts, cores, slots, sum(one.requests for one in found) * each, cpu / 3600, hours, memory)


def main() -> None:
    """Print a row for each way and number of accounts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", required=True, type=Path, metavar="FILE", help="what bench.accounts wrote")
    parser.add_argument("--cpu-price", type=float, default=0.04, help="of a core, an hour")
    parser.add_argument("--memory-price", type=float, default=0.0045, help="of a gigabyte, an hour")
    parser.add_argument("--slots-per-core", type=int, default=4)
    options = parser.parse_args()
    print("| way | accounts | requests | CPU hours | cores | at once | memory, GB | hours | price of a night |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for way in WAYS:
        found = measured(options.measured, way)
        for accounts in COUNTS:
            one = night(found, accounts, options.slots_per_core)
            price = one.cost(options.cpu_price, options.memory_price)
            print(
                f"| {way} | {accounts:,} | {one.requests:,.0f} | {one.cpu_hours:,.2f} | {one.cores} | {one.slots} | "
                f"{one.gigabytes:,.1f} | {one.hours:,.2f} | {price:,.2f} |"
            )


if __name__ == "__main__":
    main()

"""Simulates a night of many unchanged accounts: who waits for whom, what fails, what is tried again.

    python -m bench.night --measured measured.json --accounts 1000 --cores 2

No account is loaded. What one load takes is what `bench.accounts` measured; here, loads share cores and slots as they
do on a worker, each waits for its own rate limit, and some go wrong: a refused key ends a load at once and for good, a
CRM that is down ends it half-way, and a killed one half-way, too; the latter two are tried again after a pause.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

from bench.scale import AIRFLOW, LIMITS, WAYS, Account, measured

#: How many of a thousand loads fail so, which part of the work is done before, and whether they are tried again.
FAULTS = {"refused key": (10, 0.3, False), "CRM down": (20, 0.5, True), "killed": (5, 0.5, True)}
PAUSE = 300.0
TRIES = 3
#: Seconds of a step of the clock.
STEP = 0.25


@dataclass
class Load:
    """A load that goes on or waits.

    Attributes:
        number: of the account.
        account: what it costs.
        fault: what goes wrong at its first attempt; a key is refused at each.
        tries: attempts so far.
        cpu: CPU seconds that are left of this attempt.
        waits: seconds of the rate limit that are left of it.
    """

    number: int
    account: Account
    fault: str = ""
    tries: int = 0
    cpu: float = 0.0
    waits: float = 0.0

    def begin(self) -> float:
        """Begin an attempt; returns the part of the whole work that it does."""
        self.tries += 1
        part = FAULTS[self.fault][1] if self.fault else 1.0
        self.cpu = (self.account.cpu + AIRFLOW) * part
        self.waits = self.account.requests / LIMITS[self.account.crm] * 60 * part
        return part


@dataclass
class Outcome:
    """What the night showed: seconds, CPU seconds, requests, and what became of the accounts."""

    seconds: float = 0.0
    cpu: float = 0.0
    requests: float = 0.0
    became: Counter[str] = field(default_factory=Counter)
    attempts: int = 0


def simulate(found: list[Account], accounts: int, cores: int, slots: int, seed: int = 7) -> Outcome:
    """Simulate a night; a third of the accounts is of each CRM."""
    chance = random.Random(seed)
    shares = [chance.choices([*FAULTS, ""], [*(one[0] for one in FAULTS.values()), 965])[0] for _ in range(accounts)]
    ready = deque(Load(number, found[number % len(found)], fault) for number, fault in enumerate(shares))
    later: list[tuple[float, int, Load]] = []
    running: list[Load] = []
    told = Outcome()
    while ready or later or running:
        while later and later[0][0] <= told.seconds:
            ready.append(heapq.heappop(later)[2])
        while ready and len(running) < slots:
            load = ready.popleft()
            part = load.begin()
            told.attempts += 1
            told.cpu += load.cpu
            told.requests += load.account.requests * part
            running.append(load)
        told.seconds += STEP
        busy = [load for load in running if load.cpu > 0]
        for load in busy:  # a process uses one core at most, and all share what there is
            load.cpu -= STEP * min(1.0, cores / len(busy))
        for load in running:
            load.waits -= STEP
        for load in [load for load in running if load.cpu <= 0 and load.waits <= 0]:
            running.remove(load)
            _end(load, later, told)
    return told


def _end(load: Load, later: list[tuple[float, int, Load]], told: Outcome) -> None:
    if not load.fault:
        told.became["loaded" if load.tries == 1 else "loaded at a further attempt"] += 1
    elif FAULTS[load.fault][2] and load.tries < TRIES:
        load.fault = ""
        heapq.heappush(later, (told.seconds + PAUSE, load.number, load))
    else:
        told.became[f"failed: {load.fault}"] += 1


def main() -> None:
    """Print what a night shows, each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", required=True, type=Path, metavar="FILE", help="what bench.accounts wrote")
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--slots", type=int, default=8, help="loads at once")
    options = parser.parse_args()
    print("| way | attempts | CPU, min | requests | wall, min | what became of the accounts |")
    print("| --- | --- | --- | --- | --- | --- |")
    for way in WAYS:
        told = simulate(measured(options.measured, way), options.accounts, options.cores, options.slots)
        became = ", ".join(f"{count} {what}" for what, count in told.became.most_common())
        print(
            f"| {way} | {told.attempts:,} | {told.cpu / 60:.0f} | {told.requests:,.0f} | {told.seconds / 60:.0f} | "
            f"{became} |"
        )


if __name__ == "__main__":
    main()

"""Measures what a full read of people costs: CPU, memory, records a second; by the fast path and by the SDK's own.

Both read the same sandbox in turn, so that their ratio holds on a noisy machine.

    python -m bench.run --people 50000 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running

#: A map that changes nothing, but makes the SDK write every record itself.
IDLE_MAP = {"people_unused": {"__source__": "people", "__filter__": "False"}}


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds of CPU and of the wall clock, megabytes of memory at its peak."""

    cpu: float
    wall: float
    peak: float


def run(config: dict[str, Any], catalog: dict[str, Any], folder: Path) -> Cost:
    """Run the tap once, its output thrown away."""
    paths = []
    for name, content in (("config", config), ("catalog", catalog)):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        paths += [f"--{name}", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    measured = (
        "import re, sys; from tap_crm.singer.tap import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", measured, *paths], capture_output=True, check=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, int(done.stderr.split()[-1]) / 1024)


def discover(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the catalog of an account."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    command = [sys.executable, "-m", "tap_crm", "--config", str(path), "--discover"]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def only(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    """Return the catalog with one stream selected."""
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] == []:
                item["metadata"]["selected"] = entry["tap_stream_id"] == stream
    return catalog


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shape = Shape(people=options.people, companies=10, opportunities=10, leads=10, activities=10)
    with running(copper_app(shape, rate_limit=0)) as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {
            "provider": "copper",
            "api_key": API_KEY,
            "user_email": USER_EMAIL,
            "api_url": url,
            "requests_per_minute": 0,
        }
        catalog = discover(config, folder)
        ways: dict[str, tuple[dict[str, Any], str]] = {
            "start-up only": (config, "account"),
            "fast path": (config, "people"),
            "SDK's own path": ({**config, "stream_maps": IDLE_MAP}, "people"),
        }
        costs: dict[str, list[Cost]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, (settings, stream) in ways.items():
                costs[way].append(run(settings, only(catalog, stream), folder))
    report(costs, options.people)


def report(costs: dict[str, list[Cost]], people: int) -> None:
    """Print the median of each way, start-up taken off, and the ratio."""
    idle = statistics.median(cost.cpu for cost in costs["start-up only"])
    print(f"{people:,} people, median of {len(costs['fast path'])} rounds; start-up {idle:.2f} s CPU, taken off")
    net: dict[str, float] = {}
    for way in ("fast path", "SDK's own path"):
        cpu = statistics.median(cost.cpu for cost in costs[way]) - idle
        wall = statistics.median(cost.wall for cost in costs[way])
        peak = max(cost.peak for cost in costs[way])
        net[way] = cpu * 100_000 / people
        print(f"{way:<16} {net[way]:6.2f} s CPU per 100,000   {people / wall:9,.0f} records/s   peak {peak:4.0f} MB")
    dearer, cheaper = net["SDK's own path"], net["fast path"]
    print(f"ratio            {dearer / cheaper:6.1f}")


if __name__ == "__main__":
    main()

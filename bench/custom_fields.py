"""Measures what custom fields cost: the same people written as columns, raw, without them, and with none defined.

All are read in turn, so that their ratios hold on a noisy machine.

    python -m bench.custom_fields --people 20000 --fields 300 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.run import discover, only, run
from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running

WITHOUT_ANY = "none defined"


def without_custom_fields(catalog: dict[str, Any]) -> dict[str, Any]:
    """Return the catalog with the columns of custom fields deselected."""
    less: dict[str, Any] = json.loads(json.dumps(catalog))
    for entry in less["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] and item["breadcrumb"][-1].startswith("custom_"):
                item["metadata"]["selected"] = False
    return less


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--fields", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        for fields in (options.fields, 0):
            shape = Shape(
                people=options.people, companies=10, opportunities=10, leads=10, activities=10, custom_fields=fields
            )
            url = stack.enter_context(running(copper_app(shape, rate_limit=0)))
            config: dict[str, Any] = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL}
            config |= {"api_url": url, "requests_per_minute": 0}
            catalog = only(discover(config, folder), "people")
            if not fields:
                ways[WITHOUT_ANY] = (config, catalog)
                continue
            ways["columns"] = (config, catalog)
            raw = {**config, "custom_fields": "raw"}
            ways["raw"] = (raw, only(discover(raw, folder), "people"))
            ways["deselected"] = (config, without_custom_fields(catalog))
        costs: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, (settings, chosen) in ways.items():
                costs[way].append(run(settings, chosen, folder).cpu)
    medians = {way: statistics.median(each) for way, each in costs.items()}
    print(f"{options.people:,} people, {options.fields} fields, median of {options.rounds} rounds")
    for way, cpu in medians.items():
        print(f"{way:<14} {cpu:6.2f} s CPU   columns cost {medians['columns'] / cpu:4.1f} times as much")


if __name__ == "__main__":
    main()

"""Command line: `python -m sandbox copper --port 9000`."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from dataclasses import fields

from sandbox.behaviour import configure
from sandbox.copper import API_KEY, USER_EMAIL, Behaviour, CopperSandbox, CopperWorld, Shape
from sandbox.server import serve

_SIZES = ("people", "companies", "opportunities", "leads", "projects", "tasks", "activities", "users", "tags")


def main(arguments: list[str] | None = None) -> int:
    """Run the server that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    servers = parser.add_subparsers(dest="crm", required=True)
    copper = servers.add_parser("copper", help="Copper", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    _add_shape(copper)
    _add_behaviour(copper)
    given = parser.parse_args(arguments)
    behaviour = Behaviour()
    knobs = {one.name: getattr(given, one.name) for one in fields(Behaviour) if hasattr(given, one.name)}
    try:
        configure(behaviour, knobs | json.loads(given.knobs))
    except ValueError as error:
        parser.error(str(error))
    shape = Shape(**{one.name: getattr(given, one.name) for one in fields(Shape) if hasattr(given, one.name)})
    app = CopperSandbox(CopperWorld(shape, behaviour))
    app.keys.add(given.api_key)
    app.user_email = given.user_email
    with suppress(KeyboardInterrupt):
        serve(app, given.port)
    return 0


def _add_shape(parser: argparse.ArgumentParser) -> None:
    shape = Shape(people=20_000, companies=5_000, opportunities=5_000, leads=3_000, projects=500)
    shape.tasks, shape.activities = 2_000, 20_000
    parser.add_argument("--seed", type=int, default=shape.seed, help="same seed and now: same data")
    parser.add_argument("--now", type=int, default=shape.now, help="anchor of all dates, epoch seconds")
    for name in _SIZES:
        parser.add_argument(f"--{name}", type=int, default=getattr(shape, name), help="how many")
    parser.add_argument("--custom-fields", type=int, default=shape.custom_fields, help="definitions")
    parser.add_argument("--tie-block", type=int, default=0, help="people that share one second")
    parser.add_argument("--tie-fraction", type=float, default=shape.tie_fraction, help="records in batches")
    parser.add_argument("--future-activities", type=int, default=shape.future_activities, help="how many")
    parser.add_argument("--odd-close-dates", type=int, default=shape.odd_close_dates, help="how many")
    parser.add_argument("--dmy", action="store_true", help="close dates are day first")


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    usual = Behaviour()
    parser.add_argument("--port", type=int, default=9_000, help="0: any free one")
    parser.add_argument("--api-key", default=API_KEY, help="a valid key")
    parser.add_argument("--user-email", default=USER_EMAIL, help="the key owner's address")
    parser.add_argument("--rate-limit", type=int, default=usual.rate_limit, help="requests a window; 0: no limit")
    parser.add_argument("--rate-window", type=float, default=usual.rate_window, help="seconds")
    parser.add_argument("--latency-ms", type=float, default=usual.latency_ms, help="before each answer")
    parser.add_argument("--search-cap", type=int, default=usual.search_cap, help="records a search gives")
    parser.add_argument("--knobs", default="{}", help="any other knob, as JSON; see POST /_sandbox/configure")


if __name__ == "__main__":
    sys.exit(main())

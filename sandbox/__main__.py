"""Command line: `python -m sandbox copper --port 9000`, or `close`, or `copera`."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from sandbox import close, copera, copper
from sandbox.behaviour import configure
from sandbox.server import PortTaken, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Crm:
    """A server that the command line can start."""

    title: str
    shape: Any
    """A shape with the default sizes; its numbers and switches are options."""
    behaviour: Any
    """The default behaviour."""
    make: Callable[[argparse.Namespace, Any, Any], Simulator]
    """Makes the server of the options, a shape and a behaviour."""
    credentials: dict[str, str]
    """Options that set the credentials, and their default values."""
    knobs: tuple[str, ...] = ("rate_limit", "rate_window", "latency_ms", "search_cap")
    """Knobs that are options of their own."""


def _copper(given: argparse.Namespace, shape: copper.Shape, behaviour: copper.Behaviour) -> Simulator:
    app = copper.CopperSandbox(copper.CopperAccount(shape, behaviour))
    app.keys.add(given.api_key)
    app.user_email = given.user_email
    return app


def _close(given: argparse.Namespace, shape: close.Shape, behaviour: close.Behaviour) -> Simulator:
    app = close.CloseSandbox(close.CloseAccount(shape, behaviour))
    app.keys.add(given.api_key)
    return app


def _copera(given: argparse.Namespace, shape: copera.Shape, behaviour: copera.Behaviour) -> Simulator:
    app = copera.CoperaSandbox(copera.CoperaAccount(shape, behaviour))
    app.admit(given.token)
    return app


_COPPER = copper.Shape(people=20_000, companies=5_000, opportunities=5_000, leads=3_000, projects=500)
_COPPER.tasks, _COPPER.activities = 2_000, 20_000
_CLOSE = close.Shape(leads=5_000, contacts=7_500, opportunities=2_500, tasks=2_500, activities=15_000, events=2_000)
_COPERA = copera.Shape(rows=10_000, documents=300, drive_files=300, bookings=200, comments=500, notifications=200)

_HELP = {
    "seed": "same seed and now: same data",
    "now": "anchor of all dates, epoch seconds",
    "account": "the id of the account: another number is another account",
    "converted_leads": "part of the leads that are converted",
    "tie_block": "records that share one moment",
    "tie_fraction": "part of the records in batches that share one moment",
    "rate_limit": "requests a window; 0: no limit",
    "rate_window": "seconds",
    "latency_ms": "before each answer",
    "search_cap": "records a search gives",
    "tree_cap": "nodes a tree gives",
}

CRMS = {
    "copper": Crm(
        "Copper",
        _COPPER,
        copper.Behaviour(),
        _copper,
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
    ),
    "close": Crm("Close", _CLOSE, close.Behaviour(), _close, {"api_key": close.API_KEY}),
    "copera": Crm(
        "Copera",
        _COPERA,
        copera.Behaviour(),
        _copera,
        {"token": copera.PAT},
        ("rate_limit", "rate_window", "latency_ms", "tree_cap"),
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the server that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    servers = parser.add_subparsers(dest="crm", required=True)
    for name, crm in CRMS.items():
        _add(servers.add_parser(name, help=crm.title, formatter_class=argparse.ArgumentDefaultsHelpFormatter), crm)
    given = parser.parse_args(arguments)
    crm = CRMS[given.crm]
    knobs = {name: getattr(given, name) for name in crm.knobs}
    try:
        configure(crm.behaviour, knobs | json.loads(given.knobs))
    except ValueError as error:
        parser.error(str(error))
    with suppress(KeyboardInterrupt):
        shape = replace(crm.shape, **{name: getattr(given, name) for name in _names(crm.shape) if hasattr(given, name)})
        app = crm.make(given, shape, crm.behaviour)
        try:
            serve(app, given.port)
        except PortTaken as error:
            sys.stderr.write(f"{error}; name another one by --port, or 0 for any free one\n")
            return 1
    return 0


def _add(parser: argparse.ArgumentParser, crm: Crm) -> None:
    """Offer the shape's numbers and switches, the common knobs and the credentials."""
    for name in _names(crm.shape):
        default = getattr(crm.shape, name)
        if isinstance(default, bool):
            parser.add_argument(_option(name), action="store_true", default=default, help=_HELP.get(name, "switch"))
        elif isinstance(default, (int, float)):
            parser.add_argument(_option(name), type=type(default), default=default, help=_HELP.get(name, "how many"))
    for name in crm.knobs:
        default = getattr(crm.behaviour, name)
        parser.add_argument(_option(name), type=type(default), default=default, help=_HELP.get(name, "knob"))
    for name, default in crm.credentials.items():
        parser.add_argument(_option(name), default=default, help="let in, too")
    parser.add_argument("--port", type=int, default=9_000, help="0: any free one")
    parser.add_argument("--knobs", default="{}", help="any other knob, as JSON; see POST /_sandbox/configure")


def _names(shape: object) -> list[str]:
    return [one.name for one in fields(shape)]  # type: ignore[arg-type]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if __name__ == "__main__":
    sys.exit(main())

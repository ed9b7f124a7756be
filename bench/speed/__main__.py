"""Measures what a run costs, side by side and round by round: this build, another commit, other tools, and the floor.

    ./scripts/bench --write                      # all parts; half an hour on idle cores
    ./scripts/bench --quick                      # all parts on tiny accounts, to try them
    ./scripts/bench --parts alone limit --rounds 5 --against 8c64b45

Tables are printed as Markdown; with ``--write`` they are `docs/speed.md`, with `docs/speed.svg` beside it. Parts that
are not measured stay there as they were measured last.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.speed import alone, growth, limit, memory, peers, pipelines
from bench.speed.builds import build_of, this_build
from bench.speed.environments import ROOT, NotInstalled
from bench.speed.page import Found, page, picture
from bench.speed.plan import QUICK, Plan
from bench.speed.running import Failed, said

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = {
    "alone": alone.measure,
    "peers": peers.measure,
    "growth": growth.measure,
    "limit": limit.measure,
    "memory": memory.measure,
    "pipelines": pipelines.measure,
}
#: What was measured last of each part: of what the page is made.
KEPT = Path(__file__).with_name("measured.json")
PAGE, PICTURE = ROOT / "docs" / "speed.md", ROOT / "docs" / "speed.svg"
SIZES = ("people", "leads", "rows", "many", "rounds")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", default="8c64b45", help="the commit to compare with; none: this build alone")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    names = [peer.name for peer in peers.PEERS]
    parser.add_argument("--peers", nargs="*", default=names, choices=names, help="other tools of the part peers")
    parser.add_argument("--people", type=int, help="people of Copper")
    parser.add_argument("--leads", type=int, help="leads of Close, and as many contacts")
    parser.add_argument("--rows", type=int, help="rows of Copera")
    parser.add_argument("--many", type=int, help="people of the large account of the part growth")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="tiny accounts, one round: to try the parts")
    parser.add_argument("--write", action="store_true", help="write docs/speed.md and docs/speed.svg")
    return parser.parse_args(arguments)


def _plan(options: argparse.Namespace, folder: Path) -> Plan:
    """Return what is measured, with the builds ready to run."""
    builds, missing = [this_build(folder)], []
    if options.against != "none":
        try:
            builds.append(build_of(options.against, folder))
        except NotInstalled as error:
            missing.append(f"Commit {options.against} is not measured: what it needs does not install: {error}.")
    sizes = QUICK if options.quick else {}
    given = {name: getattr(options, name) for name in SIZES if getattr(options, name) is not None}
    return Plan(
        **{**sizes, **given}, folder=folder, builds=tuple(builds), missing=tuple(missing), peers=tuple(options.peers)
    )


def _made(options: argparse.Namespace, arguments: Sequence[str]) -> str:
    """Return by which command this is made, and where."""
    command = " ".join(["./scripts/bench", *arguments])
    other = (
        "" if options.against == "none" else f"; the other build is commit `{options.against}`, with its own packages"
    )
    return f"`{command}`, {os.cpu_count()} cores, a load of {os.getloadavg()[2]:.1f} before it began{other}."


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the tables."""
    options = _options(arguments)
    made, found = _made(options, arguments), dict[str, Found]()
    with tempfile.TemporaryDirectory() as name:
        try:
            plan = _plan(options, Path(name))
            for part in options.parts:
                said(f"--- {part}")
                found[part] = replace(PARTS[part](plan), made=made)
                if options.write:  # what is measured is kept, also if a later part fails
                    _write({part: found[part]})
        except (Failed, RuntimeError) as error:
            raise SystemExit(str(error)) from None
    print(page(list(found.values())))


def _write(new: dict[str, Found]) -> None:
    """Write the page and the picture of all parts, each as it was measured last."""
    known = msgspec.json.decode(KEPT.read_bytes(), type=dict[str, Found]) if KEPT.exists() else {}
    found = {part: {**known, **new}[part] for part in PARTS if part in {**known, **new}}
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    PAGE.write_text(page(list(found.values())), "utf-8")
    PICTURE.write_text(picture(list(found.values())), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

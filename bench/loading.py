"""Measures what a full load of people costs, tap and loader together: each form and each setting in turn.

All ways read one sandbox and load into one server, round by round, so that their ratios hold on a noisy machine.

    python -m bench.loading --people 20000 --other ../tap-crm-before
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.loaders.__main__ import install
from bench.loaders.targets import LOADERS
from bench.run import only
from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.loaders.places import Place

TEXT = {"nested_values": "text"}
MEASURED = Path(__file__).with_name("measured.py")


@dataclass(frozen=True)
class Way:
    """One way to load.

    Attributes:
        name: for people.
        loader: of :data:`LOADERS`.
        tap: settings of the tap, beside the account's.
        extra: settings of the loader, beside those that it is tried with.
        is_other: read by the tap of the other checkout.
    """

    name: str
    loader: str
    tap: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    is_other: bool = False


_OLD = {"batch_size_rows": 100_000, "settings": {}}
WAYS = (
    Way("before", "postgres", is_other=True),
    Way("typed", "postgres"),
    Way("text", "postgres", TEXT),
    Way("text, batches of 50,000", "postgres", TEXT, {"batch_size_rows": 50_000}),
    Way("text, records validated", "postgres", TEXT, {"validate_records": True}),
    Way("text, no _sdc_ columns", "postgres", TEXT, {"add_record_metadata": False, "activate_version": False}),
    Way("text, by INSERT", "postgres", TEXT, {"use_copy": False}),
    Way("before", "duckdb", extra=_OLD, is_other=True),
    Way("typed, batches of 100,000", "duckdb", extra=_OLD),
    Way("text, batches of 100,000", "duckdb", TEXT, _OLD),
    Way("typed", "duckdb"),
    Way("text", "duckdb", TEXT),
    Way("text, all threads", "duckdb", TEXT, {"settings": {"checkpoint_threshold": "256MB"}}),
    Way("text, log of 16 MB", "duckdb", TEXT, {"settings": {"threads": 1}}),
    Way("text, batches of 20,000", "duckdb", TEXT, {"batch_size_rows": 20_000}),
)


@dataclass(frozen=True)
class Checkout:
    """Another checkout, and a Python that has what it needs."""

    tree: Path
    python: Path


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU of the tap and of the loader, and megabytes of the loader at its peak."""

    tap: float
    loader: float
    peak: float


def load(tap: list[str | Path], loader: list[str | Path], *, cwd: Path, peak: Path) -> Cost:
    """Run a tap into a loader, which tells its peak in a file.

    Raises:
        RuntimeError: one of them does not end with 0.
    """
    with tempfile.TemporaryFile() as log:
        reading = subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=cwd)
        loading = subprocess.Popen(loader, stdin=reading.stdout, stdout=subprocess.DEVNULL, stderr=log)
        if reading.stdout is not None:
            reading.stdout.close()  # the loader's alone: the tap hears when it ends
        _, ended, used = os.wait4(loading.pid, 0)
        _, read, spent = os.wait4(reading.pid, 0)
        loading.returncode, reading.returncode = map(os.waitstatus_to_exitcode, (ended, read))
        if ended or read:
            log.seek(0)
            raise RuntimeError(f"tap {read}, loader {ended}: {log.read().decode(errors='replace')[-500:]}")
    return Cost(spent.ru_utime + spent.ru_stime, used.ru_utime + used.ru_stime, int(peak.read_text()) / 1024)


class Bench:
    """Measures ways on one account.

    Args:
        url: of the account.
        folder: for what runs need.
        other: another checkout; None for none.
        people: of the account: so many must arrive.
    """

    def __init__(self, url: str, folder: Path, other: Checkout | None, people: int) -> None:
        self._folder, self._people = folder, people
        self._this, self._other = Checkout(Path.cwd(), Path(sys.executable)), other
        self._config: dict[str, Any] = {
            "provider": "copper",
            "api_key": API_KEY,
            "user_email": USER_EMAIL,
            "api_url": url,
        }
        self._config["requests_per_minute"] = 0
        self._catalogs: dict[Any, Path] = {}

    def _tap(self, way: Way) -> tuple[list[str | Path], Path]:
        read_by = self._other if way.is_other and self._other is not None else self._this
        root, python = read_by.tree, read_by.python
        config = self._folder / "tap.json"
        config.write_text(json.dumps({**self._config, **way.tap}))
        command: list[str | Path] = [python, "-m", "tap_crm", "--config", config]
        key = (root, *way.tap.items())
        if key not in self._catalogs:
            done = subprocess.run([*command, "--discover"], cwd=root, capture_output=True, check=True)
            self._catalogs[key] = self._folder / f"catalog-{len(self._catalogs)}.json"
            self._catalogs[key].write_text(json.dumps(only(json.loads(done.stdout), "people")))
        return [*command, "--catalog", self._catalogs[key]], root

    def cost(self, way: Way) -> Cost:
        """Return what a load into a new place costs.

        Raises:
            RuntimeError: the tap or the loader does not end with 0, or people are missing.
        """
        loader = next(one for one in LOADERS if one.name == way.loader)
        commands = install(loader)
        tap, root = self._tap(way)
        with tempfile.TemporaryDirectory(prefix="ld") as name, loader.place(Path(name), commands / "python") as place:
            command: list[str | Path] = [
                commands / "python",
                MEASURED,
                self._folder / "peak",
                commands / loader.command,
            ]
            cost = self._into(place, command, {**loader.extra, **way.extra}, tap, root)
            if (loaded := len(place.read(["people"]).get("people", []))) != self._people:
                raise RuntimeError(f"{way.loader}, {way.name}: {loaded:,} of {self._people:,} people are there")
            return cost

    def _into(
        self, place: Place, command: list[str | Path], extra: Mapping[str, Any], tap: list[str | Path], root: Path
    ) -> Cost:
        config = self._folder / "loader.json"
        config.write_text(json.dumps({**place.config, **extra}))
        return load(tap, [*command, "--config", config], cwd=root, peak=self._folder / "peak")


def main() -> None:
    """Measure the ways and print the medians, and their ratios to the first of each loader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--other",
        type=lambda given: Path(given).resolve(),
        help="another checkout with an environment in .venvs, read as `before`",
    )
    parser.add_argument("--only", default="", help="numbers of the ways, as 0,2,7")
    options = parser.parse_args()
    chosen = [WAYS[int(number)] for number in options.only.split(",") if number] or list(WAYS)
    ways = [way for way in chosen if options.other is not None or not way.is_other]
    other = options.other and Checkout(options.other, next(iter((options.other / ".venvs").glob("*/bin/python"))))
    costs = measure(options.people, options.rounds, ways, other)
    print(f"{options.people:,} people, median of {options.rounds}; CPU in seconds")
    print(table(costs))


def measure(people: int, rounds: int, ways: Sequence[Way], other: Checkout | None) -> dict[str, dict[str, list[Cost]]]:
    """Load an account by all ways, round by round; return what that took, by loader and way."""
    costs: dict[str, dict[str, list[Cost]]] = {}
    shape = Shape(people=people, companies=10, opportunities=10, leads=10, activities=10)
    with ExitStack() as stack:
        url = stack.enter_context(running(copper_app(shape, rate_limit=0)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(url, folder, other, people)
        for _ in range(rounds):
            for way in ways:
                cost = bench.cost(way)
                costs.setdefault(way.loader, {}).setdefault(way.name, []).append(cost)
                print(way.loader, way.name, cost, file=sys.stderr, flush=True)
    return costs


#: What the columns of :func:`rows` are.
HEAD = ("loader", "way", "tap", "loader's CPU", "both", "ratio", "peak of the loader")


def rows(costs: Mapping[str, Mapping[str, list[Cost]]]) -> list[tuple[str, ...]]:
    """Return the rows of the table of all ways, by loader; ratios are those to the first way of each."""
    found = list[tuple[str, ...]]()
    for loader, ways in costs.items():
        base = 0.0
        for way, some in ways.items():
            tap, loading = statistics.median(one.tap for one in some), statistics.median(one.loader for one in some)
            base = base or tap + loading
            both = (f"{tap:.1f}", f"{loading:.1f}", f"{tap + loading:.1f}", f"{(tap + loading) / base:.2f}")
            found.append((loader, way, *both, f"{max(one.peak for one in some):.0f} MB"))
    return found


def table(costs: Mapping[str, Mapping[str, list[Cost]]]) -> str:
    """Return the table of all ways, by loader."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ["---"] * len(HEAD), *rows(costs)))


if __name__ == "__main__":
    main()

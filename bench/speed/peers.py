"""Other tools, and the floor, beside this build: people of Copper, read and written as lines."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.peers.streams import KEY, URL, USER
from bench.speed.accounts import UNPACED, Account, account, copper_people
from bench.speed.alone import FEW
from bench.speed.builds import only
from bench.speed.environments import ROOT, NotInstalled, environment
from bench.speed.page import Found, Table, ratio, seconds
from bench.speed.running import Cost, Failed, Program, said, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.speed.builds import Build
    from bench.speed.plan import Plan

HEAD = ("way", "packages", "CPU s", "start-up, CPU s", "start-up taken off, CPU s", "to this build", "peak, MB")
_OFFLINE = {"AIRBYTE_OFFLINE_MODE": "1", "RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1"}
_FIXED = "not measured: its address, `{}`, is fixed in its code, and no setting leads it to a local server"


@dataclass(frozen=True)
class Peer:
    """Another way to read people.

    Attributes:
        name: to choose it by.
        title: for people.
        packages: what is installed for it.
        script: of `bench/peers`.
        variables: of its environment.
        absent: why it cannot be measured; then nothing is installed.
        bare_rows: whether its lines are rows, without a message around them.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    script: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""
    bare_rows: bool = False


PEERS = (
    Peer("floor", "a loop of `requests` and `orjson`", ("requests==2.32.5", "orjson==3.13.0"), "lines_copper.py"),
    Peer("sdk", "a stock tap on the Singer SDK", ("singer-sdk==0.54.9",), "sdk_copper.py"),
    Peer(
        "sdk-msgspec",
        "the same with the SDK's `MsgSpecWriter`",
        ("singer-sdk[msgspec]==0.54.9", "msgspec==0.22.0"),
        "sdk_copper.py",
        {"WRITER": "msgspec"},
    ),
    Peer("airbyte", "a declarative source on Airbyte's CDK, read only", ("airbyte-cdk==7.39.1",), "airbyte_read.py"),
    Peer(
        "dlt",
        "dlt into JSON lines",
        ("dlt[filesystem]==1.31.0",),
        "dlt_lines.py",
        bare_rows=True,
    ),
    Peer(
        "tap-copper",
        "tap-copper",
        ("tap-copper==0.1.2",),
        absent=_FIXED.format("https://api.copper.com/developer_api/v1"),
    ),
    Peer("tap-closeio", "tap-closeio", ("tap-closeio==1.6.6",), absent=_FIXED.format("https://app.close.io/api/v1")),
    Peer(
        "airbyte-source-copper",
        "Airbyte's source for Copper",
        ("airbyte-source-copper==0.3.16",),
        absent=_FIXED.format("https://api.copper.com/developer_api/v1"),
    ),
)


class Reader:
    """How a peer reads an account."""

    def __init__(self, peer: Peer, folder: Path) -> None:
        self._peer, self._output = peer, folder / f"{peer.name}-output"
        self._python = environment(peer.name, peer.packages)

    def __call__(self, one: Account) -> tuple[Cost, int]:
        """Read an account; return what it took, and how many people were written."""
        given = {URL: one.url, KEY: one.config["api_key"], USER: one.config["user_email"]}
        variables = {**_OFFLINE, **self._peer.variables, **given}
        script = str(ROOT / "bench" / "peers" / self._peer.script)
        cost = Program(self._python, script, self._output.parent, variables).run(self._output)
        if not self._peer.bare_rows:
            return cost, written(self._output).rows()
        with self._output.open("rb") as lines:
            return cost, sum(1 for line in lines if line.strip())


def _by_build(build: Build) -> Callable[[Account], tuple[Cost, int]]:
    """Return how a build reads an account."""
    catalogs: dict[str, dict[str, Any]] = {}

    def read(one: Account) -> tuple[Cost, int]:
        config = {**one.config, **UNPACED}
        if one.url not in catalogs:
            catalogs[one.url] = only(build.discover(config), {"people"}.__contains__)
        ran = build.run(config, catalogs[one.url])
        return ran.cost, ran.written.rows()

    return read


def _readers(plan: Plan) -> tuple[dict[str, Callable[[Account], tuple[Cost, int]]], dict[str, str]]:
    """Return how each way reads, by its title; and why others cannot."""
    readers: dict[str, Callable[[Account], tuple[Cost, int]]] = {one.name: _by_build(one) for one in plan.builds}
    absent: dict[str, str] = {}
    for peer in PEERS:
        if peer.name not in plan.peers:
            continue
        if peer.absent:
            absent[peer.title] = peer.absent
            continue
        try:
            readers[peer.title] = Reader(peer, plan.folder)
        except NotInstalled as error:
            absent[peer.title] = f"not measured, since it does not install: {error}"
    return readers, absent


def _costs(plan: Plan, absent: dict[str, str]) -> dict[str, list[tuple[Cost, Cost]]]:
    """Read by all ways, round by round; each time an account of a few people first."""
    costs: dict[str, list[tuple[Cost, Cost]]] = {}
    readers, without = _readers(plan)
    absent.update(without)
    with ExitStack() as stack:
        few, full = (stack.enter_context(account("copper", copper_people(count))) for count in (FEW, plan.people))
        for number in range(plan.rounds):
            for title, read in list(readers.items()):
                try:
                    (idle, _), (whole, rows) = read(few), read(full)
                except Failed as error:
                    absent[title] = f"not measured: {error}"
                    del readers[title]
                    costs.pop(title, None)
                    continue
                said(f"{title}, round {number + 1}: {whole} (start-up {idle.cpu:.2f})")
                if rows != plan.people:
                    absent[title] = f"not measured: {rows:,} of {plan.people:,} people arrived"
                    del readers[title]
                costs.setdefault(title, []).append((idle, whole))
    return {title: some for title, some in costs.items() if title not in absent}


def measure(plan: Plan) -> Found:
    """Read people by this build, the other one, and the peers that are chosen."""
    absent: dict[str, str] = {}
    costs = _costs(plan, absent)
    packages = {peer.title: ", ".join(f"`{one}`" for one in peer.packages) for peer in PEERS}
    rows, first = list[tuple[str, ...]](), 0.0
    for title, some in costs.items():
        idle, whole = [one.cpu for one, _ in some], [one.cpu for _, one in some]
        net = statistics.median(whole) - statistics.median(idle)
        first = first or net
        peak = f"{max(one.peak for _, one in some):.0f}"
        told = (seconds(whole), seconds(idle), f"{net:.2f}", ratio(net, first), peak)
        rows.append((title, packages.get(title, "-"), *told))
    rows += [(title, packages.get(title, "-"), why, "-", "-", "-", "-") for title, why in absent.items()]
    note = (
        f"{plan.people:,} people of Copper, median of {plan.rounds} rounds. Each other way has its own environment "
        "(`bench/peers` has what is run), and writes each row as it gets it, by page numbers. None of them proves that "
        "an answer is whole, makes columns of custom fields or times of numbers, or looks for deletions, as this "
        "project does. Airbyte's and the Singer SDK's keep a state, the loop keeps none; dlt writes files, too."
    )
    return Found([Table("Other tools, and a floor", HEAD, rows, (note,))])

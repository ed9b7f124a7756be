"""Use of the rate limit: its share over a whole run, refusals, and requests by records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.speed.accounts import UNPACED, account, copper_people
from bench.speed.builds import only, tried
from bench.speed.page import Found, Table
from bench.speed.running import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.speed.builds import Build, Ran
    from bench.speed.plan import Plan
    from sandbox.simulator import Simulator
    from sandbox.stats import Answered

LATENCY_MS = 150
HEAD = ("run", "build", "requests", "429s", "seconds", "of the even rate", "of all that is admitted", "rows")
UNCHANGED_HEAD = ("unchanged account", "build", "requests", "429s", "wall, s")
COUNT_HEAD = ("read", "build", "rows", "requests", "a 1,000 rows", "of these, of the list itself", "a 1,000 rows")
MINUTE = 60.0
#: A build that writes a smaller part than this of what another one writes lost records: the audit's differ a little.
LEAST = 0.95
#: Records of a page: Copper's whole ones, and Copper's and Close's where the server gives fewer than are asked for.
WHOLE, PAGE, PAGES = 200, 20, {"activity": 10, "data/search": 20}


@dataclass(frozen=True)
class Limited:
    """An account with a limit.

    Attributes:
        title: for people.
        crm: whose account.
        shape: of the account.
        limit: how many requests.
        window: in how many seconds.
        config: of the tap, besides its credentials.
        knobs: of the server.
    """

    title: str
    crm: str
    shape: dict[str, Any]
    limit: int
    window: float
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    knobs: dict[str, Any] = field(default_factory=dict[str, Any])


def _limits(plan: Plan) -> list[Limited]:
    def copper(records: int) -> dict[str, Any]:
        return {"people": records // 2, "companies": records // 8, "activities": records // 4, "leads": records // 8}

    quick = {"requests_per_minute": 1_080}
    close = {"leads": plan.busy // 2, "contacts": plan.busy // 2, "activities": 10 * plan.busy, "events": 60}
    small, whole = copper(plan.busy * PAGE), copper(plan.busy * WHOLE)
    long = copper(2 * plan.busy * WHOLE)
    return [
        Limited("Copper, 180 in 60 s", "copper", whole, 180, MINUTE),
        Limited("Copper, 180 in 10 s", "copper", long, 180, 10.0, quick),
        Limited("Copper, 180 in 10 s, pages cut to 20", "copper", small, 180, 10.0, quick, {"page_cap": PAGE}),
        Limited("Close, 10 a second for each group", "close", close, 10, 1.0, {}, {"limit_caps": PAGES}),
    ]


def busiest(log: Sequence[Answered]) -> list[float]:
    """Return when the requests of the busiest group of Close arrived: those that share a method and a resource."""

    def group(one: Answered) -> str:
        return f"{one.method} {one.path if one.path.startswith('data') else one.path.partition('/')[0]}"

    groups = Counter(map(group, log))
    name = groups.most_common(1)[0][0]
    return sorted(one.arrived for one in log if group(one) == name)


def shares(arrivals: Sequence[float], limit: int, window: float) -> tuple[float, float]:
    """Return which part of a limit was used, from the first request to the last.

    Returns:
        Of the limit's even rate; and of all that a rolling window admits in that time, which is the whole limit at
        once, and again after each window.
    """
    took = max(arrivals[-1] - arrivals[0], 1e-6)
    even = (len(arrivals) - 1) / took / (limit / window)
    return even, len(arrivals) / (limit * (int(took / window) + 1))


def _rested(app: Simulator) -> None:
    """Let a run begin as if nothing had been asked before."""
    app.forget_limits()
    app.stats.reset()


def _row(case: Limited, build: Build, ran: Ran, app: Simulator) -> tuple[str, ...]:
    log = list(app.stats.log)
    arrivals = busiest(log) if case.crm == "close" else sorted(app.stats.arrivals)
    even, most = shares(arrivals, case.limit, case.window)
    of_group = f" ({len(arrivals)} of the busiest group)" if case.crm == "close" else ""
    return (
        case.title,
        build.name,
        f"{app.stats.requests}{of_group}",
        f"{app.stats.refused}",
        f"{arrivals[-1] - arrivals[0]:.1f}",
        f"{even:.0%}",
        f"{most:.0%}",
        "failed" if ran.failed else f"{ran.written.records:,}",
    )


def _use(plan: Plan, found: Found) -> Table:
    rows, failed = list[tuple[str, ...]](), list[str]()
    for number, case in enumerate(_limits(plan)):
        for build in plan.builds:
            # an address of its own for each: what another one sent is not known to it
            knobs = {"rate_limit": case.limit, "rate_window": case.window, "latency_ms": LATENCY_MS, **case.knobs}
            with account(case.crm, case.shape, **{**knobs, "rate_limit": 0}) as one:
                config = {**one.config, **case.config}
                catalog = build.discover({**config, **UNPACED})
                one.app.behaviour.rate_limit = case.limit
                _rested(one.app)
                ran = tried(build, config, catalog)
                if ran.failed:
                    failed.append(f"{case.title}: {ran.failed}")
                rows.append(_row(case, build, ran, one.app))
                said(" | ".join(rows[-1]))
                if number == 0:
                    began = min(one.app.stats.arrivals)
                    line = [(at - began, count + 1.0) for count, at in enumerate(sorted(one.app.stats.arrivals))]
                    found.sent[build.name] = line
    longest = max((line[-1][0] for line in found.sent.values()), default=1.0)
    found.sent["limit, evenly"] = [(0.0, 0.0), (longest, longest * 3)]
    note = (
        f"All streams as discovered, {LATENCY_MS} ms for each answer, Close's pages small; from the first request to "
        "the last. The even rate is the limit divided by its window; a burst at the start counts. What is admitted is "
        "the whole limit at once, and again after each window: a run without bursts cannot reach all of it. Of Close: "
        "the group that was asked most."
    )
    return Table("Use of the rate limit", HEAD, rows, (note, *failed, *_lost(rows)))


def _lost(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Say which builds wrote less than another of the same account: their requests compare with nothing."""
    most: dict[str, int] = {}
    written = [(row[0], row[1], int(row[-1].replace(",", ""))) for row in rows if row[-1] != "failed"]
    for title, _, count in written:
        most[title] = max(count, most.get(title, 0))
    return [
        f"{title}: `{build}` wrote {count:,} of {most[title]:,} records, and ended with 0."
        for title, build, count in written
        if count < LEAST * most[title]
    ]


def _unchanged(plan: Plan) -> Table:
    rows = []
    few = {"people": 400, "companies": 100, "leads": 100, "activities": 300, "opportunities": 50}
    for crm, shape, limit in (("copper", few, 180), ("copera", {"boards": 3, "tables": 9, "rows": 90}, 50)):
        for build in plan.builds:
            with account(crm, shape, latency_ms=20, rate_window=MINUTE) as one:
                unpaced = {**one.config, **UNPACED}  # what it sends is not remembered
                catalog = build.discover(unpaced)
                state = build.run(unpaced, catalog).written.state
                one.app.behaviour.rate_limit = limit
                _rested(one.app)
                wall = build.run(one.config, catalog, state).cost.wall
                stats = one.app.stats
                title = f"{crm.capitalize()}, 20 ms"
                rows.append((title, build.name, f"{stats.requests}", f"{stats.refused}", f"{wall:.1f}"))
                said(" | ".join(rows[-1]))
    note = "By default settings, as on the day after the first run. The wall includes start-up on this machine."
    return Table("A run that finds nothing new", UNCHANGED_HEAD, rows, (note,))


def _requests(plan: Plan) -> Table:
    rows = []
    leads = {"leads": plan.leads, "contacts": 10, "opportunities": 2, "tasks": 2, "activities": 2, "events": 2}
    people = {**copper_people(plan.people), "activities": plan.people}
    for crm, stream, shape in (
        ("copper", "people", people),
        ("copper", "activities", people),
        ("close", "leads", leads),
    ):
        with account(crm, shape) as one:
            config = {**one.config, **UNPACED}
            for build in plan.builds:
                catalog = only(build.discover(config), {stream}.__contains__)
                one.app.stats.reset()
                count = build.run(config, catalog).written.rows((stream,))
                requests = one.app.stats.requests
                of_list = Counter(f"{asked.method} {asked.path}" for asked in one.app.stats.log).most_common(1)[0][1]
                told = (f"{count:,}", *(cell for asked in (requests, of_list) for cell in _each(asked, count)))
                rows.append((f"{crm.capitalize()} {stream}", build.name, *told))
                said(" | ".join(rows[-1]))
    note = (
        "A first run of one stream, whole pages, no limit. Beside its list, a run asks a few questions once: which "
        "account this is, what it has of custom fields."
    )
    return Table("Requests by records", COUNT_HEAD, rows, (note,))


def _each(requests: int, rows: int) -> tuple[str, str]:
    return f"{requests:,}", f"{1_000 * requests / max(rows, 1):.2f}"


def measure(plan: Plan) -> Found:
    """Measure all."""
    found = Found()
    found.tables += [_use(plan, found), _unchanged(plan), _requests(plan)]
    return found

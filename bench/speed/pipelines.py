"""Whole pipelines: `tap | target-postgres` and `tap | target-duckdb`, by this build and by the other one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import loading
from bench.loaders.__main__ import LoaderError
from bench.speed.page import Found, Table

if TYPE_CHECKING:
    from bench.speed.plan import Plan

TEXT = {"nested_values": "text"}


def measure(plan: Plan) -> Found:
    """Load people of Copper by `bench.loading`."""
    this, *others = plan.builds
    other = loading.Checkout(others[0].tree, others[0].python) if others else None
    costs: dict[str, dict[str, list[loading.Cost]]] = {}
    without = []
    for loader in ("postgres", "duckdb"):
        ways = [
            loading.Way(this.name, loader),
            loading.Way(f"{this.name}, `nested_values: text`", loader, TEXT),
            *(loading.Way(one.name, loader, is_other=True) for one in others[:1]),
        ]
        try:
            costs |= loading.measure(plan.people, plan.rounds, ways, other)
        except LoaderError as error:
            without.append(f"target-{loader} is not measured: it {error}.")
    note = (
        f"{plan.people:,} people of Copper into a new database, median of {plan.rounds} rounds, CPU seconds with "
        "start-up; the loaders and their settings are those of [loaders.md](loaders.md). PostgreSQL itself is not "
        "counted. The people in the database are counted; one too few ends the bench. Also: `python -m bench.loading`."
    )
    return Found([Table("Tap and target together", loading.HEAD, loading.rows(costs), (note, *without))])

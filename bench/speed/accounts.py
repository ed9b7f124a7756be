"""Accounts of the local servers that are read."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.trace import CRMS
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.simulator import Simulator

#: What a run without a limit is told.
UNPACED: dict[str, Any] = {"requests_per_minute": 0}


@dataclass(frozen=True)
class Account:
    """An account that is served, and what a tap needs to read it."""

    app: Simulator
    config: dict[str, Any]

    @property
    def url(self) -> str:
        """Where it is served."""
        return str(self.config["api_url"])


@contextmanager
def account(crm: str, shape: dict[str, Any], **knobs: Any) -> Iterator[Account]:  # noqa: ANN401 - as the sandbox takes
    """Serve an account; without a limit unless one is given."""
    own = importlib.import_module(f"sandbox.{crm}")
    name, held = CRMS[crm]
    app: Simulator = getattr(own, name)(own.Shape(**shape), **{"rate_limit": 0, **knobs})
    with running(app) as url:
        yield Account(
            app, {"provider": crm, "api_url": url, **{key: getattr(own, value) for key, value in held.items()}}
        )


def copper_people(count: int) -> dict[str, int]:
    """Return the shape of an account of Copper that has people, and hardly anything else."""
    return {"people": count, "companies": 10, "leads": 10, "activities": 10, "opportunities": 10}

"""An account of each CRM that tells of changes, an inbox, and a tap that reads both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tests.contract.conftest import catalog_of, start
from tests.hints.tellers import TELLERS, Teller, Told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.conftest import Start
    from tests.contract.crm import Crm
    from tests.singer import Tap

__all__ = ["catalog_of", "start"]

#: From streams (none: the teller's) and knobs to a server, a tap with an inbox, and that inbox.
StartTold: TypeAlias = Callable[..., "tuple[Any, Tap, Told]"]


@pytest.fixture(params=list(TELLERS.values()), ids=list(TELLERS))
def teller(request: pytest.FixtureRequest) -> Teller:
    """Return each CRM in turn that sends events of single records."""
    found: Teller = request.param
    return found


@pytest.fixture
def crm(teller: Teller) -> Crm:
    """Return the CRM that tells."""
    return teller.crm


@pytest.fixture
def start_told(teller: Teller, start: Start, tmp_path: Path) -> Iterator[StartTold]:
    """Return a function that serves an account, and gives a tap for it that has an inbox."""
    opened: list[Told] = []

    def start_one(*streams: str, shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[Any, Tap, Told]:  # noqa: ANN401
        app, tap = start(*(streams or teller.streams), shape={**teller.shape, **(shape or {})}, **knobs)
        told = Told(tmp_path, teller.crm.name)
        opened.append(told)
        tap.config["inbox"] = told.path
        return app, tap, told

    yield start_one
    for one in opened:
        one.spool.close()

"""A sandbox of Copera and a tap that is configured for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.copera import PAT, CoperaSandbox, Shape, copera_app
from sandbox.server import running
from tests.copera.truth import FIXED, PER_PARENT
from tests.singer import Run, Tap, selecting

if TYPE_CHECKING:
    from pathlib import Path

Start: TypeAlias = Callable[..., tuple[CoperaSandbox, Tap]]

#: Twelve tables on five boards, each column type, and a little of everything else.
SMALL = {"seed": 7, "rows": 900, "documents": 40, "drive_files": 40, "channels": 20, "comments": 60}


@pytest.fixture
def start(tmp_path: Path, unmeasured: None) -> Iterator[Start]:  # noqa: ARG001 - the tap runs elsewhere
    """Return a function that starts a sandbox: sizes as a dict, knobs by name."""
    with ExitStack() as stack:

        def start_one(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[CoperaSandbox, Tap]:  # noqa: ANN401
            app = copera_app(Shape(**{**SMALL, **(shape or {})}), **{"rate_limit": 0, **knobs})
            url = stack.enter_context(running(app))
            tap = Tap(tmp_path, provider="copera", api_key=PAT, api_url=url, requests_per_minute=0)
            return app, tap

        yield start_one


def choosing(tap: Tap, *streams: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a fresh catalog that selects the named streams, and the audit."""
    found = tap.discover()[0]
    missing = set(streams) - {entry["tap_stream_id"] for entry in found["streams"]}
    assert not missing, missing
    return selecting(found, *streams, "sync_audit", without=without)


def table_streams(run_or_catalog: Run | dict[str, Any]) -> list[str]:
    """Return the names of the tables' streams."""
    if isinstance(run_or_catalog, Run):
        return sorted(name for name in run_or_catalog.schemas if "__" in name)
    return sorted(entry["tap_stream_id"] for entry in run_or_catalog["streams"] if "__" in entry["tap_stream_id"])


def activated(run: Run) -> list[str]:
    """Return the tables' streams whose versions a run activated; the others have a new one in each run."""
    others = {*FIXED, *PER_PARENT}
    told = [message["stream"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
    return [stream for stream in told if stream not in others]

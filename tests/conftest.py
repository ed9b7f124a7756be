"""What all tests share."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


# A run's records are many objects and no garbage: looking through them again and again takes half of a test's time.
gc.set_threshold(100_000, 20, 100)


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """Do not measure the coverage of this process during a test; of the processes that it starts, as ever.

    Where the tap runs in processes of its own, only the sandbox and the test itself run here. Tracing them takes as
    long as running them, and tells nothing: `tap_crm` alone is measured.
    """
    coverage = sys.modules.get("coverage")
    measuring = coverage.Coverage.current() if coverage else None
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()

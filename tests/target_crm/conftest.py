"""A bench for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.target_crm.copper_double import CopperDouble
from tests.target_crm.running import Bench

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def crm() -> CopperDouble:
    """A Copper in memory."""
    return CopperDouble()


@pytest.fixture
def bench(tmp_path: Path, crm: CopperDouble) -> Bench:
    """A folder, and a Copper in memory."""
    return Bench(tmp_path, crm)

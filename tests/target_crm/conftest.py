"""A bench for each test, in memory where the system has files there: a journal waits for its disk all the time."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.target_crm.copper_double import CopperDouble
from tests.target_crm.running import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where Linux has files in memory. They outlast any process, which is all that these tests end.
_MEMORY = Path("/dev/shm")  # noqa: S108 - each test has a folder of its own there
_ENOUGH = 1 << 30


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory if there is room, else one on the disk."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ENOUGH:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="target_crm", dir=_MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def crm() -> CopperDouble:
    """A Copper in memory."""
    return CopperDouble()


@pytest.fixture
def bench(tmp_path: Path, crm: CopperDouble) -> Bench:
    """A folder, and a Copper in memory."""
    return Bench(tmp_path, crm)

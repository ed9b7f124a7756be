"""Folders in memory where the system has them: databases wait for their disk all the time."""

from __future__ import annotations

from tests.target_crm.conftest import tmp_path

__all__ = ["tmp_path"]

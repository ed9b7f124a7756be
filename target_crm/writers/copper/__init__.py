"""Writing to Copper (developer.copper.com: the pages of each operation)."""

from __future__ import annotations

from target_crm.writers.copper.writer import make_copper_writer

__all__ = ["make_copper_writer"]

"""Writing to Close (developer.close.com: the pages of each resource)."""

from __future__ import annotations

from target_crm.writers.close.writer import make_close_writer

__all__ = ["make_close_writer"]

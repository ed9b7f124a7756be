"""Writing to Copera (university.copera.ai: developer guides; developer.copera.ai: reference)."""

from __future__ import annotations

from target_crm.writers.copera.writer import make_copera_writer

__all__ = ["make_copera_writer"]

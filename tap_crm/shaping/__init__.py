"""Turns what the CRM sent into records that fit the stream's schema, and writes them fast."""

from __future__ import annotations

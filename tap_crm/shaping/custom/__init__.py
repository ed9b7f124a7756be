"""Custom fields as columns."""

from __future__ import annotations

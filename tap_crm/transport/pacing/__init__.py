"""How fast requests may follow each other."""

from __future__ import annotations

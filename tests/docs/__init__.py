"""What the documents say is what the code does."""

from __future__ import annotations

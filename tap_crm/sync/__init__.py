"""One run: what of a stream is read, and what the state keeps of it."""

from __future__ import annotations

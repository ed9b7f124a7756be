"""What a user may set, and the checks of it."""

from __future__ import annotations

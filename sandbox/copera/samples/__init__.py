"""Makes the sample records of a workspace."""

from __future__ import annotations

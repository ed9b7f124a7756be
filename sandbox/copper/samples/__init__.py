"""Makes the sample records of an account."""

from __future__ import annotations

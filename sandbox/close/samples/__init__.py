"""Makes the sample records of an organization."""

from __future__ import annotations

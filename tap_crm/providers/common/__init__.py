"""What several CRMs' streams have in common."""

from __future__ import annotations

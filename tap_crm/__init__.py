"""Singer tap that reads CRMs exactly: nothing lost, nothing hidden, only what changed."""

from __future__ import annotations

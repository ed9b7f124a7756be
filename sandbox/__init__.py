"""Local servers that behave like the CRMs' APIs, for demos, tests and benchmarks."""

from __future__ import annotations

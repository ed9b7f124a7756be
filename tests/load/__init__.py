"""Tests of the command ``load-account``."""

from __future__ import annotations

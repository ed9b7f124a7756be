"""Tests of the inbox: what it keeps, and how it receives."""

from __future__ import annotations

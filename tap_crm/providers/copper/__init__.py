"""Copper (copper.com): credentials, limit, streams.

Facts: developer.copper.com, pages of the introduction and of each object.
"""

from __future__ import annotations

"""Copera (copera.ai): credentials, limits, streams.

Facts: university.copera.ai, developer guides; developer.copera.ai, reference.
"""

from __future__ import annotations

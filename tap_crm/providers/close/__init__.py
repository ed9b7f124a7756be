"""Close (close.com): credentials, limits, streams.

Facts: developer.close.com, pages on authentication, rate limits and each object.
"""

from __future__ import annotations

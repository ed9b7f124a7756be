"""What the shapes of all sandboxes have."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class CommonShape:
    """What records are generated from; the same shape gives the same records."""

    seed: int = 1
    now: int = field(default_factory=lambda: int(time.time()))
    """The anchor in epoch seconds: all dates lie in the three years before it, unless said otherwise."""

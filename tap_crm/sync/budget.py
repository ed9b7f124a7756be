"""How many requests the reconciles of a run may use."""

from __future__ import annotations

import threading


class Budget:
    """Requests that may still be sent; shared by all streams and threads of a run.

    Args:
        most: so many; None for as many as they need.
    """

    def __init__(self, most: int | None) -> None:
        self._lock = threading.Lock()
        self._left = most

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing is counted."""
        return self._left is None

    def has_some(self) -> bool:
        """Tell whether there is some left."""
        return self._left is None or self._left > 0

    def use(self, requests: int) -> None:
        """Book requests; several streams may do so at the same time."""
        with self._lock:
            if self._left is not None:
                self._left -= requests

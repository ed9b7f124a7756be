"""Credentials that lose their validity."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Revocations:
    """Which keys and tokens are revoked, at once or after so many more answers."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def revoke(self, secrets: Iterable[str], after: int) -> None:
        """Revoke credentials after so many more answers."""
        for one in secrets:
            self._left[one] = after

    def restore(self) -> None:
        """Make all of them valid again."""
        self._left.clear()

    def revoked(self, secret: str) -> bool:
        """Whether credentials are valid no more."""
        return self._left.get(secret) == 0

    def count(self, secret: str) -> None:
        """Count an answer that valid credentials get."""
        if secret in self._left:
            self._left[secret] -= 1

"""Random ids and choices."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from random import Random

Pool: TypeAlias = list[Any]

LONG, SHORT = 43, 22


class Draws:
    """Draws from one sequence of random numbers."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.random = rng.random

    def long(self, prefix: str) -> str:
        """Make an id of the older kind."""
        return f"{prefix}_{self._letters(LONG)}"

    def short(self, prefix: str) -> str:
        """Make an id of the newer kind."""
        return f"{prefix}_{self._letters(SHORT)}"

    def _letters(self, count: int) -> str:
        return base64.b64encode(self.rng.randbytes(count), b"aZ")[:count].decode()

    def one(self, pool: Pool) -> Any:  # noqa: ANN401
        """Choose from a pool."""
        return pool[int(self.random() * len(pool))]

    def maybe(self, chance: float, pool: Pool) -> Any:  # noqa: ANN401
        """Choose from a pool with that chance, else null; null from an empty pool, too."""
        return pool[int(self.random() * len(pool))] if pool and self.random() < chance else None

    def chance(self, part: float) -> bool:
        """Say yes with that probability."""
        return self.random() < part

    def below(self, count: int) -> int:
        """Draw a number from 0 on."""
        return int(self.random() * count)

"""Random choices that sample records are made by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from random import Random

Pool: TypeAlias = list[Any]


class RandomChoices:
    """Chooses by one sequence of random numbers."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.random = rng.random

    def one(self, pool: Pool) -> Any:  # noqa: ANN401
        """Choose from a pool."""
        return pool[int(self.random() * len(pool))]

    def maybe(self, chance: float, pool: Pool) -> Any:  # noqa: ANN401
        """Choose from a pool with that chance, else null; null from an empty pool, too."""
        random = self.random
        return pool[int(random() * len(pool))] if pool and random() < chance else None

    def chance(self, part: float) -> bool:
        """Say yes with that probability."""
        return self.random() < part

    def below(self, count: int) -> int:
        """Draw a number from 0 on."""
        return int(self.random() * count)

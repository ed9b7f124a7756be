"""Random ids, and the organization that they belong to."""

from __future__ import annotations

import base64
from random import Random
from typing import TYPE_CHECKING

from sandbox.random_choices import RandomChoices

if TYPE_CHECKING:
    from sandbox.close.shape import Shape

LONG, SHORT = 43, 22


class RandomIds(RandomChoices):
    """Draws ids and choices."""

    def long(self, prefix: str) -> str:
        """Make an id of the older kind."""
        return f"{prefix}_{self._letters(LONG)}"

    def short(self, prefix: str) -> str:
        """Make an id of the newer kind."""
        return f"{prefix}_{self._letters(SHORT)}"

    def _letters(self, count: int) -> str:
        return base64.b64encode(self.rng.randbytes(count), b"aZ")[:count].decode()


class OrganizationIds(RandomIds):
    """Draws what belongs to one organization."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(Random(shape.seed))
        self.shape = shape
        self.organization_id = self.long("orga")

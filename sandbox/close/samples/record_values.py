"""Random values of records, those of custom fields included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.custom_fields import CustomFields
from sandbox.close.samples.random_values import RandomValues

if TYPE_CHECKING:
    from sandbox.close.shape import Shape


class RecordValues(RandomValues):
    """All that records of one organization are made of."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.custom = CustomFields(self)

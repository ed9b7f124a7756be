"""What a reading yields: pages of records, and checkpoints between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Page:
    """Records to write.

    Either ``body``, a JSON array of records as the CRM sent it, of which ``keep`` names the positions to write
    (None: all); or ``records``, already decoded.
    """

    body: bytes | None = None
    keep: Sequence[int] | None = None
    records: Sequence[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that changed up to here was yielded before; epoch seconds of the server's clock."""

    at: int


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What follows is everything there is: rows that only older versions had are gone at the source."""


Item: TypeAlias = "Page | Checkpoint | NewVersion"
#: Takes what a reading has found; may block while the writer is busy. Raises ``Cancelled`` when the run ends.
Emit: TypeAlias = "Callable[[Item], None]"

"""What a list has newest: one cheap question that shows whether something changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tap_crm.contract.stream import Reading


@dataclass(frozen=True, slots=True)
class Newest:
    """One answer.

    Attributes:
        versions: of each record in it, the key and what a change of it moves, such as its change time.
        at: the latest change time in it, in epoch seconds by the CRM's clock; None where records have none.
        count: how many records there are, where the answer may hide a new one; None where it cannot, or nobody counts.
    """

    versions: frozenset[Hashable]
    at: int | None = None
    count: int | None = None


@runtime_checkable
class Watchable(Protocol):
    """A source that can tell by one request whether something changed."""

    def newest(self, reading: Reading) -> Newest:
        """Ask for what changed last; where the CRM can bound that, from ``reading.since`` on.

        Raises:
            ReadError: the CRM gave no answer that can be believed.
        """

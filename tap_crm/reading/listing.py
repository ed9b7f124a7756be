"""How a listing is bounded by times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.messages import Row


@dataclass(frozen=True, slots=True)
class Bound:
    """Restricts a listing to records whose ``time`` lies in ``[low, high]``, both inclusive, open where None."""

    time: str
    low: int | None = None
    high: int | None = None

    def __bool__(self) -> bool:
        """Tell whether it restricts anything."""
        return self.low is not None or self.high is not None


class BoundIgnored(Exception):  # noqa: N818 - it names what happened
    """The CRM answered with rows outside of the bounds, or refused them: the filter does not work here."""

    def __init__(self, time: str, cause: Exception | None = None) -> None:
        """Keep the name of the time whose filter does not work, and the refusal if there was one."""
        super().__init__(time)
        self.time = time
        self.cause = cause


class BoundExclusive(Exception):  # noqa: N818
    """The CRM leaves out the second at which the bounds begin."""


def check_bound(bound: Bound, rows: Sequence[Row], times: tuple[str, ...]) -> None:
    """Raise if the rows show that the bound was ignored.

    A single row above the upper bound is a record changed between the search and the answer; rows below the
    lower one, or many above, mean that the filter had no effect.

    Raises:
        BoundIgnored: rows lie outside.
    """
    index = times.index(bound.time)
    found = [at for row in rows if (at := row.times[index]) is not None]
    below = bound.low is not None and any(at < bound.low - 1 for at in found)
    above = bound.high is not None and sum(at > bound.high + 1 for at in found) > max(2, len(found) // 2)
    if below or above:
        raise BoundIgnored(bound.time)

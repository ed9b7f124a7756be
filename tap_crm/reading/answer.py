"""A listing without page numbers, as the readings see it: asked from a time on, or from where an answer ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tap_crm.messages import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.messages import Row
    from tap_crm.reading.listing import Bound

Continuation: TypeAlias = "str | int"


class Expired(Exception):  # noqa: N818 - it names what happened
    """The CRM forgot how to go on with a question; it must be asked from its start."""


class Unordered(Exception):  # noqa: N818
    """The CRM does not list in the order that was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        rows: in the CRM's order.
        body: what they came in.
        after: how to go on with the same question; None where the CRM says that this was all.
        total: how many records the whole question has, as the CRM counts; None where it does not.
        size: how many rows were asked for.
        server_time: epoch seconds.
        start: the position of the first row; None where the listing is gone on with by a cursor. It may be before the
            position that was asked for.
        within: where the body has the array of records; None where it is that array.
        times: the names of the rows' times.
    """

    rows: tuple[Row, ...]
    body: bytes
    after: Continuation | None
    total: int | None
    size: int
    server_time: float
    start: int | None = None
    within: str | None = None
    times: tuple[str, ...] = ()

    def page(self, keep: Sequence[int] | None = None) -> Page:
        """Return the records at these positions, to be written; None for all."""
        kept = None if keep is None or len(keep) == len(self.rows) else keep
        return Page(self.body, kept, within=self.within, rows=self.rows, times=self.times)


class KeysetListing(Protocol):
    """A listing that can be bounded by the time it is ordered by."""

    @property
    def label(self) -> str:
        """For messages: the stream's name."""

    @property
    def times(self) -> tuple[str, ...]:
        """The names of the times that rows carry."""

    @property
    def ascending(self) -> bool:
        """False where it comes newest first."""

    @property
    def reach(self) -> int | None:
        """How many records one question gives by going on with it, where that is known."""

    @property
    def tells_end(self) -> bool:
        """Whether the CRM itself says that an answer was the last one; else only a count, or an empty page, tells."""

    @property
    def knows_until(self) -> bool:
        """Whether a question can be bounded by a latest time; else it always goes up to now."""

    def orders(self, by: str) -> tuple[str, ...]:
        """Return the orders in which records that share one time can be listed; the usual one first."""

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        """Return one answer.

        Raises:
            Expired: the CRM forgot ``after``.
            Refused: the CRM does not accept the question, or goes no further with it.
        """

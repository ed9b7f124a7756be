"""What a reading yields: pages of records, and checkpoints between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


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
    """What follows is everything there is: rows that only older versions had are gone at the source.

    Attributes:
        number: of a version that an earlier run began; None to begin one.
        scope: what bounds the rows that are looked for; a later run goes on only within the same bounds.
    """

    number: int | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A complete read has yielded everything that changed up to here.

    Attributes:
        at: epoch seconds of the server's clock.
        rows: so many.
        new: so many of them were created since the last complete read.
        again: so many of them may have been counted twice, since they changed between two parts of the read.
    """

    at: int
    rows: int
    new: int
    again: int = 0


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete read is over: it found ``rows``, and so many that it should have found are ``gone``.

    Attributes:
        total: what the CRM counted when the read began; None where it did not, or in an earlier run.
    """

    rows: int
    gone: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A complete read must not go on in the next run, but begin anew.

    Attributes:
        in_vain: it found nothing out, and the next one would not either; there is time.
    """

    in_vain: bool = False


@dataclass(frozen=True, slots=True)
class ToldGone:
    """The CRM itself told which rows are gone: when each was created, in epoch seconds, None where not known."""

    created: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Told:
    """What the CRM's own log tells of changes was heeded up to here; epoch seconds, maybe long before the bookmark."""

    at: int


@dataclass(frozen=True, slots=True)
class NotShown:
    """So many records that the CRM counts were not shown; none, after some were not, where a second look is wanted.

    Attributes:
        records: so many.
        since: when that was first seen, in epoch seconds; None where that is not known.
    """

    records: int
    since: int | None


@dataclass(frozen=True, slots=True)
class Doubted:
    """What the state keeps from now on of records that were not shown, whatever becomes of this read; None: nothing."""

    kept: NotShown | None


@dataclass(frozen=True, slots=True)
class ListsKept:
    """What the state keeps from now on of the lists that the stream is read from, whatever becomes of this read.

    Attributes:
        rows: how many records each has; None for nothing.
        empty_since: since when lists are found empty that were not, in epoch seconds.
    """

    rows: Mapping[str, int] | None
    empty_since: Mapping[str, int]


Item: TypeAlias = (
    "Page | Checkpoint | NewVersion | Progress | Whole | Abandoned | ToldGone | Told | Doubted | ListsKept"
)
#: Takes what a reading has found; may block while the writer is busy. Raises ``Cancelled`` when the run ends.
Emit: TypeAlias = "Callable[[Item], None]"

"""What a reading yields: pages of records, and checkpoints between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Row(msgspec.Struct, frozen=True, gc=False):
    """What a reading needs to know of a record: its key and its times in epoch seconds (None where it has none).

    ``times`` are in the order of the listing's ``times``.
    """

    key: int | str
    times: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Records to write.

    Either ``body``, as the CRM sent it; or ``records``, already decoded.

    Attributes:
        body: a JSON array of records, or an object that has it under the name ``within``.
        keep: the positions in the body to write; None for all.
        records: all of them are written.
        within: where the body has the array; None where it is the body itself.
        rows: what whoever asked has read of each record of the body, so that nobody decodes it for that again; None
            where that is not known.
        times: the names of the fields that the rows have as ``times``.
    """

    body: bytes | None = None
    keep: Sequence[int] | None = None
    records: Sequence[dict[str, Any]] | None = None
    within: str | None = None
    rows: Sequence[Row] | None = None
    times: tuple[str, ...] = ()

    def kept(self, found: Sequence[T]) -> Sequence[T]:
        """Return of what was found, one for each record of the body, what is to be written."""
        return found if self.keep is None else [found[at] for at in self.keep]

    def decoded(self) -> Sequence[dict[str, Any]]:
        """Return the records to write; numbers with fractions are exact."""
        if self.body is None:
            return self.records or ()
        found = _DECODER.decode(self.body)
        return self.kept(found if self.within is None else found[self.within])

    def told(self, names: Iterable[str]) -> list[tuple[Row, tuple[int | None, ...]]] | None:
        """Return of each record to write its row and the times of these names, in epoch seconds.

        None where the rows do not have them all.
        """
        if self.rows is None or not set(names) <= set(self.times):
            return None
        places = [self.times.index(name) for name in names]
        if places == list(range(len(self.times))):  # just as they are
            return [(row, row.times) for row in self.kept(self.rows)]
        return [(row, tuple([row.times[place] for place in places])) for row in self.kept(self.rows)]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that changed up to here was yielded before; epoch seconds of the server's clock.

    Attributes:
        at: the second.
        is_last: a walk along a time ends here; what it passed by shows when it is over.
    """

    at: int
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class ReadBegun:
    """What follows is one read of a stream, or its second part.

    Attributes:
        at: when it began, in epoch seconds of the server's clock; maybe in an earlier run.
        complete: it brings everything there is, under a version that takes out what it does not bring.
    """

    at: int
    complete: bool = False


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
class Overtaken:
    """A complete read that an earlier run began has other bounds than this run: none may go on with it.

    What this run writes has them no more, even where the next run has the same bounds again.
    """


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


@dataclass(frozen=True, slots=True)
class HintsKept:
    """What the state keeps from now on of events; all rows that they led to were yielded before.

    Attributes:
        place: of the last event in the inbox that was heeded.
        again: the keys of records that the CRM did not clearly show or deny, each with the epoch second since when.
        said_gone: those of ``again`` that were said to be deleted, each with the place of the event that says so; that
            a search shows one is no proof.
        told: the keys of records of which an event told, and which the next run may find as changed.
        gone: the keys of records that were found deleted of late, each with the epoch second of that.
        gap: since then, in epoch seconds, events may be missing, and no other way has told yet what they said.
        inbox: the identity of the inbox that the place is of; None where an earlier version kept it.
    """

    place: int
    again: Mapping[int | str, int] = field(default_factory=dict)
    said_gone: Mapping[int | str, int] = field(default_factory=dict)
    told: tuple[int | str, ...] = ()
    gone: Mapping[int | str, int] = field(default_factory=dict)
    gap: int | None = None
    inbox: str | None = None

    def is_of_other(self, inbox: str | None) -> bool:
        """Tell whether the place is of another inbox than the one with this identity."""
        return self.inbox is not None and self.inbox != inbox


Item: TypeAlias = (
    "Page | Checkpoint | ReadBegun | NewVersion | Progress | Whole | Abandoned | Overtaken | ToldGone | Told | Doubted"
    " | ListsKept | HintsKept"
)
#: Takes what a reading has found; may block while the writer is busy. Raises ``Cancelled`` when the run ends.
Emit: TypeAlias = "Callable[[Item], None]"

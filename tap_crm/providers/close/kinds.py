"""Streams that Close spreads over several lists of one shape, and lists that need a parent's id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Page
from tap_crm.providers.close.lists import ListListing, WholeList
from tap_crm.providers.close.search import Search, SearchListing, changes_of
from tap_crm.providers.common.per_parent import PerParent, ledger_of_parents
from tap_crm.reading.offset import OffsetReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Emit, Item
    from tap_crm.providers.common.records import Record


@dataclass(frozen=True, slots=True)
class ListsOfKinds:
    """One stream from a list per kind; each record says in ``column`` which list it came from.

    A kind that the plan or the user's role does not have is left out with a note.

    Attributes:
        path: of all lists, without the kind.
        kinds: the last parts of their paths.
        column: what is added to each record.
        asked_once: returns a list that other streams need, too, so that it is asked once; None where none does.
    """

    path: str
    kinds: tuple[str, ...]
    column: str
    asked_once: Callable[[str, Reading], list[Record]] | None = None

    def read(self, reading: Reading) -> None:
        """Read the lists one after the other.

        Raises:
            Refused: Close refused the question for one of them, for another reason than a right; the others are read.
        """
        hidden: list[errors.ReadError] = []
        refused: errors.Refused | None = None
        for kind in self.kinds:
            try:
                self._read_kind(reading, kind)
            except (errors.Forbidden, errors.NotThere) as error:
                hidden.append(error)
                reading.ledger.gap(f"{self.column} {kind} is not readable with this key")
            except errors.Refused as error:
                refused = refused or error
        if refused is not None:
            raise refused
        if len(hidden) == len(self.kinds):
            raise hidden[0]

    def _read_kind(self, reading: Reading, kind: str) -> None:
        def emit(records: Sequence[Record]) -> None:
            if records:  # they are counted where they are read
                reading.emit(Page(records=[{**record, self.column: kind} for record in records]))

        if self.asked_once is not None:
            records = self.asked_once(kind, reading)
            emit(records)
            reading.lists.note(kind, len(records))
            return
        listing = ListListing(reading, f"{self.path}{kind}/", label=f"{reading.spec.name} of {kind}")

        def take(item: Item) -> None:
            emit(item.decoded() if isinstance(item, Page) else ())

        lists = reading.lists
        is_short = partial(lists.is_short, name=kind)
        reader = OffsetReader(listing, take, reading.ledger, lists.is_doubtful(kind), is_short=is_short)
        reader.read()
        lists.note(kind, len(reader.keys))

    def probe(self, reading: Reading) -> None:
        """Ask for the lists until one is given; one that was just asked for is not asked for again."""
        refused: errors.FinalWord | None = None
        for kind in self.kinds:
            try:
                self._probe_kind(reading, kind)
            except (errors.Forbidden, errors.NotThere, errors.Refused) as error:
                refused = refused or error
            else:
                return
        if refused is not None:
            raise refused

    def _probe_kind(self, reading: Reading, kind: str) -> None:
        if self.asked_once is not None:
            self.asked_once(kind, reading)
        else:
            ListListing(reading, f"{self.path}{kind}/").ask_from(0)


def per_parent(path: str, parameter: str, parents: str) -> PerParent[str]:
    """Return what reads a list that needs a parent's id.

    Args:
        path: of the children.
        parameter: that takes the parent's id.
        parents: the path of the list of parents.
    """

    def children(reading: Reading, parent: str) -> Sequence[Record]:
        rows = _read_list(reading, path, {parameter: parent}, doubtful=reading.lists.is_doubtful(parent))
        reading.lists.note(parent, rows, is_guarded=False)
        return ()

    return PerParent(listed(parents), children, WholeList(parents).probe)


def listed(path: str) -> Callable[[Reading, Callable[[Iterable[str]], None]], None]:
    """Return what reads the keys of parents from their list."""

    def read(reading: Reading, take: Callable[[Iterable[str]], None]) -> None:
        with ledger_of_parents(reading, path) as found:
            OffsetReader(ListListing(reading, path), _keys_to(take), found, confirm_empty=True).read()

    return read


def per_lead(path: str, parameter: str) -> PerParent[str]:
    """Return what reads a list that needs a lead's id.

    Most leads have no children: an empty answer is believed at once, since each run asks anew.
    """

    def children(reading: Reading, lead: str) -> Sequence[Record]:
        _read_list(reading, path, {parameter: lead}, doubtful=False)
        return ()

    def read(reading: Reading, take: Callable[[Iterable[str]], None]) -> None:
        with ledger_of_parents(reading, "leads") as found:
            listing = SearchListing(reading, "lead", ("id", "date_updated", "date_created"))
            changes_of(listing, reading, _keys_to(take), found).read(None)

    return PerParent(read, children, Search("lead", ("id",)).probe, cost="lead")


def _read_list(reading: Reading, path: str, params: dict[str, str | int], *, doubtful: bool) -> int:
    """Read a list; returns how many records it gave."""
    reader = OffsetReader(ListListing(reading, path, params=params), reading.emit, reading.ledger, doubtful)
    reader.read()
    return len(reader.keys)


def _keys_to(take: Callable[[Iterable[str]], None]) -> Emit:
    """Return an emit that hands on the keys of what it is given."""

    def emit(item: Item) -> None:
        if isinstance(item, Page) and item.rows is not None:
            take(str(row.key) for row in item.kept(item.rows))

    return emit

"""Streams that Close spreads over several lists of one shape, and lists that need a parent's id."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.providers.close.lists import ListListing
from tap_crm.providers.close.organization import decoded
from tap_crm.providers.close.search import SearchListing
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.reading.offset import OffsetReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from tap_crm.contract.stream import Reading, Source
    from tap_crm.messages import Emit, Item
    from tap_crm.providers.close.organization import Record

_log = logging.getLogger("tap-crm.close")

#: Children that may be asked for before the next page of parents: bounds the memory.
PARENTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ListsOfKinds:
    """One stream from a list per kind; each record says in ``column`` which list it came from.

    A kind that the plan or the user's role does not have is left out with a note.

    Attributes:
        path: of all lists, without the kind.
        kinds: the last parts of their paths.
        column: what is added to each record.
        shared: returns a list that other streams need, too, so that it is asked once; None where none does.
    """

    path: str
    kinds: tuple[str, ...]
    column: str
    shared: Callable[[str, Reading], list[Record]] | None = None

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
        def emit(records: list[Record]) -> None:
            if records:  # they are counted where they are read
                reading.emit(Page(records=[{**record, self.column: kind} for record in records]))

        if self.shared is not None:
            records = self.shared(kind, reading)
            emit(records)
            reading.lists.note(kind, len(records))
            return
        listing = ListListing(reading, f"{self.path}{kind}/", label=f"{reading.spec.name} of {kind}")
        reader = OffsetReader(
            listing, lambda item: emit(decoded(item)), reading.ledger, reading.lists.is_doubtful(kind)
        )
        reader.read()
        reading.lists.note(kind, len(reader.keys))

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
        if self.shared is not None:
            self.shared(kind, reading)
        else:
            ListListing(reading, f"{self.path}{kind}/").ask_from(0)


@dataclass(frozen=True, slots=True)
class PerParent:
    """A list that needs a parent's id: a request for each parent.

    Attributes:
        path: of the children.
        parameter: that takes the parent's id.
        parents: emits pages of the parents.
        source: shows whether the parents may be read.
        is_sparse: most parents have no children: an empty answer is then believed at once, since each run asks anew.
    """

    path: str
    parameter: str
    parents: Callable[[Reading, Emit], None]
    source: Source
    is_sparse: bool = False

    def read(self, reading: Reading) -> None:
        """Walk the parents and ask for the children of each, some at a time, as the parents come."""
        known: set[str] = set()
        with ThreadPoolExecutor(max(2, reading.lanes), thread_name_prefix=reading.spec.name) as pool:

            def take(item: Item) -> None:
                new = [key for record in decoded(item) if (key := str(record["id"])) not in known]
                known.update(new)
                for start in range(0, len(new), PARENTS_AT_ONCE):
                    self._read_children(reading, new[start : start + PARENTS_AT_ONCE], pool)

            self.parents(reading, take)

    def _read_children(self, reading: Reading, parents: list[str], pool: ThreadPoolExecutor) -> None:
        running: list[Future[None]] = [pool.submit(self._read_one, reading, parent) for parent in parents]
        try:
            for future in running:
                future.result()
        except BaseException:
            for future in running:
                future.cancel()
            raise

    def _read_one(self, reading: Reading, parent: str) -> None:
        listing = ListListing(reading, self.path, params={self.parameter: parent})
        try:
            doubtful = not self.is_sparse and reading.lists.is_doubtful(parent)
            reader = OffsetReader(listing, reading.emit, reading.ledger, doubtful)
            reader.read()
        except errors.NotThere:
            return  # the parent was deleted since it was listed
        if not self.is_sparse:
            reading.lists.note(parent, len(reader.keys), is_guarded=False)

    def probe(self, reading: Reading) -> None:
        """Ask for the parents: without them there is nothing to ask with."""
        self.source.probe(reading)


def listed(path: str) -> Callable[[Reading, Emit], None]:
    """Return what reads the parents from a list."""

    def read(reading: Reading, emit: Emit) -> None:
        found = Ledger()
        OffsetReader(ListListing(reading, path), emit, found, confirm_empty=True).read()
        reading.ledger.add(unexplained=found.unexplained)

    return read


def all_leads(reading: Reading, emit: Emit) -> None:
    """Read every lead's id."""
    _log.warning("%s: costs a request for each lead", reading.spec.name)
    listing = SearchListing(reading, "lead", ("id", "date_updated", "date_created"))
    found = Ledger()
    KeysetChanges(
        listing,
        by="date_updated",
        along="date_updated",
        emit=emit,
        ledger=found,
        splits=("date_created",),
        settles=reading.concludes,
        index_lag=reading.settings.overlap_seconds,
    ).read(None)
    for gap in found.gaps:
        reading.ledger.gap(f"leads: {gap}")
    reading.ledger.add(unexplained=found.unexplained)

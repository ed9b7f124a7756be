"""What a poll finds, held against what events told: of how many changes no event told."""

from __future__ import annotations

import threading
from array import array
from typing import TYPE_CHECKING

from tap_crm.messages import Checkpoint, Page
from tap_crm.shaping.moments import to_epoch
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.sync.row_count import distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tap_crm.contract.hints import Key
    from tap_crm.contract.stream import StreamSpec
    from tap_crm.messages import Emit, Item

_MODULUS = 2**64


def changes_in(page: Page, spec: StreamSpec) -> Iterator[tuple[Key, int | None, int | None, bool]]:
    """Yield of each record of a page its key, when it changed, what its bookmark follows, and whether it is deleted."""
    names = [spec.changed or spec.replication_key or "", spec.replication_key or ""]
    told = page.told(names)
    if told is not None:
        for row, (changed, by) in told:
            yield row.key, changed, by, False
        return
    for record in page.decoded():
        changed, by = (to_epoch(record.get(name)) for name in names)
        yield record[spec.primary_key[0]], changed, by, record.get(DELETED_AT) is not None


class Missed:
    """Watches the pages of a poll; may be called from several threads.

    Args:
        spec: the stream.
        told: the keys of records of which events told, in this run or shortly before it.
        gone: the keys of records that were found deleted of late.
        bookmark: epoch seconds up to which an earlier run read: what changed before is only read again.
        due: returns up to which second events should have come.

    Attributes:
        shown_again: those of ``gone`` that the poll, or a complete read, shows all the same.
        told_gone: the keys of records that the poll itself tells to be deleted.
    """

    def __init__(
        self,
        spec: StreamSpec,
        told: Collection[Key],
        gone: Collection[Key],
        bookmark: int,
        due: Callable[[], float],
    ) -> None:
        self._spec, self._told, self._gone, self._bookmark, self._due = spec, told, gone, bookmark, due
        self._missed = array("Q")
        self._late: dict[Key, int] = {}
        self._complete: int | None = None
        self._lock = threading.Lock()
        self.shown_again: set[Key] = set()
        self.told_gone: set[Key] = set()

    def watching(self, emit: Emit) -> Emit:
        """Return an emit that minds what goes through it."""

        def watch(item: Item) -> None:
            if isinstance(item, Page):
                self.note(item)
            elif isinstance(item, Checkpoint):
                with self._lock:
                    self._complete = max(item.at, self._complete or item.at)
            emit(item)

        return watch

    def note(self, page: Page, *, is_poll: bool = True) -> None:
        """Mind the records of a page; those that events had read are not missed."""
        due = self._due()
        with self._lock:
            for key, changed, _, is_deleted in changes_in(page, self._spec):
                if is_deleted:
                    if is_poll:
                        self.told_gone.add(key)
                    continue
                if is_poll and key in self._gone:
                    self.shown_again.add(key)
                if changed is None or changed <= self._bookmark:
                    continue
                if key in self._told:
                    self._late[key] = max(changed, self._late.get(key, changed))
                elif is_poll and changed <= due:
                    self._missed.append(hash(key) % _MODULUS)

    def note_shown(self, page: Page) -> None:
        """Mind which records a page shows though they were found deleted."""
        with self._lock:
            shown = (key for key, _, _, is_deleted in changes_in(page, self._spec) if not is_deleted)
            self.shown_again.update(key for key in shown if key in self._gone)

    @property
    def missed(self) -> int:
        """How many records have changed of which events should have told, and did not."""
        with self._lock:
            return distinct(self._missed)

    def told_early(self) -> list[Key]:
        """Return the keys of records that the next run finds as changed, and of which an event has told already."""
        with self._lock:
            complete = self._complete
            return [key for key, changed in self._late.items() if complete is None or changed > complete]

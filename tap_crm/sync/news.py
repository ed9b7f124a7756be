"""Counts which of the records that a run writes are new since the last one, and which have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.messages import Page, ReadBegun
from tap_crm.shaping.moments import to_epoch
from tap_crm.shaping.schema import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item


class News:
    """Holds the times of records against the bookmark; what a complete read beside it shows again is not counted.

    Args:
        spec: the stream.
        ledger: where it is counted.
        bookmark: epoch seconds up to which an earlier run read everything; None for a stream without one.
        is_first: no earlier run has read the stream to an end.
    """

    def __init__(self, spec: StreamSpec, ledger: Ledger, bookmark: int | None, *, is_first: bool) -> None:
        self._ledger, self._bookmark = ledger, bookmark
        self._names = (spec.created or "", spec.replication_key or "")
        self._is_told = not is_first and bookmark is not None and all(self._names)
        ledger.is_first, ledger.tells_news = is_first, self._is_told

    def counting(self, emit: Emit) -> Emit:
        """Return an emit that counts what passes."""
        if not self._is_told:
            return emit
        counts = True

        def count(item: Item) -> None:
            nonlocal counts
            if isinstance(item, ReadBegun) and item.complete:
                counts = False
            elif counts and isinstance(item, Page):
                self._note(item)
            emit(item)

        return count

    def _note(self, page: Page) -> None:
        known_to = self._bookmark or 0
        new = changed = 0
        for created, at in self._times(page):
            if created is not None and created > known_to:
                new += 1
            elif at is not None and at > known_to:
                changed += 1
        self._ledger.add(new=new, changed=changed)

    def _times(self, page: Page) -> Iterator[tuple[int | None, int | None]]:
        """Yield when each record was created, and changed."""
        told = page.told(self._names)
        if told is not None:
            yield from ((created, at) for _, (created, at) in told)
            return
        records: Iterable[dict[str, object]] = page.decoded()
        for record in records:
            if record.get(DELETED_AT) is None:
                created, at = (to_epoch(record.get(name)) for name in self._names)
                yield created, at

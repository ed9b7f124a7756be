"""Keeps bookmarks behind what was seen, where no answer tells the server's time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_crm.messages import Checkpoint, Page
from tap_crm.shaping.moments import to_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.messages import Emit, Item
    from tap_crm.transport.clock import ServerClock


class Undated:
    """Holds checkpoints against the newest record, while only this machine's clock tells the present.

    That clock may be ahead: then the CRM will yet date changes before a checkpoint that follows it. What was seen
    is dated by the CRM itself.

    Args:
        spec: the stream.
        clock: tells whether any answer was dated.
        bookmark: epoch seconds up to which an earlier run read; None on a first run.
    """

    def __init__(self, spec: StreamSpec, clock: ServerClock, bookmark: int | None) -> None:
        self._clock = clock
        self._newest = bookmark
        self._lock = threading.Lock()
        self._by = spec.replication_key

    def minding(self, emit: Emit) -> Emit:
        """Return an emit whose checkpoints go no further than the newest record; as they come if answers are dated."""
        if self._by is None:
            return emit

        def mind(item: Item) -> None:
            if isinstance(item, Page) and not self._clock.is_told:
                self._note(item)
            elif isinstance(item, Checkpoint) and not self._clock.is_told:
                with self._lock:
                    newest = self._newest
                if newest is None:
                    return
                item = Checkpoint(min(item.at, newest))
            emit(item)

        return mind

    def _note(self, page: Page) -> None:
        """Remember the newest change time that is not in the future."""
        now = self._clock.now()
        known = [at for at in self._times(page) if at is not None and at <= now]
        with self._lock:
            self._newest = max([*known, *([] if self._newest is None else [self._newest])], default=None)

    def _times(self, page: Page) -> Iterable[int | None]:
        name = self._by or ""
        told = page.told([name])
        if told is not None:
            return (at for _, (at,) in told)
        return (to_epoch(record.get(name)) for record in page.decoded())

"""Keeps what arrives at the same time in one commit, so that the disk is waited for once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tap_crm.inbox.spool import SpoolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.inbox.entries import Delivery
    from tap_crm.inbox.spool import Spool

#: What one commit holds at most.
MOST_DELIVERIES, MOST_BYTES = 500, 16 * 1024 * 1024
#: What may wait for a commit; more is refused, which tells the CRM to come again.
MOST_WAITING_BYTES = 64 * 1024 * 1024


class GroupCommit:
    """Keeps deliveries in a spool, from a thread of its own.

    What cannot be kept is lost unless the CRM sends it again: when the spool can be written again, a gap is noted.

    Args:
        spool: an open one.
        retried_for: seconds for which a CRM sends again what it got no 2xx for.
        now: returns the time in UTC.
    """

    def __init__(
        self,
        spool: Spool,
        retried_for: Callable[[str], int],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._spool = spool
        self._retried_for = retried_for
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._waiting: list[tuple[Delivery, asyncio.Future[None]]] = []
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._missed: dict[str, datetime] = {}
        #: Why the last commit failed; None if it did not.
        self.failure: str | None = None
        #: Deliveries that could not be kept.
        self.unkept = 0

    async def keep(self, delivery: Delivery) -> None:
        """Return when a delivery is kept, durably.

        Raises:
            SpoolError: it is not, or nobody knows.
        """
        size = len(delivery.body)
        if self._bytes + size > MOST_WAITING_BYTES:
            self._miss([delivery])
            raise SpoolError("the inbox cannot be written as fast as events arrive")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, done))
        self._bytes += size
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_all())
        await done

    async def settle(self) -> None:
        """Wait until nothing waits, and end the thread."""
        while self._task is not None and not self._task.done():
            await self._task
        self._thread.shutdown()

    async def note_gaps(self) -> None:
        """Note since when deliveries of a CRM are missing that could not be kept, if the spool can be written now."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._note_gaps)

    async def _commit_all(self) -> None:
        while self._waiting:
            batch = self._batch()
            deliveries = [delivery for delivery, _ in batch]
            failure: SpoolError | None = None
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._append, deliveries)
            except SpoolError as error:
                failure = error
                self._miss(deliveries)
            except Exception as error:  # noqa: BLE001 - whoever waits must be told
                failure = SpoolError(f"the inbox cannot be written: {type(error).__name__}")
                self._miss(deliveries)
            self.failure = None if failure is None else str(failure)
            self._bytes -= sum(len(one.body) for one in deliveries)
            for _, done in batch:
                if done.done():  # the request was given up
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(SpoolError(str(failure)))

    def _batch(self) -> list[tuple[Delivery, asyncio.Future[None]]]:
        count, size = 0, 0
        for delivery, _ in self._waiting[:MOST_DELIVERIES]:
            size += len(delivery.body)
            if count and size > MOST_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _append(self, deliveries: list[Delivery]) -> None:
        self._spool.append(deliveries)
        self._note_gaps()

    def _miss(self, deliveries: list[Delivery]) -> None:
        self.unkept += len(deliveries)
        for delivery in deliveries:
            self._missed.setdefault(delivery.provider, delivery.received_at)

    def _note_gaps(self) -> None:
        """Runs in the thread, one at a time."""
        for provider in list(self._missed):
            since = self._missed.pop(provider)  # before it is noted: what is missed meanwhile has a note of its own
            try:
                if (self._now() - since).total_seconds() >= self._retried_for(provider):
                    self._spool.note_gap(provider, since, "the inbox could not be written")
            except SpoolError:
                self._missed[provider] = since  # the deliveries themselves were kept; the note is tried again

"""What the receiver does with a request: proof, durable append, then 200; and what it does between requests."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_crm.contract.events import Proven, Request
from tap_crm.inbox.alarms import alarms_of
from tap_crm.inbox.entries import Delivery
from tap_crm.inbox.group_commit import GroupCommit
from tap_crm.inbox.keys import Keys
from tap_crm.inbox.spool import SpoolError
from tap_crm.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from tap_crm.contract.events import EventRules
    from tap_crm.inbox.settings import InboxSettings
    from tap_crm.inbox.spool import Spool

MOST_BYTES = 5 * 1024 * 1024
#: How long a sender may take for a body.
BODY_SECONDS = 20.0
#: How often the receiver notes that it runs; after how many seconds without such a note deliveries may be missing.
BEAT_SECONDS, GAP_SECONDS = 10.0, 60.0
#: How often used events are removed; for how long an answer to `/health` is used again.
RETENTION_SECONDS, HEALTH_SECONDS = 600.0, 1.0
#: How often the same trouble is told again.
TELL_SECONDS = 60.0
UNKNOWN = "unknown"

_log = logging.getLogger("tap-crm.inbox")


class Receiver:
    """Takes events of all CRMs into one spool.

    Args:
        settings: of the inbox.
        spool: an open one.
        now: returns epoch seconds.
        clock: returns seconds that never go back.
    """

    def __init__(
        self,
        settings: InboxSettings,
        spool: Spool,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._now, self._clock = now, clock
        self._keys = Keys(spool, settings.signature_key, clock)
        self._commits = GroupCommit(spool, _retried_for, self._moment)
        self._refused: Counter[str] = Counter()
        self._told: dict[str, float] = {}
        self._health: tuple[float, bool, dict[str, Any]] | None = None
        self._retained_at: float | None = None
        self._beats: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Note since when deliveries may be missing, and go on noting that the receiver runs."""
        await self._try(self._note_downtime)
        self._beats = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Keep what was accepted, and the counts."""
        if self._beats is not None:
            self._beats.cancel()
            await asyncio.gather(self._beats, return_exceptions=True)
        await self._commits.settle()
        await self._count_refused()
        await self._try(self._spool.come_alive)

    # A request

    def _rules_of(self, path: str) -> tuple[str, EventRules | None]:
        """Return the CRM that a path names; no rules where it does not end in a CRM's name and the token."""
        parts = path.strip("/").split("/")
        name, token = parts[-2:] if len(parts) > 1 else ("", "")
        is_token = hmac.compare_digest(token.encode(), self._settings.token.encode())
        provider = PROVIDERS.get(name)
        return (name, provider.events) if provider is not None and is_token else (UNKNOWN, None)

    async def receive(self, path: str, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> int:
        """Keep an event; return the answer's status.

        Args:
            path: of the request.
            headers: by their names in small letters.
            body: the parts of the raw body; read only where it may prove to be the CRM's.
        """
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MOST_BYTES:
            return 413
        name, rules = self._rules_of(path)
        if rules is None or not rules.may_prove(Request(headers, b"", self._settings.token, (), self._now())):
            return self._refuse(name)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                content = await _whole(body)
        except TimeoutError:
            return 408
        if content is None:
            return 413
        return await self._keep(name, rules, headers, content)

    async def _keep(self, name: str, rules: EventRules, headers: Mapping[str, str], body: bytes) -> int:
        try:
            proven = await self._prove(name, rules, headers, body)
            if proven is None:
                return self._refuse(name)
            await self._commits.keep(Delivery(name, body, self._moment(), stale=proven.stale))
        except SpoolError as error:
            self._tell(f"an event of {name} was not kept, and answered by 503: {error}")
            return 503
        return 200

    async def _prove(self, name: str, rules: EventRules, headers: Mapping[str, str], body: bytes) -> Proven | None:
        keys = self._keys.fresh(name)
        if keys is None:
            keys = await asyncio.to_thread(self._keys.read, name)
        request = Request(headers, body, self._settings.token, keys, self._now())
        if proven := rules.prove(request):
            return proven
        # Another process may just have made a subscription.
        keys = await asyncio.to_thread(self._keys.read, name)
        return None if keys == request.keys else rules.prove(replace(request, keys=keys))

    def _refuse(self, name: str) -> int:
        self._refused[name] += 1
        return 401

    # What is told

    async def health(self) -> tuple[int, dict[str, Any]]:
        """Return the status and the content of the answer to `/health`: counts, and no data."""
        now = self._clock()
        if self._health is None or now - self._health[0] >= HEALTH_SECONDS:
            try:
                found = await asyncio.to_thread(self._look)
                self._health = now, True, found
            except SpoolError as error:
                self._health = now, False, {"status": "failed", "alarms": [str(error)]}
        _, is_readable, content = self._health
        return (200 if is_readable else 503), content

    def _look(self) -> dict[str, Any]:
        alarms = alarms_of(self._spool, self._settings)
        if self._commits.failure is not None:
            alarms.append(self._commits.failure)
        counters = self._spool.counters()
        counters["refused"] += self._refused.total()
        counters["unkept"] = self._commits.unkept
        return {"status": "alarm" if alarms else "ok", "alarms": alarms, "counters": counters}

    def _tell(self, line: str, about: str | None = None) -> None:
        """Log a line, the same at most once a minute."""
        now = self._clock()
        last = self._told.get(about or line)
        if last is None or now - last >= TELL_SECONDS:
            self._told = {key: at for key, at in self._told.items() if now - at < TELL_SECONDS} | {about or line: now}
            _log.warning("%s", line)

    # Between requests

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.look_after()

    async def look_after(self) -> None:
        """Note that the receiver runs, what was refused, and gaps; remove what was used; tell alarms."""
        await self._try(self._spool.come_alive)
        await self._count_refused()
        await self._commits.note_gaps()
        if self._retained_at is None or self._clock() - self._retained_at >= RETENTION_SECONDS:
            self._retained_at = self._clock()
            await self._try(self._retain)

    def _note_downtime(self) -> None:
        before = self._spool.come_alive()
        if before is None:
            return
        away = (self._moment() - before).total_seconds()
        for provider in self._spool.providers():
            if provider in PROVIDERS and away > max(GAP_SECONDS, _retried_for(provider)):
                self._spool.note_gap(provider, before, "no receiver ran")
                _log.warning("%s: no receiver ran for %d seconds; deliveries may be missing", provider, away)

    async def _count_refused(self) -> None:
        counts, self._refused = self._refused, Counter()
        for provider, count in counts.items():
            line = f"requests that did not prove to be the CRM's were refused ({provider}): {count}"
            self._tell(line, f"refused {provider}")
            if not await self._try(partial(self._spool.count_refused, provider, count)):
                self._refused[provider] += count

    def _retain(self) -> None:
        self._spool.retain(self._settings.keep_days, self._settings.keep_bytes)
        for alarm in alarms_of(self._spool, self._settings):
            _log.warning("%s", alarm)

    async def _try(self, act: Callable[[], object]) -> bool:
        try:
            await asyncio.to_thread(act)
        except SpoolError as error:
            self._tell(str(error))
            return False
        return True

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


async def _whole(body: AsyncIterator[bytes]) -> bytes | None:
    """Return a body; None if it is too large, as soon as that is known."""
    parts, size = [], 0
    async for part in body:
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _retried_for(provider: str) -> int:
    known = PROVIDERS.get(provider)
    return known.events.retried_for if known is not None and known.events is not None else 0

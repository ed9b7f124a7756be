"""What the CRMs sent, kept until a target has confirmed its use: durable when ``append`` returns, in order of arrival.

Places rise strictly and are never given twice: not after events were removed, not after the inbox was made anew or
restored from a copy. Whoever appends holds a lock until its commit, so an event is never seen before one of a lower
place: a reader that goes on after the last place it saw passes none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tap_crm.inbox.database import REPLACED, FileReplacedError, SpoolDatabase, SpoolError
from tap_crm.inbox.entries import Event, Subscription
from tap_crm.inbox.tables import EVENTS, IDENTITIES, PLACES, PROVIDERS, SUBSCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_crm.inbox.entries import Delivery

DELIVERY, GAP = "delivery", "gap"
#: How much one answer of ``read`` holds at most, but for a single event.
MOST_BYTES = 16 * 1024 * 1024
_SECOND = 1_000_000
_START = datetime(1970, 1, 1, tzinfo=UTC)

__all__ = ["DELIVERY", "GAP", "Spool", "SpoolError"]


class Spool:
    """An open inbox: one object for a process, usable by all its threads; any number of processes at once.

    Args:
        database: an open one.
        now: returns the time in UTC.

    Raises:
        SpoolError: by any method; the line says why, and shows no address.
    """

    def __init__(self, database: SpoolDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        #: When the file was last known to be there, and whose deliveries came: for what is noted where it was lost.
        self._seen_at = now()
        self._heard: set[str] = set()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pragmas: Sequence[str] = (),
        makes: bool = True,
    ) -> Self:
        """Open an inbox.

        Args:
            url: a SQLite file's path, or a URL of PostgreSQL.
            now: returns the time in UTC.
            pragmas: further settings of SQLite, such as `max_page_count=1000`, which limits the file's size.
            makes: whether a file that is not there is made; who only reads would hear of no event, and not know why.

        Raises:
            ConfigError: it cannot be opened; the line shows no URL, which holds a password.
        """
        spool = cls(SpoolDatabase(url, pragmas, makes=makes), now)
        if makes:  # who only reads leaves it to the receiver
            spool._database.when_replaced = spool._note_loss
        return spool

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def identity(self) -> str:
        """Return what tells this inbox from one that is made anew in its place."""
        with self._database.transaction(writes=False) as connection:
            return str(connection.execute(sa.select(IDENTITIES.c.identity)).scalar_one())

    # What arrives

    def append(self, deliveries: Sequence[Delivery]) -> int:
        """Keep deliveries, all in one commit, durable before it returns; return the last place."""
        rows = [
            {
                "provider": one.provider,
                "kind": DELIVERY,
                "received_at": _micros(one.received_at),
                "stale": one.stale,
                "size": len(one.body),
                "body": one.body,
            }
            for one in deliveries
        ]
        return self._append(rows)

    def note_gap(self, provider: str, since: datetime, reason: str) -> int:
        """Note that deliveries may be missing since a time; return the place of the note."""
        body = since.astimezone(UTC).isoformat().encode()
        row = {"provider": provider, "kind": GAP, "stale": False, "size": len(body), "body": body, "reason": reason}
        return self._append([{**row, "received_at": _micros(self._now())}])

    def count_refused(self, provider: str, count: int) -> None:
        """Count what came without proof, of which nothing is kept."""
        with self._database.transaction() as connection:
            self._add(connection, provider, {"refused": count})

    def come_alive(self) -> datetime | None:
        """Note that a receiver runs now; return when one was last known to, None if none ever did."""
        with self._database.transaction() as connection:
            before = connection.execute(sa.select(PLACES.c.alive_at).with_for_update()).scalar_one()
            connection.execute(PLACES.update().values(alive_at=_micros(self._now())))
        self._seen_at = self._now()
        return None if before is None else _moment(before)

    def _append(self, rows: list[dict[str, Any]]) -> int:
        self._heard |= {row["provider"] for row in rows}
        try:
            last = self._append_once(rows)
        except FileReplacedError:  # once more: Copper sends nothing again
            last = self._append_once(rows)
        self._seen_at = self._now()
        return last

    def _append_once(self, rows: list[dict[str, Any]]) -> int:
        with self._database.transaction() as connection:
            # The row's lock is held until the commit: who comes later gets a higher place, and commits later.
            last = connection.execute(sa.select(PLACES.c.last).with_for_update()).scalar_one()
            if not rows:
                return int(last)
            first = max(int(last) + 1, _micros(self._now()))
            for place, row in enumerate(rows, first):
                row["place"] = place
                row.setdefault("reason", None)
            connection.execute(PLACES.update().values(last=rows[-1]["place"]))
            connection.execute(EVENTS.insert(), rows)
            for provider in sorted({row["provider"] for row in rows}):
                own = [row for row in rows if row["provider"] == provider]
                counts = {
                    "received": sum(row["kind"] == DELIVERY for row in own),
                    "gaps": sum(row["kind"] == GAP for row in own),
                    "stale": sum(row["stale"] for row in own),
                    "bytes": sum(row["size"] for row in own),
                }
                self._add(connection, provider, counts, newest=own[-1]["place"])
        return int(rows[-1]["place"])

    def _note_loss(self, lost: Sequence[sa.Row[Any]]) -> None:
        """Note that what waited in a file is lost, and keep the subscriptions that it had.

        Args:
            lost: the rows of these subscriptions.
        """
        seen_at, alive_at = self._seen_at, self.come_alive()  # of a file that came back from elsewhere
        since = seen_at if alive_at is None else min(seen_at, alive_at)
        known = {one.id for provider in self.providers() for one in self.subscriptions(provider)}
        for row in lost:
            if row.id not in known:
                self.remember(_subscription(row))
        for provider in sorted({*self._heard, *self.providers()}):
            self.note_gap(provider, since, REPLACED)

    # What is used

    def read(self, provider: str, after: int, limit: int) -> list[Event]:
        """Return the events of a CRM after a place, in order; only an empty list means that there are no more.

        Args:
            provider: the CRM.
            after: the place of the last one that was read; 0 for all.
            limit: how many at most; fewer where they are large.
        """
        mine = (EVENTS.c.provider == provider) & (EVENTS.c.place > after)
        sizes = sa.select(EVENTS.c.place, EVENTS.c.size).where(mine).order_by(EVENTS.c.place).limit(limit)
        with self._database.transaction(writes=False) as connection:
            upto, total = after, 0
            for place, size in connection.execute(sizes):
                total += size
                if total > MOST_BYTES and upto > after:
                    break
                upto = place
            found = connection.execute(sa.select(EVENTS).where(mine, EVENTS.c.place <= upto).order_by(EVENTS.c.place))
            return [
                Event(row.place, row.provider, row.kind, _moment(row.received_at), bytes(row.body), row.stale)
                for row in found
            ]

    def newest(self, provider: str) -> int:
        """Return the place of a CRM's last event; 0 if nothing ever came."""
        return self._provider(provider)["newest"]

    def removed(self, provider: str) -> int:
        """Return the place of the last event of a CRM that was removed: a reader that stood before it missed some."""
        return self._provider(provider)["removed"]

    def confirm(self, provider: str, place: int) -> None:
        """Note that a target has confirmed a STATE with this place: events up to here may be removed."""
        with self._database.transaction() as connection:
            self._add(connection, provider, {})
            # A place that this inbox never gave must not free what comes later.
            reached = sa.case((PROVIDERS.c.newest < place, PROVIDERS.c.newest), else_=place)
            is_it = (PROVIDERS.c.provider == provider) & (PROVIDERS.c.confirmed < place)
            connection.execute(PROVIDERS.update().where(is_it).values(confirmed=reached))

    # What is removed

    def retain(self, days: float, most_bytes: int, at_once: int = 500) -> int:
        """Remove used events that are older than some days, and the oldest used ones beyond a size.

        An event that was not used is never removed.

        Args:
            days: how long used events are kept.
            most_bytes: how much the bodies of a CRM's events may take before used ones go earlier.
            at_once: how many are removed in one transaction, which keeps appends waiting.

        Returns:
            How many were removed.
        """
        before = _micros(self._now() - timedelta(days=days))
        removed = 0
        for provider in self.providers():
            while done := self._remove(provider, before, most_bytes, at_once):
                removed += done
        return removed

    def _remove(self, provider: str, before: int, most_bytes: int, at_once: int) -> int:
        with self._database.transaction() as connection:
            row = connection.execute(
                sa.select(PROVIDERS).where(PROVIDERS.c.provider == provider).with_for_update()
            ).one()
            used = (EVENTS.c.provider == provider) & (EVENTS.c.place <= row.confirmed)
            asked = sa.select(EVENTS.c.place, EVENTS.c.size, EVENTS.c.received_at).where(used)
            kept, last, count = row.bytes, row.removed, 0
            for place, size, received_at in connection.execute(asked.order_by(EVENTS.c.place).limit(at_once)):
                if received_at >= before and kept <= most_bytes:
                    break
                kept, last, count = kept - size, place, count + 1
            if count:
                connection.execute(EVENTS.delete().where(EVENTS.c.provider == provider, EVENTS.c.place <= last))
                values = {"bytes": kept, "removed": last}
                connection.execute(PROVIDERS.update().where(PROVIDERS.c.provider == provider).values(values))
        return count

    # Subscriptions

    def subscriptions(self, provider: str) -> list[Subscription]:
        """Return the subscriptions of a CRM that were made by us, the oldest first."""
        mine = sa.select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.provider == provider)
        with self._database.transaction(writes=False) as connection:
            rows = connection.execute(mine.order_by(SUBSCRIPTIONS.c.made_at, SUBSCRIPTIONS.c.id)).all()
        return [_subscription(row) for row in rows]

    def remember(self, subscription: Subscription) -> None:
        """Keep a subscription, durable before it returns; one of the same id is replaced."""
        key = {"provider": subscription.provider, "id": subscription.id}
        values = {
            "what": subscription.what,
            "signature_key": subscription.signature_key,
            "made_at": _micros(subscription.made_at),
            "target": subscription.target,
        }
        with self._database.transaction() as connection:
            insert = self._insert(SUBSCRIPTIONS).values({**key, **values})
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    def forget(self, provider: str, id: str) -> None:  # noqa: A002 - what the CRM calls it
        """Keep a subscription no longer."""
        is_it = (SUBSCRIPTIONS.c.provider == provider) & (SUBSCRIPTIONS.c.id == id)
        with self._database.transaction() as connection:
            connection.execute(SUBSCRIPTIONS.delete().where(is_it))

    # What is told

    def counters(self, provider: str | None = None) -> dict[str, int]:
        """Return counts, of one CRM or of all.

        ``received``, ``stale``, ``gaps`` and ``refused`` are counts since the inbox was made; ``waiting`` events were
        not used yet, the oldest of them for ``oldest_waiting_seconds``; ``kept`` events take ``bytes``.
        """
        mine = sa.true() if provider is None else PROVIDERS.c.provider == provider
        own = sa.true() if provider is None else EVENTS.c.provider == provider
        names = ("received", "stale", "gaps", "refused", "bytes")
        sums = [sa.func.coalesce(sa.func.sum(PROVIDERS.c[name]), 0).label(name) for name in names]
        unused = EVENTS.join(PROVIDERS, EVENTS.c.provider == PROVIDERS.c.provider)
        waits = sa.select(sa.func.count(), sa.func.min(EVENTS.c.received_at)).select_from(unused)
        with self._database.transaction(writes=False) as connection:
            found = dict(connection.execute(sa.select(*sums).where(mine)).one()._mapping)  # noqa: SLF001 - its documented name
            waiting, oldest = connection.execute(waits.where(own, EVENTS.c.place > PROVIDERS.c.confirmed)).one()
            kept = connection.execute(sa.select(sa.func.count()).select_from(EVENTS).where(own)).scalar_one()
        age = 0 if oldest is None else max(0, (_micros(self._now()) - oldest) // _SECOND)
        counts = {name: int(value) for name, value in found.items()}
        return {**counts, "kept": kept, "waiting": waiting, "oldest_waiting_seconds": age}

    # How it is asked

    def _provider(self, provider: str) -> dict[str, int]:
        with self._database.transaction(writes=False) as connection:
            row = connection.execute(sa.select(PROVIDERS).where(PROVIDERS.c.provider == provider)).first()
        return _NOTHING if row is None else dict(row._mapping)  # noqa: SLF001

    def providers(self) -> list[str]:
        """Return the CRMs of which anything is known."""
        with self._database.transaction(writes=False) as connection:
            heard = connection.execute(sa.select(PROVIDERS.c.provider)).scalars().all()
            subscribed = connection.execute(sa.select(SUBSCRIPTIONS.c.provider)).scalars().all()
        return sorted({*heard, *subscribed})

    def _add(self, connection: sa.Connection, provider: str, counts: dict[str, int], **values: int) -> None:
        """Add to the counts of a CRM, and set values, in its row, which is made if it is not there."""
        row = _NOTHING | {"provider": provider, **counts, **values}
        added = {name: PROVIDERS.c[name] + count for name, count in counts.items()} | values
        insert = self._insert(PROVIDERS).values(row)
        key = ["provider"]
        connection.execute(
            insert.on_conflict_do_update(index_elements=key, set_=added)
            if added
            else insert.on_conflict_do_nothing(index_elements=key)
        )

    def _insert(self, table: sa.Table) -> Any:  # noqa: ANN401 - one class for each database
        return (sqlite if self._database.is_file else postgresql).insert(table)


#: The row of a CRM of which nothing is known.
_NOTHING: dict[str, Any] = dict.fromkeys((column.name for column in PROVIDERS.c), 0)


def _subscription(row: sa.Row[Any]) -> Subscription:
    return Subscription(row.provider, row.id, row.what, _moment(row.made_at), row.target, row.signature_key)


def _micros(moment: datetime) -> int:
    return (moment - _START) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _START + timedelta(microseconds=micros)

"""What the CRMs sent, kept until a target has confirmed its use: durable when ``append`` returns, in order of arrival.

Places rise strictly and are never given twice: not after events were removed, not after the inbox was made anew or
restored from a copy. Whoever appends holds a lock until its commit, so an event is never seen before one of a lower
place: a reader that goes on after the last place it saw passes none.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tap_crm.errors import ConfigError, CrmError
from tap_crm.inbox.entries import Event, Subscription
from tap_crm.inbox.tables import EVENTS, METADATA, PLACES, PROVIDERS, SUBSCRIPTIONS, VERSION
from tap_crm.storage.database import FAULTS, cause, is_postgresql, sqlite_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_crm.inbox.entries import Delivery

DELIVERY, GAP = "delivery", "gap"
#: How long one waits for another process that writes.
LOCK_SECONDS = 5
#: How much one answer of ``read`` holds at most, but for a single event.
MOST_BYTES = 16 * 1024 * 1024
_SECOND = 1_000_000
_START = datetime(1970, 1, 1, tzinfo=UTC)
_WRITES = "tap_crm_writes"


class SpoolError(CrmError):
    """The inbox could not be read or written; nothing of what was asked for has happened, or nobody knows."""


class Spool:
    """An open inbox: one object for a process, usable by all its threads; any number of processes at once.

    Args:
        engine: of SQLite or PostgreSQL.
        now: returns the time in UTC.

    Raises:
        SpoolError: by any method; the line says why, and shows no address.
    """

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    @classmethod
    def open(
        cls, url: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), pragmas: Sequence[str] = ()
    ) -> Self:
        """Open an inbox, and make it if it is not there.

        Args:
            url: a SQLite file's path, or a URL of PostgreSQL.
            now: returns the time in UTC.
            pragmas: further settings of SQLite, such as `max_page_count=1000`, which limits the file's size.

        Raises:
            ConfigError: it cannot be opened; the line shows no URL, which holds a password.
        """
        try:
            spool = cls(_engine(url, pragmas), now)
        except FAULTS as error:
            raise ConfigError(f"the inbox cannot be opened: {cause(error)}") from None
        try:
            spool._prepare()
        except FAULTS as error:
            spool.close()
            raise ConfigError(f"the inbox cannot be opened: {cause(error)}") from None
        except BaseException:
            spool.close()
            raise
        return spool

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

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
        with self._transaction() as connection:
            self._add(connection, provider, {"refused": count})

    def come_alive(self) -> datetime | None:
        """Note that a receiver runs now; return when one was last known to, None if none ever did."""
        with self._transaction() as connection:
            before = connection.execute(sa.select(PLACES.c.alive_at).with_for_update()).scalar_one()
            connection.execute(PLACES.update().values(alive_at=_micros(self._now())))
        return None if before is None else _moment(before)

    def _append(self, rows: list[dict[str, Any]]) -> int:
        with self._transaction() as connection:
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
        with self._transaction(writes=False) as connection:
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
        with self._transaction() as connection:
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
        with self._transaction() as connection:
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
        with self._transaction(writes=False) as connection:
            rows = connection.execute(mine.order_by(SUBSCRIPTIONS.c.made_at, SUBSCRIPTIONS.c.id)).all()
        return [
            Subscription(row.provider, row.id, row.what, _moment(row.made_at), row.target, row.signature_key)
            for row in rows
        ]

    def remember(self, subscription: Subscription) -> None:
        """Keep a subscription, durable before it returns; one of the same id is replaced."""
        key = {"provider": subscription.provider, "id": subscription.id}
        values = {
            "what": subscription.what,
            "signature_key": subscription.signature_key,
            "made_at": _micros(subscription.made_at),
            "target": subscription.target,
        }
        with self._transaction() as connection:
            insert = self._insert(SUBSCRIPTIONS).values({**key, **values})
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    def forget(self, provider: str, id: str) -> None:  # noqa: A002 - what the CRM calls it
        """Keep a subscription no longer."""
        is_it = (SUBSCRIPTIONS.c.provider == provider) & (SUBSCRIPTIONS.c.id == id)
        with self._transaction() as connection:
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
        with self._transaction(writes=False) as connection:
            found = dict(connection.execute(sa.select(*sums).where(mine)).one()._mapping)  # noqa: SLF001 - its documented name
            waiting, oldest = connection.execute(waits.where(own, EVENTS.c.place > PROVIDERS.c.confirmed)).one()
            kept = connection.execute(sa.select(sa.func.count()).select_from(EVENTS).where(own)).scalar_one()
        age = 0 if oldest is None else max(0, (_micros(self._now()) - oldest) // _SECOND)
        counts = {name: int(value) for name, value in found.items()}
        return {**counts, "kept": kept, "waiting": waiting, "oldest_waiting_seconds": age}

    # How it is asked

    def _prepare(self) -> None:
        with self._begun() as connection:
            if not self._is_file:  # two at once would make the same table
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            METADATA.create_all(connection)
            version = connection.execute(sa.select(PLACES.c.version)).scalar()
            if version is None:
                connection.execute(PLACES.insert().values(id=1, version=VERSION, last=0))
            elif version != VERSION:
                raise ConfigError(f"the inbox has the form {version}, this version of tap-crm knows {VERSION}")

    def _provider(self, provider: str) -> dict[str, int]:
        with self._transaction(writes=False) as connection:
            row = connection.execute(sa.select(PROVIDERS).where(PROVIDERS.c.provider == provider)).first()
        return _NOTHING if row is None else dict(row._mapping)  # noqa: SLF001

    def providers(self) -> list[str]:
        """Return the CRMs of which anything is known."""
        with self._transaction(writes=False) as connection:
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
        return (sqlite if self._is_file else postgresql).insert(table)

    @property
    def _is_file(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def _transaction(self, *, writes: bool = True) -> Iterator[sa.Connection]:
        try:
            with self._begun(writes=writes) as connection:
                yield connection
        except FAULTS as error:
            raise SpoolError(f"the inbox cannot be {'written' if writes else 'read'}: {cause(error)}") from None

    @contextmanager
    def _begun(self, *, writes: bool = True) -> Iterator[sa.Connection]:
        with self._engine.connect().execution_options(**{_WRITES: writes}) as connection, connection.begin():
            if writes and not self._is_file:
                connection.execute(_LASTING)
            yield connection


#: The row of a CRM of which nothing is known.
_NOTHING: dict[str, Any] = dict.fromkeys((column.name for column in PROVIDERS.c), 0)
#: Of the lock under which tables are made; any number that nobody else takes.
_LOCK = 0x7461705F63726D
#: A commit waits for the disk, also where the database was told otherwise, and no lock is waited for endlessly.
_LASTING = sa.text(
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    f"ELSE current_setting('synchronous_commit') END, true), set_config('lock_timeout', '{LOCK_SECONDS}s', true)"
)


def _engine(url: str, pragmas: Sequence[str]) -> sa.Engine:
    if is_postgresql(url):
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": LOCK_SECONDS})
    if "://" in url:
        raise ConfigError("the inbox must be a file's path, or a URL that begins with postgresql+psycopg://")
    # What is removed is overwritten, since it is customers' data, and its room is given back. Transactions begin below.
    engine = sqlite_engine(
        Path(url),
        pragmas=("auto_vacuum=FULL", "secure_delete=ON", *pragmas),
        connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # Who will write takes the lock at once: a lock that is taken later fails where somebody wrote in between.
        writes = connection.get_execution_options().get(_WRITES, True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _micros(moment: datetime) -> int:
    return (moment - _START) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _START + timedelta(microseconds=micros)

"""What a journal is of: a CRM, an account, and for each stream the object that it is written to.

Its keys stand for the CRM's ids. With another account these would be somebody else's records, or none: what was written
there would count as written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_crm.errors import ConfigError
from tap_crm.journal.tables import ACCOUNT, FACTS, PROVIDER
from target_crm.journal.journal import DELETED
from target_crm.journal.tables import INTENTS, OPEN, RECORDS, REJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_crm.journal.journal import Journal

#: Names in one question.
_AT_ONCE = 500
_OTHER_CRM = "the journal is of `{known}`, and `{provider}` is written to; give each its own by `journal`"
_OTHER_ACCOUNT = (
    "the journal is of another account than the one that these credentials open: nothing was written. Give each "
    "account a journal of its own by `journal`; check `api_key` (or the token) if this should be the same one"
)
_OTHER_OBJECT = (
    "the journal has written the stream `{stream}` to another object than {place}: nothing of it was written. Give "
    "the stream another name, or use another `journal`, where its records are to be written there, too"
)


class Belonging:
    """What is noted of it in a journal; a journal of an earlier version, or one without records, takes what comes.

    Args:
        journal: an open one.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def check_provider(self, provider: str) -> None:
        """Raise ``ConfigError`` if the journal is of another CRM."""
        known = self._fact(PROVIDER)
        if known is not None and known != provider:
            raise ConfigError(_OTHER_CRM.format(known=known, provider=provider))

    def check_account(self, marks: Sequence[str]) -> None:
        """Raise ``ConfigError`` if the journal is of an account that is none of these; none are nothing to check."""
        known = self._fact(ACCOUNT)
        if marks and known is not None and known not in marks and self._has_any():
            raise ConfigError(_OTHER_ACCOUNT)

    def bind_account(self, marks: Sequence[str]) -> None:
        """Check the account, and note it.

        Args:
            marks: of the accounts that the credentials may stand for, the most likely one first.

        Raises:
            ConfigError: the journal is of another one.
        """
        self.check_account(marks)
        if marks and self._fact(ACCOUNT) not in marks:
            self._note(ACCOUNT, marks[0])

    def bind_stream(self, stream: str, place: str) -> None:
        """Check to which object a stream was written before, and note it.

        Raises:
            ConfigError: it was another one.
        """
        name = f"stream {stream}"
        known = self._fact(name)
        if known == place:
            return
        if known is not None and self._has_any(stream):
            raise ConfigError(_OTHER_OBJECT.format(stream=stream, place=f"`{place}`"))
        self._note(name, place)

    def written_beside(self, stream: str, keys: Sequence[str]) -> dict[str, set[str]]:
        """Return by key the CRM's ids of records that other streams have written to the object of this one."""
        place = self._fact(f"stream {stream}")
        bound = self._journal.rows(sa.select(FACTS.c.name).where(FACTS.c.value == place))
        others = [row.name.removeprefix("stream ") for row in bound if row.name.startswith("stream ")]
        others = [name for name in others if name != stream]
        found: dict[str, set[str]] = {}
        for start in range(0, len(keys) if others else 0, _AT_ONCE):
            asked = sa.select(RECORDS.c.key, RECORDS.c.crm_id).where(
                RECORDS.c.stream.in_(others),
                RECORDS.c.key.in_(keys[start : start + _AT_ONCE]),
                RECORDS.c.outcome != DELETED,
            )
            for row in self._journal.rows(asked):
                found.setdefault(row.key, set()).add(row.crm_id)
        return found

    def _fact(self, name: str) -> str | None:
        rows = self._journal.rows(sa.select(FACTS.c.value).where(FACTS.c.name == name))
        return str(rows[0].value) if rows else None

    def _note(self, name: str, value: str) -> None:
        with self._journal.transaction("belonging"):
            self._journal.connection.execute(FACTS.delete().where(FACTS.c.name == name))
            self._journal.connection.execute(FACTS.insert().values(name=name, value=value))

    def _has_any(self, stream: str | None = None) -> bool:
        """Tell whether anything would be mistaken: records that were written, may have been, or are to be tried."""
        where = {RECORDS: sa.true(), REJECTS: sa.true(), INTENTS: INTENTS.c.state == OPEN}
        return any(
            self._journal.rows(
                sa.select(table.c.stream)
                .where(holds, sa.true() if stream is None else table.c.stream == stream)
                .limit(1)
            )
            for table, holds in where.items()
        )

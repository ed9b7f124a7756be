"""Opens the inbox that the setting names; only where there is one, its database is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_crm.contract.hints import Inbox


def open_inbox(address: str) -> Inbox:
    """Return the inbox.

    Raises:
        ConfigError: it is not there, or cannot be opened.
    """
    from tap_crm.inbox.spool import Spool  # noqa: PLC0415 - runs without an inbox need no database

    return Spool.open(address, makes=False)

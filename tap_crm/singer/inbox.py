"""Opens the inbox that the setting names; only where there is one, its database is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from tap_crm.contract.hints import Inbox


def open_inbox(address: str) -> Inbox:
    """Return the inbox.

    A file that is not there is not made: who reads an empty one by mistake would hear of no event, and not know why.

    Raises:
        ConfigError: it is not there, or cannot be opened.
    """
    from tap_crm.inbox.spool import Spool  # noqa: PLC0415 - runs without an inbox need no database

    if "://" not in address and not Path(address).exists():
        raise ConfigError("the inbox does not exist; `tap-crm-inbox serve` makes it, or the setting `inbox` is wrong")
    return Spool.open(address)

"""The inbox, as a watch looks at it: whether something has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Callable


class HasNewest(Protocol):
    """What is asked of a spool."""

    def newest(self, provider: str) -> int:
        """Return the place of a CRM's last event."""


class Inbox:
    """What has come for one CRM.

    Args:
        open_spool: opens the spool, again after a fault.
        provider: the CRM.
    """

    def __init__(self, open_spool: Callable[[], HasNewest], provider: str) -> None:
        self._open, self._provider = open_spool, provider
        self._spool: HasNewest | None = None
        self._newest: int | None = None
        self._has_failed = False

    def has_news(self) -> bool:
        """Tell whether something came since the last look, or may have.

        At the first one, what is there counts as seen: the first run of COMMAND takes it.

        Raises:
            CrmError: the inbox cannot be opened or read.
        """
        try:
            if self._spool is None:
                self._spool = self._open()
            newest = self._spool.newest(self._provider)
        except errors.CrmError:
            self._has_failed = self._has_failed or self._newest is None
            raise
        known, self._newest = self._newest, newest
        has_failed, self._has_failed = self._has_failed, False
        # A place that went back is one of another inbox, which was put in the place of this one.
        return has_failed if known is None else newest != known

"""What is wrong with an inbox, one line each: for the log, `/health` and the command `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_crm.inbox.settings import InboxSettings
    from tap_crm.inbox.spool import Spool

_DAY = 86_400


def alarms_of(spool: Spool, settings: InboxSettings) -> list[str]:
    """Return an alarm for each CRM whose events wait for too long, or take too much; nothing of them is removed.

    Raises:
        SpoolError: the inbox cannot be read.
    """
    found = []
    for provider in spool.providers():
        counts = spool.counters(provider)
        waiting, oldest = counts["waiting"], counts["oldest_waiting_seconds"]
        if waiting and oldest > settings.keep_days * _DAY:
            found.append(
                f"{provider}: {waiting} events wait to be used, the oldest for {oldest // _DAY} days; nothing of them "
                f"is removed; see whether the tap runs with this inbox, and its target confirms its state"
            )
        elif counts["bytes"] > settings.keep_bytes and waiting:
            found.append(
                f"{provider}: {waiting} events wait to be used, and the inbox takes {counts['bytes']} bytes, more than "
                f"`inbox_keep_megabytes`; nothing that waits is removed; see whether the tap runs with this inbox"
            )
    return found

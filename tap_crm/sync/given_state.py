"""What a run finds in the state that it was given: which streams were loaded, and what in it cannot be.

A state outlives the run that wrote it: it may come from another machine, or from an editor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.shaping.moments import to_epoch
from tap_crm.sync.input_checks import parse_bookmark
from tap_crm.sync.versions import RECONCILED_AT, TOTAL, UNFINISHED, UNTOLD_SINCE

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

BOOKMARK, _KEY = "replication_key_value", "replication_key"
#: What a stream has in the state once rows of it were written.
_LOADED = (BOOKMARK, "version", "memory", UNFINISHED)
#: What belongs to the complete read that ``reconciled_at`` tells of.
_COUNTED = ("rows", "rows_until", TOTAL)


def was_loaded(kept: Mapping[str, Any]) -> bool:
    """Tell whether an earlier run wrote rows of a stream, by what the state has of it."""
    return any(kept.get(name) is not None for name in _LOADED)


def forget_future(stream: str, kept: MutableMapping[str, Any], now: float) -> str | None:
    """Take out of a stream's state what is later than the present: nothing can have been read up to there.

    A bookmark goes back to the last complete read; where the state tells of none, it goes, and all is read again.

    Args:
        stream: its name.
        kept: what the state has of it; changed in place.
        now: the server's present, in epoch seconds.

    Returns:
        What is to be said of the bookmark; None if it stays.

    Raises:
        ConfigError: the bookmark is no time.
    """

    def is_later(name: str, within: Mapping[str, Any] = kept) -> bool:
        at = to_epoch(within.get(name))
        return at is not None and at > now

    if is_later(RECONCILED_AT):
        for name in (RECONCILED_AT, *_COUNTED):
            kept.pop(name, None)
    if is_later(UNTOLD_SINCE):
        kept.pop(UNTOLD_SINCE)
    unfinished = kept.get(UNFINISHED)
    if isinstance(unfinished, dict) and any(is_later(name, unfinished) for name in ("started", "read_to")):
        kept.pop(UNFINISHED)
    value = kept.get(BOOKMARK)
    bookmark = parse_bookmark(stream, value)
    if bookmark is None or bookmark <= now:
        return None
    whole = kept.get(RECONCILED_AT)
    if to_epoch(whole) is None:
        for name in (BOOKMARK, _KEY, UNFINISHED):
            kept.pop(name, None)
        instead = "all of it is read again"
    else:
        kept[BOOKMARK] = whole
        instead = f"it is read from its last complete read on, {whole}"
    return f"{stream}: the state's bookmark, {value}, is later than the CRM's clock; {instead}"

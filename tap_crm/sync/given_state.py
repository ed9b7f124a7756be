"""What in a state that a run was given cannot be: times that have not come yet.

A state outlives the run that wrote it: it may come from another machine, or from an editor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.shaping.moments import from_epoch

if TYPE_CHECKING:
    from tap_crm.sync.state import StreamState


def forget_future(stream: str, kept: StreamState, now: float) -> str | None:
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
    if _is_later(kept.reconciled_at, now):
        kept.forget_whole()
    if _is_later(kept.untold_since, now):
        kept.untold_since = None
    unfinished = kept.unfinished
    if unfinished is not None and (_is_later(unfinished.started, now) or _is_later(unfinished.read_to, now)):
        kept.unfinished = None
    value, bookmark, whole = kept.bookmark, kept.bookmark_at(stream), kept.reconciled_at
    if not _is_later(bookmark, now):
        return None
    if whole is None:
        kept.replication_key = kept.bookmark = kept.unfinished = None
        instead = "all of it is read again"
    else:
        kept.bookmark = from_epoch(whole)
        instead = f"it is read from its last complete read on, {kept.bookmark}"
    return f"{stream}: the state's bookmark, {value}, is later than the CRM's clock; {instead}"


def _is_later(at: int | None, now: float) -> bool:
    return at is not None and at > now

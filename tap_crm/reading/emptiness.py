"""Whether a list that answers without any record is believed to be empty.

A broken answer can look just like that of an empty list. So it is asked for again in the same run; and a list that had
records at the last complete read counts as empty only if a later run finds it empty too, some time after the first one.
Until then the stream is not complete, and nothing of it counts as gone.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.shaping.moments import from_epoch, to_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two runs that find a list empty, before that is believed: longer than a scheduler waits to try again.
APART = 1_800
#: What the state calls the lists of a stream, with the records that each had; and since when some are found empty.
LISTS, EMPTY_SINCE = "lists", "empty_since"
#: The stream as a whole, where it is one list.
WHOLE = ""
#: Of more lists than these the state keeps nothing: an empty answer of any is asked for twice then.
MOST_LISTS = 500


class Lists:
    """The lists that a stream is read from: how many records each had, and has.

    Safe to use from several threads.

    Args:
        rows: how many records the last complete read found; None where nothing is known of one.
        kept: what the state has of the stream.
    """

    def __init__(self, rows: int | None = None, kept: Mapping[str, Any] | None = None) -> None:
        self._rows = rows
        self._had = _counts((kept or {}).get(LISTS))
        self._empty_since = _moments((kept or {}).get(EMPTY_SINCE))
        self._found: Counter[str] = Counter()
        self._unguarded: set[str] = set()
        self._lock = threading.Lock()

    def is_doubtful(self, name: str = WHOLE) -> bool:
        """Tell whether an empty answer is worth a second question: the list had records, or nothing is known of it."""
        if name != WHOLE and self._had is not None:
            return self._had.get(name, 0) > 0
        return self._rows is None or self._rows > 0

    def note(self, name: str, rows: int, *, is_guarded: bool = True) -> None:
        """Note that a list gave so many records; several notes of one list add up.

        Of many lists of a few records each, one that is emptied is an everyday thing: if that list is not guarded, it
        is asked for again, and believed then.
        """
        with self._lock:
            self._found[name] += rows
            if not is_guarded:
                self._unguarded.add(name)

    @property
    def rows(self) -> int:
        """How many records were noted."""
        return sum(self._found.values())

    def settle(self, stream: str, rows: int, now: Callable[[], float]) -> dict[str, Any]:
        """Return what the state keeps from now on, by name; None where it keeps nothing.

        Args:
            stream: for the message.
            rows: how many records the stream has, from all of its lists.
            now: the present, in epoch seconds.

        Raises:
            Emptied: a list is empty that was not, and that was not said before, long enough ago. The error has what the
                state keeps of that.
        """
        emptied = self._emptied(rows)
        since = {name: self._empty_since.get(name, int(now())) for name in emptied}
        kept = {EMPTY_SINCE: {name: from_epoch(at) for name, at in since.items()} or None}
        if any(now() - at < APART for at in since.values()):
            raise errors.Emptied(_explained(stream, emptied), kept)
        full = {name: count for name, count in self._found.items() if name != WHOLE and count}
        names = [name for name in self._found if name != WHOLE]
        return kept | {LISTS: full if names and len(full) <= MOST_LISTS else None}

    def _emptied(self, rows: int) -> dict[str, int]:
        """Return the lists that had records and have none, each with how many it had."""
        had = self._had or {}
        guarded = [(name, count) for name, count in self._found.items() if name not in self._unguarded]
        emptied = {name: had[name] for name, count in guarded if not count and had.get(name)}
        if not rows and self._rows and not emptied:
            emptied[WHOLE] = self._rows
        return emptied


def _explained(stream: str, emptied: Mapping[str, int]) -> str:
    named = ", ".join(name for name in emptied if name != WHOLE)
    return (
        f"{stream}: the CRM answers without any record{f' of {named}' if named else ''}, where the last complete read "
        f"had {sum(emptied.values())}. A broken answer looks like that, too: nothing was marked as deleted. If all are "
        f"gone indeed, the first run that begins more than {APART // 60} minutes later believes it"
    )


def _counts(kept: object) -> dict[str, int] | None:
    if not isinstance(kept, dict):
        return None
    return {str(name): rows for name, rows in kept.items() if isinstance(rows, int)}


def _moments(kept: object) -> dict[str, int]:
    held = kept.items() if isinstance(kept, dict) else ()
    found = {str(name): to_epoch(at) for name, at in held if isinstance(at, str)}
    return {name: at for name, at in found.items() if at is not None}

"""Whether a list that answers without any record is believed to be empty.

A broken answer can look just like that of an empty list, or of one from which much was deleted. So it is asked for
again in the same run, and the fuller answer is taken; and a list that had
records at the last complete read counts as empty only if a later run finds it empty too, some time after the first one.
Until then the stream is not complete, and nothing of it counts as gone.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import ListsKept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two runs that find a list empty, before that is believed: longer than a scheduler waits to try again.
APART = 1_800
#: So many of a list's records may be gone since the last read, and always one, before it is asked for again.
SHARE_GONE = 0.1
#: The stream as a whole, where it is one list.
WHOLE = ""
#: Of more lists than these the state keeps nothing: an empty answer of any is asked for twice then.
MOST_LISTS = 500


class Lists:
    """The lists that a stream is read from: how many records each had, and has.

    Safe to use from several threads.

    Args:
        rows: how many records the last complete read found; None where nothing is known of one.
        had: how many records each list had; None where nothing is known of them.
        empty_since: since when lists are found empty that were not, in epoch seconds.
    """

    def __init__(
        self,
        rows: int | None = None,
        had: Mapping[str, int] | None = None,
        empty_since: Mapping[str, int] | None = None,
    ) -> None:
        self._rows, self._had, self._empty_since = rows, had, empty_since or {}
        self._found: Counter[str] = Counter()
        self._unguarded: set[str] = set()
        self._lock = threading.Lock()

    def is_doubtful(self, name: str = WHOLE) -> bool:
        """Tell whether an empty answer is worth a second question: the list had records, or nothing is known of it."""
        if name != WHOLE and self._had is not None:
            return self._had.get(name, 0) > 0
        return self._rows is None or self._rows > 0

    def is_short(self, rows: int, name: str = WHOLE) -> bool:
        """Tell whether so few records, though not none, are worth a second question, since the list had many more."""
        before = (self._rows if name == WHOLE else (self._had or {}).get(name)) or 0
        return rows > 0 and before - rows > max(1, SHARE_GONE * before)

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

    def settle(self, stream: str, rows: int, now: Callable[[], float]) -> ListsKept:
        """Return what the state keeps from now on.

        Args:
            stream: for the message.
            rows: how many records the stream has, from all of its lists.
            now: the present, in epoch seconds.

        Raises:
            Emptied: a list is empty that was not, and that was not said before, long enough ago.
        """
        emptied = self._emptied(rows)
        since = {name: self._empty_since.get(name, int(now())) for name in emptied}
        if any(now() - at < APART for at in since.values()):
            raise errors.Emptied(_explained(stream, emptied), since)
        full = {name: count for name, count in self._found.items() if name != WHOLE and count}
        names = [name for name in self._found if name != WHOLE]
        return ListsKept(full if names and len(full) <= MOST_LISTS else None, since)

    def doubted(self, empty_since: Mapping[str, int]) -> ListsKept:
        """Return what the state keeps where an empty list is not believed yet: of the others, what it had."""
        return ListsKept(self._had, empty_since)

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

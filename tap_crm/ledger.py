"""What reading a stream cost and brought, counted where it happens and reported in ``sync_audit``."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ledger:
    """Counts of one stream in one run; safe to add to from every thread.

    Attributes:
        new: records that were created since the last run; what ``tells_news`` is about.
        changed: others that were changed since then.
        is_first: no earlier run has read the stream to an end: all of its records are new.
        tells_news: the two before are known.
    """

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    waited: float = 0.0
    pages: int = 0
    windows: int = 0
    records: int = 0
    distinct: int = 0
    source_total: int | None = None
    unexplained: int = 0
    misfits: int = 0
    deletions: int = 0
    new: int = 0
    changed: int = 0
    is_first: bool = False
    tells_news: bool = False
    characters_replaced: int = 0
    characters_removed: int = 0
    hints: int | None = None
    hinted_rows: int | None = None
    missed_by_events: int | None = None
    notes: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, **amounts: float) -> None:
        """Add to the named counts."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def take_costs(self, other: Ledger) -> None:
        """Add what another one counts of requests and answers, and its remarks."""
        costs = ("requests", "retries", "rate_limited", "waited", "pages", "windows", "unexplained")
        self.add(**{name: getattr(other, name) for name in costs})
        for text in other.notes:
            self.note(text)

    def note(self, text: str) -> None:
        """Keep a remark that belongs to the proof, once."""
        with self._lock:
            if text not in self.notes:
                self.notes.append(text)

    def gap(self, text: str) -> None:
        """Keep a remark on what was not read: what this read did not find may be there all the same."""
        self.note(text)
        with self._lock:
            if text not in self.gaps:
                self.gaps.append(text)

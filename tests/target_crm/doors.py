"""A door before a CRM: counts requests, loses answers, and lets the process die at one of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from tap_crm import errors
from tests.target_crm.running import Killed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger
    from tap_crm.transport.question import Question, Reply

T = TypeVar("T")


class Door:
    """What a transport is for the writer, with another one behind it.

    Args:
        crm: the transport behind it.

    Attributes:
        lost: tells for a request that writes, by its number, whether it gets no answer: ``before`` or ``after`` it
            took effect; None: it does.
        dies: the number of the request at which the process dies, 0 for none: ``before`` it is sent, of all; ``after``
            it took effect, of those that write, since after any other all is as it is before the next one.
        dying: is called at that moment.
        refuses: returns with what the CRM, or something before it, refuses a question; None: it does not.
        count: how many requests came.
        writes: how many of them were to write.
    """

    def __init__(self, crm: Any) -> None:  # noqa: ANN401 - any CRM's
        self._crm = crm
        self._lock = threading.Lock()
        self._dead = False
        self.lost: Callable[[int], str | None] = lambda _: None
        self.dies: tuple[int, str] = (0, "")
        self.dying: Callable[[], None] = lambda: None
        self.refuses: Callable[[Question], errors.FinalWord | None] = lambda _: None
        self.count = 0
        self.writes = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._crm, name)

    @property
    def now(self) -> float:
        """The CRM's time."""
        return float(self._crm.now)

    @now.setter
    def now(self, value: float) -> None:
        self._crm.now = value

    def ask(self, question: Question, parse: Callable[[Reply], T], ledger: Ledger) -> T:
        """Ask the CRM behind it."""
        with self._lock:
            self.count += 1
            number = self.count
            self.writes += question.writes
            fate = self.lost(self.writes) if question.writes else None
            is_last = question.writes and self.dies == (self.writes, "after")
            if self._dead:
                raise Killed
            if self.dies == (number, "before"):
                self._die()
        refusal = self.refuses(question)
        if refusal is not None:
            raise refusal
        if fate == "before":
            raise errors.EffectUnknown(f"{question.label}: no answer in time")
        found: T = self._crm.ask(question, parse, ledger)
        if is_last:
            self._die()
        if fate == "after":
            raise errors.EffectUnknown(f"{question.label}: no answer in time")
        return found

    def _die(self) -> None:
        self._dead = True
        self.dying()
        raise Killed

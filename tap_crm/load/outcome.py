"""What became of a load, and the exit code that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.contract.signals import FAILED, REFUSED

if TYPE_CHECKING:
    from tap_crm.load.processes import Limits

TIMED_OUT, LOCKED, KILLED = 124, 75, 137
"""As `timeout` says it; EX_TEMPFAIL of sysexits.h, after which a later try may succeed; as a shell says it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The exit codes of both, as a shell gives them.

    Attributes:
        tap: the tap's; that of `meltano run` where Meltano runs both.
        target: the target's; None where it was not started, or Meltano ran it.
        refused: whether the log says that the CRM refused the credentials.
        early: whether the target ended before it had read all that the tap wrote.
    """

    tap: int
    target: int | None = None
    refused: bool = False
    early: bool = False

    def code(self, limits: Limits) -> int:
        """Return the exit code of the whole."""
        if not (self.tap or self.target or self.early or limits.killed):
            return 0
        if limits.signal is not None:
            return 128 + limits.signal
        if limits.timed_out:
            return TIMED_OUT
        return REFUSED if self.refused or self.tap == REFUSED else FAILED

    def said(self, limits: Limits) -> str:
        """Return what is to be said of it in one line."""
        if not self.code(limits):
            return "loaded"
        both = f"the tap ended with {self.tap}" + ("" if self.target is None else f", the target with {self.target}")
        if self.early:
            both = f"the target ended before it had read everything; {both}"
        if limits.signal is not None:
            return f"stopped by a signal; {both}"
        if limits.timed_out:
            return f"stopped after the time limit; {both}"
        if self.code(limits) == REFUSED:
            return f"the CRM refused the credentials: trying again does not help; {both}"
        return f"failed; {both}"

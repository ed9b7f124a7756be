"""The loop: asks, looks into the inbox, runs COMMAND, waits, and writes a line for each round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tap_crm import errors
from tap_crm.watch.schedule import Ask, Run, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.watch.questions import Found
    from tap_crm.watch.schedule import Reason, Schedule

#: Seconds between two looks into the inbox, which ask nothing of the CRM.
INBOX_EVERY = 1.0
#: How long an inbox that failed is left alone.
INBOX_REST = 30.0


class Account(Protocol):
    """What the loop does and what it cannot know by itself."""

    def now(self) -> float:
        """Return seconds that only go forward."""

    def ask(self, now: float) -> Found:
        """Ask the CRM whether something changed."""

    def has_mail(self) -> bool:
        """Tell whether something came into the inbox; False where there is none."""

    def run(self) -> int:
        """Run COMMAND to its end, and return its exit code."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(slots=True)
class _Round:
    """What happened between two waits."""

    parts: list[str] = field(default_factory=list)
    code: int | None = None
    failed: bool = False

    def note(self, text: str) -> None:
        self.parts.append(text)


class Watch:
    """Watches until something ends it.

    Args:
        schedule: decides what is done.
        account: does it.
        say: writes a line.
        has_inbox: whether there is one to look into.
        once: end after one run, or when an interval has brought nothing.
    """

    def __init__(
        self,
        schedule: Schedule,
        account: Account,
        say: Callable[[str], None],
        *,
        has_inbox: bool = False,
        once: bool = False,
    ) -> None:
        self._schedule, self._account, self._say, self._once = schedule, account, say, once
        self._looks_at = 0.0 if has_inbox else float("inf")
        self._looked = self._asked = self._rounds = 0
        self._inbox_fails = False

    def run(self) -> int:
        """Go on; return the exit code where ``once`` ends it.

        Raises:
            CredentialsRefused: the CRM does not take the credentials.
            ConfigError: COMMAND cannot be started, or a setting cannot be used.
        """
        while True:
            round_ = _Round()
            seconds = self._round(round_)
            if round_.parts:
                self._rounds += 1
                self._say(f"round {self._rounds}: {'; '.join(round_.parts)}")
            if self._once and (round_.code is not None or self._asked > 1):
                return int(round_.failed) if round_.code is None else round_.code
            if seconds:
                self._account.wait(seconds)

    def _round(self, round_: _Round) -> float:
        """Do what is due; return the seconds to wait then."""
        while True:
            now = self._account.now()
            if now >= self._looks_at:
                self._look(round_, now)
            step = self._schedule.next(now)
            if isinstance(step, Ask):
                self._ask(round_, now)
            elif isinstance(step, Run):
                self._command(round_, step.reason)
                return 0.0
            elif isinstance(step, Wait):
                return max(0.0, min(step.seconds, self._looks_at - now))

    def _look(self, round_: _Round, now: float) -> None:
        """Look into the inbox; one that cannot be read keeps nobody from asking the CRM."""
        self._looks_at = now + INBOX_EVERY
        self._looked += 1
        try:
            has_mail = self._account.has_mail()
        except errors.CrmError as error:
            if self._looked == 1:
                raise
            self._looks_at = now + INBOX_REST
            if not self._inbox_fails:
                round_.note(f"{error}; the inbox is looked at again every {INBOX_REST:.0f} s")
            self._inbox_fails = True
            return
        self._inbox_fails = False
        if has_mail:
            round_.note("the inbox has something new")
            self._schedule.note_change(now)

    def _ask(self, round_: _Round, now: float) -> None:
        found = self._account.ask(now)
        after = self._account.now()
        self._schedule.note_answer(after, again_in=found.again_in)
        self._asked += 1
        changed = found.changed if self._asked == 1 else (*found.changed, *found.began)
        round_.failed = found.failure is not None
        if changed:
            self._schedule.note_change(after)
        round_.note(_told(found, changed, is_first=self._asked == 1))

    def _command(self, round_: _Round, reason: Reason) -> None:
        began = self._account.now()
        self._schedule.begin(began)
        round_.code = self._account.run()
        ended = self._account.now()
        self._schedule.end(ended, round_.code)
        text = f"COMMAND {reason.value}: exit {round_.code} after {ended - began:.1f} s"
        step = self._schedule.next(ended)
        if round_.code and not self._once and isinstance(step, Wait):
            text += f", again in {step.seconds:.0f} s"
        round_.note(text)


def _told(found: Found, changed: tuple[str, ...], *, is_first: bool) -> str:
    """Return a round of questions in words."""
    parts = [f"{found.requests} request{'s' * (found.requests != 1)}"]
    if changed:
        parts.append(f"changed: {', '.join(changed)}")
    elif found.failure is None:
        parts.append("what is there is known" if is_first else "nothing changed")
    parts += [f"left out for now: {reason}" for reason in found.refused]
    if found.failure is not None:
        parts.append(f"no answer: {found.failure}; asked again in {found.again_in:.0f} s")
    return ", ".join(parts)

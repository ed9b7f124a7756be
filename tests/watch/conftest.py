"""A watch of a sandbox, in a time of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox.server import running
from tap_crm.config.settings import Settings
from tap_crm.providers import PROVIDERS
from tap_crm.watch.loop import Watch
from tap_crm.watch.questions import Questions, usual_budget, watched
from tap_crm.watch.schedule import Schedule
from tap_crm.watch.selected import selected_streams
from tests.watch.crms import CRMS

if TYPE_CHECKING:
    from tap_crm.watch.questions import Found


class TimeIsUp(Exception):  # noqa: N818 - it is what ends a test
    """A watch would go on."""


@dataclass
class Trial:
    """The loop with the real questions; time, COMMAND and the inbox are the test's.

    Attributes:
        app: the sandbox.
        plan: what happens at which time, by a function each.
        codes: the exit codes of runs; 0 after them.
        mail: what a look into the inbox finds, by the time from which on it does.
        ran: when COMMAND began.
        said: the lines.
    """

    app: Any
    questions: Questions
    plan: dict[float, Callable[[], Any]] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    mail: list[float] = field(default_factory=list)
    time: float = 0.0
    until: float = 0.0
    run_seconds: float = 5.0
    ran: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def now(self) -> float:
        """Return the time."""
        return self.time

    def ask(self, now: float) -> Found:
        """Ask the sandbox."""
        return self.questions.ask(now)

    def has_mail(self) -> bool:
        """Tell whether the time of a delivery has come."""
        found = [at for at in self.mail if at <= self.time]
        self.mail = [at for at in self.mail if at > self.time]
        return bool(found)

    def run(self) -> int:
        """Run COMMAND."""
        self.ran.append(self.time)
        self._pass(self.run_seconds)
        return self.codes.pop(0) if self.codes else 0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._pass(seconds)
        if self.time >= self.until:
            raise TimeIsUp

    def _pass(self, seconds: float) -> None:
        end = self.time + seconds
        for at in sorted(at for at in self.plan if at <= end):
            self.plan.pop(at)()
        self.time = end

    def watch(self, seconds: float, **options: Any) -> None:  # noqa: ANN401 - those of the schedule
        """Watch for so long."""
        self.until = self.time + seconds
        given = {"min_gap": 10.0, "max_gap": 3_600.0, "settle": 0.0, "first": True, **options}
        schedule = Schedule(self.time, **given)
        with pytest.raises(TimeIsUp):
            Watch(schedule, self, self.said.append, has_inbox=bool(self.mail)).run()


Begin: TypeAlias = Callable[..., Trial]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Return a function that serves a CRM and makes a watch of it."""
    with ExitStack() as stack:

        def begin_one(
            crm: str, every: float = 30.0, per_minute: float | None = None, catalog: dict[str, Any] | None = None
        ) -> Trial:
            app = CRMS[crm].app()
            url = stack.enter_context(running(app))
            config = {"provider": crm, "api_url": url, "requests_per_minute": 0, "retry_seconds": 0}
            settings = Settings.from_config({**config, **CRMS[crm].credentials}, PROVIDERS)
            provider = PROVIDERS[crm]
            questions = Questions(
                settings,
                provider,
                watched(provider, selected_streams(provider.streams, catalog)),
                every=every,
                per_minute=per_minute or usual_budget(settings, provider),
                rest=3_600.0,
                stopping=threading.Event(),
            )
            return Trial(app, questions)

        yield begin_one

"""Asks the CRM whether something changed: one cheap question a stream, or one for all, within a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.connection import connect
from tap_crm.contract.newest import Watchable
from tap_crm.contract.once_per_run import OncePerRun
from tap_crm.contract.stream import Reading
from tap_crm.ledger import Ledger
from tap_crm.watch.known import Known

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Iterable

    from tap_crm.config.settings import Settings
    from tap_crm.contract.newest import Newest
    from tap_crm.contract.stream import Provider, StreamSpec
    from tap_crm.messages import Item
    from tap_crm.transport.session import Transport

#: Of the CRM's limit, where nobody says otherwise.
USUAL_SHARE = 0.1
#: A question is asked again in the next round anyway: so long it is retried, and so long it may stay silent.
RETRY_SECONDS, TIMEOUT_SECONDS = 10, 30
#: Index and log of a CRM may be so late, in seconds: what is asked from a time on is asked from so much earlier.
LEAST_OVERLAP = 300
#: The longest that a CRM which does not answer is left alone, in seconds.
LONGEST_REST = 300.0
MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What a round of questions brought.

    Attributes:
        requests: that it took.
        changed: what has something new, by name.
        began: what answered for the first time, by name.
        refused: what the CRM refuses to tell, with its reason; it is left out for a while.
        failure: why the rest was not asked; None if all were answered.
        again_in: seconds until the next round.
    """

    requests: int
    changed: tuple[str, ...] = ()
    began: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failure: str | None = None
    again_in: float = 0.0


@dataclass(slots=True, eq=False)
class _Check:
    spec: StreamSpec
    source: Watchable
    known: Known
    not_before: float = -math.inf
    asked_at: float = field(default=-math.inf)


def watched(provider: Provider, selected: Iterable[StreamSpec]) -> list[StreamSpec]:
    """Return the streams whose newest records are asked for: the log of all changes, where there is one."""
    if provider.change_log is not None:
        return [spec for spec in provider.streams if spec.name == provider.change_log]
    return [spec for spec in selected if isinstance(spec.source, Watchable)]


def usual_budget(settings: Settings, provider: Provider) -> float:
    """Return the requests a minute that watching may use: a share of the CRM's limit, or of the user's."""
    return max(1.0, USUAL_SHARE * (settings.requests_per_minute or provider.requests_per_minute))


class Questions:
    """Asks of each list what it has newest; those first that were not asked for longest.

    Args:
        settings: the user's.
        provider: the CRM.
        specs: the streams that are asked.
        every: seconds between two rounds, at least.
        per_minute: requests a minute that may be used on the average.
        rest: seconds for which a list that the CRM refuses is left out.
        stopping: set when nothing is to be asked any more.
    """

    def __init__(  # noqa: PLR0913 - it is built in one place
        self,
        settings: Settings,
        provider: Provider,
        specs: Collection[StreamSpec],
        *,
        every: float,
        per_minute: float,
        rest: float,
        stopping: threading.Event,
    ) -> None:
        self._settings = replace(
            settings,
            retry_seconds=min(settings.retry_seconds, RETRY_SECONDS),
            request_timeout_seconds=min(settings.request_timeout_seconds or TIMEOUT_SECONDS, TIMEOUT_SECONDS),
        )
        self._provider, self._stopping = provider, stopping
        self._every, self._spacing, self._rest = every, 60.0 / per_minute, rest
        self._at_once, self._at_first = max(1, int(every * per_minute / 60.0)), max(1, int(per_minute))
        overlap = max(settings.overlap_seconds, LEAST_OVERLAP)
        self._checks = [
            _Check(spec, spec.source, Known(overlap)) for spec in specs if isinstance(spec.source, Watchable)
        ]
        self._transport: Transport | None = None
        self._failures = 0

    @property
    def names(self) -> list[str]:
        """What is asked."""
        return [check.spec.name for check in self._checks]

    def ask(self, now: float) -> Found:
        """Ask as many as the budget allows in one round.

        Raises:
            CredentialsRefused: the CRM does not take the credentials.
            ConfigError: the settings cannot be used.
        """
        ledger = Ledger()
        changed: list[str] = []
        began: list[str] = []
        refused: list[str] = []
        failure = None
        for check in self._turn(now):
            name, is_first = check.spec.name, check.known.is_first
            check.asked_at = now
            try:
                is_new = check.known.take(self._newest(check, ledger))
            except errors.CredentialsRefused:
                raise
            except errors.FinalWord as final:
                check.not_before = now + self._rest
                refused.append(str(final))
            except errors.ReadError as error:
                failure = str(error)
                self._transport = None  # which would not try again: it is made for one run
                break
            else:
                (began if is_first else changed).extend([name] if is_new else [])
        return Found(
            ledger.requests,
            tuple(changed),
            tuple(began),
            tuple(refused),
            failure,
            self._again_in(ledger.requests, is_failure=failure is not None),
        )

    def settle(self) -> None:
        """Wait a moment for whatever must not be broken off."""
        if self._transport is not None:
            self._transport.settle()

    def _turn(self, now: float) -> list[_Check]:
        """Return whose turn it is: all of them, if the budget of a round is enough; in the first one, of a minute."""
        ready = [check for check in self._checks if check.not_before <= now]
        ready.sort(key=lambda check: check.asked_at)
        is_first = all(check.asked_at == -math.inf for check in self._checks)
        return ready[: self._at_first if is_first else self._at_once]

    def _again_in(self, requests: int, *, is_failure: bool) -> float:
        usual = max(self._every, requests * self._spacing)
        if not is_failure:
            self._failures = 0
            return usual
        self._failures += 1
        return max(usual, min(LONGEST_REST, usual * 2.0 ** min(self._failures - 1, MOST_DOUBLINGS)))

    def _newest(self, check: _Check, ledger: Ledger) -> Newest:
        if self._transport is None:
            self._transport = connect(self._settings, self._provider, self._stopping)
        reading = Reading(
            spec=check.spec,
            transport=self._transport,
            settings=self._settings,
            since=check.known.since,
            emit=_ignore,
            ledger=ledger,
            lanes=1,
            once_per_run=OncePerRun(),
        )
        return check.source.newest(reading)


def _ignore(_: Item) -> None:
    """Take what nobody asked for."""

"""One endpoint group: what was sent to it, what was told of its limit, and the pace that follows."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.transport.pacing.headers import LEAST_PER_SECOND, LONGEST_WINDOW, MOST_PER_SECOND
from tap_crm.transport.pacing.pacer import SHARE_OF_LIMIT
from tap_crm.transport.pacing.sent import OwnTimes
from tap_crm.transport.pacing.window import Window

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tap_crm.transport.pacing.headers import Told
    from tap_crm.transport.pacing.pacer import Pacer

SHORTEST_WINDOW = 1.0
MINUTE = 60.0
#: A server may tell of several limits, each time of the one that is nearest; one it no longer speaks of is forgotten.
REMEMBERED = 120.0
#: What a 429 takes from the pace where nothing explains it, and what a time without one gives back.
EASE, LEAST_EASE, RECOVERY, RECOVERY_SECONDS = 0.9, 0.3, 0.02, 5.0


#: Nobody pauses longer unasked: then a 429 says for how long, and the time for retries says whether it is worth it.
LONGEST_PAUSE = 60.0

#: So much of a limit per window of so many seconds: limit, window, share.
Pace = tuple[float, float, float]


class Times:
    """When something happened, as far back as any window reaches."""

    def __init__(self, times: Iterable[float] = ()) -> None:
        self._times = sorted(times)
        self._first = self._times[0] if self._times else None
        self._count = len(self._times)

    def __iter__(self) -> Iterator[float]:
        return iter(self._times)

    def add(self, now: float) -> None:
        """Note that it happened now."""
        self._first = now if self._first is None else self._first
        self._count += 1
        self._times.append(now)
        if len(self._times) % 1000 == 0:
            del self._times[: bisect_left(self._times, now - LONGEST_WINDOW)]

    def density(self, interval: float, now: float) -> float:
        """Return how often it happened, as a share of once every so many seconds since the first time."""
        return 0.0 if self._first is None else self._count / ((now - self._first) / interval + 1)

    def within(self, seconds: float, now: float) -> int:
        """Return how often it happened in the last seconds."""
        return len(self._times) - bisect_left(self._times, now - seconds)


@dataclass(slots=True)
class _Bucket:
    """A limit that the server told: so many requests in a window, of which the longest rest seen is the best guess."""

    limit: float
    window: float
    since: float
    settled_at: float
    seen: float

    @property
    def rate(self) -> float:
        return self.limit / self.window


class Group:
    """Requests that are thought to count against one limit; whoever calls holds the lock of all groups."""

    def __init__(self, pacer: Pacer, per_minute: float, share: float = 1.0) -> None:
        self.pacer = pacer
        self.sent = Times()
        self.refused = Times()
        self._per_minute = per_minute
        self._share = share
        self._buckets: dict[float, _Bucket] = {}
        self._ease = 1.0
        self._eased_at = 0.0
        self._pace: tuple[Pace, Window | None, bool] | None = None

    def used(self, now: float, slowest: float = 0.0) -> float:
        """Return the share of the limit that was used since the first request; 0 without a limit.

        Args:
            now: the clock's time.
            slowest: the seconds between two requests that all groups keep.
        """
        interval = max(self.pacer.interval, slowest)
        return min(1.0, SHARE_OF_LIMIT * self.sent.density(interval, now)) if interval else 0.0

    @classmethod
    def of(cls, groups: Collection[Group], pacer: Pacer, per_minute: float, now: float, share: float = 1.0) -> Group:
        """Return one group in the place of several, with all that they learned."""
        joined = cls(pacer, per_minute, share)
        for group in groups:
            joined._inherit(group)
            pacer.hold(group.pacer.held_until - now)
        joined.sent = Times(time for group in groups for time in group.sent)
        joined.refused = Times(time for group in groups for time in group.refused)
        pacer.sent = OwnTimes(list(joined.sent))
        joined.adapt(None, now, limited=False)
        return joined

    def _inherit(self, other: Group) -> None:
        for limit, bucket in other._buckets.items():
            known = self._buckets.setdefault(limit, bucket)
            known.window = max(known.window, bucket.window)

    @property
    def limit(self) -> float | None:
        """The limit as it was told; None while it is not known."""
        bucket = self._tightest()
        return bucket.limit if bucket else None

    @property
    def window(self) -> float:
        """The seconds in which the limit is counted; a minute while that is not known."""
        bucket = self._tightest()
        return bucket.window if bucket else MINUTE

    def accepted(self, seconds: float, now: float) -> int:
        """Return how many requests of the last seconds were sent and not refused."""
        return self.sent.within(seconds, now) - self.refused.within(seconds, now)

    def take(self, told: Told, now: float) -> None:
        """Keep what was told of the limit, if it makes sense."""
        if told.limit is None:
            return
        known = self._buckets.get(told.limit)
        rest = told.window or told.reset or 0.0
        window = max(SHORTEST_WINDOW, rest, known.window if known else 0.0)
        if window > LONGEST_WINDOW or not LEAST_PER_SECOND <= told.limit / window <= MOST_PER_SECOND:
            return
        if known is None:
            # The first rest may be that of a window that others began: only after its end the whole one was seen.
            began_it = told.remaining is not None and told.limit - told.remaining <= self.sent.within(window, now)
            settled_at = now if told.window or began_it else now + window + 1.0
            known = self._buckets[told.limit] = _Bucket(told.limit, window, now, settled_at, now)
        known.window, known.seen = window, now
        for limit, bucket in list(self._buckets.items()):
            if now - bucket.seen > REMEMBERED:
                del self._buckets[limit]

    def adapt(self, told: Told | None, now: float, *, limited: bool) -> None:
        """Set the pace by all that is known, and by what the last answer said of the rest of its window."""
        bucket = self._tightest()
        if limited:
            self.pacer.calm()
        if bucket is None:
            return
        self._breathe(bucket, now, limited=limited)
        default, share = self._per_minute / MINUTE, SHARE_OF_LIMIT * self._share
        limit, window, is_settled = bucket.limit, bucket.window, now >= bucket.settled_at
        if bucket.rate > default and not is_settled:
            limit, window = self._per_minute, MINUTE
            pace: Pace = (limit, window, share)
        else:
            pace = (limit, window, share * self._ease)
        whole: Window | None = None
        is_even = self._ease < 1.0
        if is_settled or (self.pacer.knows_window and not is_even):
            whole = Window(max(1, int(limit * self._share)), window if is_settled else max(window, MINUTE))
        if told is not None and not limited and told.limit == bucket.limit:
            slower = self._for_the_rest(told, bucket, now)
            if slower is not None and _rate(slower) < _rate(pace):
                pace, is_even = slower, True
        if (pace, whole, is_even) != self._pace:
            self._pace = pace, whole, is_even
            self.pacer.pace(*pace, whole=whole, is_even=is_even)

    def _for_the_rest(self, told: Told, bucket: _Bucket, now: float) -> Pace | None:
        """Return a slower pace where the window would be used up before its end: somebody else sends as well."""
        if told.remaining is None or told.reset is None:
            return None
        margin = max(1.0, 0.02 * bucket.limit)
        # What we did not send, others did. A rest that is rounded up is by less than a second longer than the true one;
        # one that is the whole is that of a window that has just begun, or of one that rolls.
        is_whole = told.reset > bucket.window - 1.0
        since = bucket.window if is_whole else bucket.window - told.reset + 1.0
        others = bucket.limit - told.remaining - max(self.sent.within(since, now), self.pacer.sent_within(since))
        if others <= margin:
            return None
        if is_whole:
            return max(1.0, bucket.limit - others), bucket.window, SHARE_OF_LIMIT * self._share * self._ease
        if told.remaining + margin >= bucket.limit * (told.reset - 1.0) / bucket.window:  # a rest is rounded up
            return None
        if told.remaining:
            return self._share * told.remaining, min(told.reset, told.remaining * LONGEST_PAUSE), 1.0
        self.pacer.hold(min(told.reset, LONGEST_PAUSE))
        return None

    def _breathe(self, bucket: _Bucket, now: float, *, limited: bool) -> None:
        """Go slower for a while after a 429 that came though the pace was under the limit: others send as well."""
        since = now - self._eased_at
        if limited and since > bucket.window and now - bucket.since > bucket.window:
            self._ease = max(LEAST_EASE, self._ease * EASE)
            self._eased_at = now
        elif self._ease < 1.0 and since > bucket.window + RECOVERY_SECONDS:
            self._ease = min(1.0, self._ease + RECOVERY)
            self._eased_at = now

    def _tightest(self) -> _Bucket | None:
        return min(self._buckets.values(), key=lambda bucket: bucket.rate, default=None)


def _rate(pace: Pace) -> float:
    limit, window, share = pace
    return limit * share / window

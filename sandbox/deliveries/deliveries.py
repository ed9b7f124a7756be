"""Delivers events from threads of its own: late, twice, out of order or never, as the knobs say."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from dataclasses import replace
from threading import Condition, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from sandbox.deliveries.clock import ScaledClock
from sandbox.deliveries.delivery import Attempt, Delivery
from sandbox.deliveries.sender import succeeded

if TYPE_CHECKING:
    from threading import RLock

    from sandbox.behaviour import CommonBehaviour
    from sandbox.deliveries.delivery import Outcome, Post
    from sandbox.deliveries.knobs import Events
    from sandbox.deliveries.sender import Sender
    from sandbox.exchange import Record

_OWN_HOSTS = ("127.0.0.1", "localhost", "::1")
_LONGEST_WAIT = 3_600.0


class Deliveries:
    """Every delivery that was made, and the threads that make them; they start with the first one.

    `lock` is the records' lock: deliveries are made and attempted with it held, and sent without it, so that a change
    that is still going on is told as a whole, and no answer waits for an address.
    """

    def __init__(self, behaviour: CommonBehaviour, lock: RLock, sender: Sender | None = None) -> None:
        self.behaviour = behaviour
        self.sender = sender
        self.log: list[Delivery] = []
        self._lock = lock
        self._clock = ScaledClock()
        self._changed = Condition()
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._paused: list[Delivery] = []
        self._latest: dict[tuple[int | str, object], Delivery] = {}
        self._backlog: Counter[int | str] = Counter()
        self._sending = 0
        self._threads: list[Thread] = []
        self._ended = False

    @property
    def knobs(self) -> Events:
        """How deliveries go at present."""
        return self.behaviour.events

    def now(self) -> float:
        """Read the clock of deliveries."""
        with self._changed:
            return self._clock.now(self.knobs)

    def reaches(self, url: str) -> bool:
        """Tell whether an address may be called; nothing is delivered to any other."""
        return urlsplit(self._led_to(url)).hostname in (*_OWN_HOSTS, *self.knobs.hosts)

    def start(self) -> None:
        """Start the threads; the first delivery does, too."""
        with self._changed:
            if self._threads or self._ended:
                return
            self._threads = [
                Thread(target=self._work, daemon=True, name="deliveries") for _ in range(max(self.knobs.parallel, 1))
            ]
        for one in self._threads:
            one.start()

    def make(
        self, subscription: int | str, tells: Record, content: bytes, *, wait: float = 0.0, lost: str = ""
    ) -> None:
        """Make a delivery that waits at least so long; with `lost`, the reason why nothing is ever sent of it."""
        knobs, now = self.knobs, self.now()
        made = Delivery(len(self.log) + 1, subscription, tells, content, now, now + wait)
        self.log.append(made)
        rng = made.draw(knobs.seed)
        chances = rng.random(), rng.random(), rng.random()
        if lost or chances[0] < knobs.loss:
            made.outcome, made.reason = "lost", lost or "knob"
            return
        made.due += knobs.delay * (chances[1] if knobs.delays == "drawn" else 1.0)
        self._await(made)
        if chances[2] < knobs.duplicates:
            again = replace(made, number=len(self.log) + 1, tells=tells | {"again": True}, attempts=[])
            again.due = made.due + knobs.delay * (rng.random() if knobs.delays == "drawn" else 0.0)
            self.log.append(again)
            self._await(again)

    def unsent(self, subscription: int | str, what: object) -> Delivery | None:
        """Give the latest delivery to a subscription with this `id` in what it tells, if it was not attempted yet."""
        found = self._latest.get((subscription, what))
        return found if found and found.outcome == "waiting" and not found.attempts and not found.started else None

    def backlog(self, subscription: int | str) -> int:
        """Count what waits for a subscription."""
        return self._backlog[subscription]

    def resume(self, subscription: int | str, *, drop: bool) -> None:
        """Deliver, or drop, what was held back while a subscription was paused."""
        with self._changed:
            held = [one for one in self._paused if one.subscription == subscription]
            self._paused = [one for one in self._paused if one.subscription != subscription]
            for one in held:
                if drop:
                    self._ended_with(one, "lost", "paused")
                else:
                    self._push(one)

    def take_back(self, after: int) -> None:
        """Forget the deliveries made after so many."""
        gone = {one.number for one in self.log[after:]}
        for one in self.log[after:]:
            self._ended_with(one, "withdrawn")
        del self.log[after:]
        with self._changed:
            self._waiting = [one for one in self._waiting if one[1] not in gone]
            heapq.heapify(self._waiting)
            self._paused = [one for one in self._paused if one.number not in gone]

    def advance(self, seconds: float = 0.0, timeout: float = 60.0) -> None:
        """Let so much time pass, one delivery after the other; return when all that is due by then was attempted.

        Raises:
            TimeoutError: some are still under way after `timeout` seconds of the machine's clock.
        """
        until, end = self.now() + seconds, time.monotonic() + timeout
        while True:
            self.settle(end - time.monotonic())
            with self._changed:
                if not self._waiting or self._waiting[0][0] > until:
                    break
                self._clock.advance_to(self._waiting[0][0], self.knobs)
                self._changed.notify_all()
        with self._changed:
            self._clock.advance_to(until, self.knobs)
            self._changed.notify_all()
        self.settle(end - time.monotonic())

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until nothing is due and nothing under way.

        Raises:
            TimeoutError: something still is after `timeout` seconds.
        """
        with self._changed:
            if not self._ended and not self._changed.wait_for(self._is_idle, max(timeout, 0.0)):
                raise TimeoutError("deliveries are still under way")

    def summary(self) -> Record:
        """Say what became of all deliveries."""
        with self._lock:
            found = [one.summary() for one in self.log]
        return {"counts": dict(Counter(one["outcome"] for one in found)), "now": self.now(), "log": found}

    def close(self) -> None:
        """End the threads; what is not sent by then never is."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for one in self._threads:
            one.join(self.knobs.timeout + 1.0)

    def _await(self, delivery: Delivery) -> None:
        self._backlog[delivery.subscription] += 1
        self._latest[delivery.subscription, delivery.tells.get("id")] = delivery
        with self._changed:
            self._push(delivery)
        self.start()

    def _push(self, delivery: Delivery) -> None:
        heapq.heappush(self._waiting, (delivery.due, delivery.number, delivery))
        self._changed.notify_all()

    def _is_due(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= self._clock.now(self.knobs)

    def _is_idle(self) -> bool:
        return not self._sending and not self._is_due()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while self._wait():
                self._deliver_next(session)
                with self._changed:
                    self._sending -= 1
                    self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait for something that is due, and count it as under way; false at the end."""
        with self._changed:
            while not self._ended:
                if self._is_due():
                    self._sending += 1
                    return True
                self._changed.wait(self._until_next())
        return False

    def _until_next(self) -> float | None:
        scale = self.knobs.time_scale
        if not self._waiting or scale <= 0:
            return None
        return min(max(self._waiting[0][0] - self._clock.now(self.knobs), 0.0) / scale, _LONGEST_WAIT)

    def _deliver_next(self, session: requests.Session) -> None:
        with self._lock:
            delivery = self._next()
            if delivery is None or self.sender is None:
                return
            knobs = self.knobs
            right = delivery.draw(knobs.seed + 1).random() >= knobs.wrong_signatures
            post = self.sender.post(delivery, right=right)
        at = self.now()
        status, error = self._sent(session, post)
        with self._lock:
            delivery.attempts.append(Attempt(at, status, error, "right" if right else "wrong"))
            self._settled(delivery, status)

    def _next(self) -> Delivery | None:
        """Take what is due and may be attempted."""
        with self._changed:
            while self._is_due() and self.sender is not None:
                delivery = heapq.heappop(self._waiting)[2]
                state = self.sender.state(delivery)
                if state == "ready":
                    delivery.started = True
                    return delivery
                if state == "paused":
                    self._paused.append(delivery)
                else:
                    self._ended_with(delivery, "withdrawn", state)
        return None

    def _settled(self, delivery: Delivery, status: int) -> None:
        if self.sender is None:
            return
        due = self.sender.again(delivery, self.now())
        if due is not None:
            delivery.due = due
            with self._changed:
                self._push(delivery)
            return
        self._ended_with(delivery, "delivered" if succeeded(status) else "failed", delivery.reason)

    def _ended_with(self, delivery: Delivery, outcome: Outcome, reason: str = "") -> None:
        if delivery.outcome == "waiting":
            self._backlog[delivery.subscription] -= 1
        delivery.outcome, delivery.reason = outcome, reason

    def _sent(self, session: requests.Session, post: Post) -> tuple[int, str]:
        """Send a request; give the status of its answer, or 0 and why there is none."""
        try:
            answer = session.post(
                self._led_to(post.url),
                data=post.body,
                headers={"Content-Type": "application/json"} | post.headers,
                timeout=self.knobs.timeout,
                allow_redirects=False,
                verify=post.verify,
            )
        except (requests.RequestException, ValueError) as error:
            return 0, type(error).__name__
        return answer.status_code, ""

    def _led_to(self, url: str) -> str:
        for public, own in self.knobs.proxies.items():
            if url.startswith(public):
                return own + url.removeprefix(public)
        return url

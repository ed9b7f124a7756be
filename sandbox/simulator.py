"""What every sandbox does with a request: check credentials and limits, wait, make changes and faults, answer."""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sandbox import control
from sandbox.deliveries.deliveries import Deliveries
from sandbox.exchange import Answer, Header, Refusal, Request, encoded, request_from
from sandbox.faults import KEPT, NOT_CARRIED_OUT, FaultRule, Kind, damaged, pick
from sandbox.limits import RollingWindow, retry_after
from sandbox.revocations import Revocations
from sandbox.stats import Answered, Stats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.account import Account
    from sandbox.behaviour import CommonBehaviour
    from sandbox.exchange import Record

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True, frozen=True)
class Moment:
    """What an `on_answer` callback learns; `answer` is None before the answer is made."""

    when: Literal["before", "after"]
    request: Request
    answer: Answer | None


Callback: TypeAlias = Callable[[Moment], None]


class Simulator(ABC):
    """What a sandbox serves, its behaviour and the statistics, as an ASGI application."""

    base_path = ""
    account: Account
    behaviour: CommonBehaviour
    stats: Stats
    deliveries: Deliveries
    """Events that were sent to addresses that subscribed to them, or will be."""

    def __init__(self, account: Account, behaviour: CommonBehaviour) -> None:
        self.account = account
        self.behaviour = behaviour
        self.stats = Stats()
        self.window = RollingWindow()
        self.revocations = Revocations()
        self.deliveries = Deliveries(behaviour, account.lock)
        self._callbacks: list[Callback] = []
        self._number = 0
        self._date = (0, b"")

    @abstractmethod
    def authorise(self, request: Request) -> None:
        """Raise a Refusal unless the request may be answered."""

    @abstractmethod
    def secrets(self) -> Iterable[str]:
        """Give every key and token that is let in."""

    def revoke(self, key: str | None = None, after: int = 0) -> None:
        """Let one key or token (or every one) answer 401 after so many more answers."""
        self.revocations.revoke([key] if key else self.secrets(), after)

    def start(self) -> None:
        """Start what runs beside the answers."""
        self.deliveries.start()

    def close(self) -> None:
        """End what runs beside the answers."""
        self.deliveries.close()

    def restore(self) -> None:
        """Make revoked keys and tokens valid again."""
        self.revocations.restore()

    def count_secret(self, secret: str, *, valid: bool, refusal: str) -> None:
        """Count an answer that a key or token gets; refuse it if it is not valid or was revoked."""
        if not valid or self.revocations.revoked(secret):
            raise Refusal(401, refusal)
        self.revocations.count(secret)

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Answer a request that passed; called with the records locked."""

    @abstractmethod
    def is_search(self, request: Request) -> bool:
        """Whether the request asks for a page of a searched object."""

    def is_list(self, request: Request) -> bool:
        """Whether the answer to a request may be empty: that of a search, and of a list that has no search."""
        return self.is_search(request)

    def is_write(self, request: Request) -> bool:
        """Whether the request is one to create, change or delete something."""
        return request.method not in ("GET", "HEAD")

    def written(self, request: Request, answer: Answer | None) -> list[tuple[str, int | str]]:  # noqa: ARG002
        """Give the objects and ids of the records that a write is about, as far as they are known before its answer."""
        return []

    @abstractmethod
    def shortened(self, answer: Answer, kept: float) -> Answer:
        """Leave a part of the records of an answer to a search or a list, as if there were no more."""

    @abstractmethod
    def error_body(self, status: int, message: str) -> object:
        """The API's error envelope."""

    @abstractmethod
    def changing(self, request: Request) -> str | None:
        """Give the name of the object that a request reads, if the `churn` knob can change it."""

    def churn_verbs(self, name: str) -> tuple[str, ...]:  # noqa: ARG002
        """Which verbs of the `churn` knob an object has."""
        return ("edit", "delete", "create")

    def churn(self, request: Request) -> None:
        """Change the searched object as the `churn` knob says."""
        churn = self.behaviour.churn
        name = self.changing(request)
        if name is None or (churn.objects and name not in churn.objects):
            return
        for verb in self.churn_verbs(name):
            if count := getattr(churn, verb):
                self.account.change(verb, {"object": name, "count": count})

    def meanwhile(self, when: Literal["before", "after"], request: Request, answer: Answer | None) -> None:
        """Let somebody else change or delete the written records, as the `meanwhile` knob says."""
        knob = self.behaviour.meanwhile
        if knob.when != when or knob.every <= 0:
            return
        for name, number in self.written(request, answer):
            if number in self.account.ids(name) and knob.due(name):
                order: Record = {"object": name, "ids": [number]}
                if knob.delete:
                    self.account.change("delete", order)
                else:
                    self.account.change("edit", order | ({"changes": dict(knob.changes)} if knob.changes else {}))

    def outside_path(self, path: str) -> str:  # noqa: ARG002
        """Give the route of a path outside of the base path; `?` is none."""
        return "?"

    def wait(self, request: Request) -> float:  # noqa: ARG002
        """Admit a request (0.0) or say how many seconds it has to wait."""
        return self.window.wait(self.behaviour.rate_limit, self.behaviour.rate_window)

    def too_many(self, request: Request, wait: float) -> Refusal:  # noqa: ARG002
        """Refuse a request that has to wait."""
        headers = retry_after(self.behaviour.retry_after, wait, self.now())
        return Refusal(429, "Rate limit exceeded", headers)

    def forget_limits(self) -> None:
        """Admit as if nothing had been asked yet."""
        self.window.clear()

    def normalise(self, request: Request) -> None:  # noqa: B027
        """Put an admitted request into its usual form."""

    def headers(self, request: Request) -> list[Header]:  # noqa: ARG002
        """Headers of every answer."""
        return []

    def on_answer(self, callback: Callback) -> Callable[[], None]:
        """Call back right before and after each answer is made; gives the function that ends it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def now(self) -> float:
        """Read the server's clock."""
        return time.time() + self.behaviour.clock_skew

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        arrived = time.time()
        if scope["path"].startswith("/_sandbox"):
            request = request_from(scope, 0, arrived, "/_sandbox")
            request.body = await _body(receive)
            await self._send(send, await asyncio.to_thread(control.answer, self, request))
            return
        self._number += 1
        request = request_from(scope, self._number, arrived, self.base_path)
        self.stats.arrive(arrived)
        try:
            request.body = await _body(receive)
            if not scope["path"].startswith(self.base_path + "/"):
                request.path = self.outside_path(scope["path"])
            await self._exchange(request, receive, send)
        finally:
            self.stats.leave()

    async def _exchange(self, request: Request, receive: Receive, send: Send) -> None:
        refused = False
        fault: tuple[Kind, FaultRule] | None = None
        writes = self.is_write(request)
        try:
            self.authorise(request)
            wait = self.wait(request)
            if wait:
                refused = True
                raise self.too_many(request, wait)
            self.normalise(request)
            fault = pick(self.behaviour.faults, request, lists=self.is_list(request), writes=writes)
            await self._latency()
            answer = self._faulty(request, fault) if fault else self._made(request)
        except Refusal as refusal:
            if refused:
                await self._latency()
            answer = self._refusal(refusal)
        answer.headers = [*answer.headers, *self.headers(request)]
        kind = fault[0] if fault else None
        status = 0 if kind in ("drop", "stall") else answer.status
        self.stats.note(
            Answered(
                request.number,
                request.arrived,
                request.method,
                request.path,
                request.query,
                request.body,
                status,
                kind,
                refused,
                answer.size,
                writes,
            )
        )
        if fault:
            await self._send_fault(fault, answer, receive, send)
        else:
            await self._send(send, answer)

    async def _latency(self) -> None:
        if self.behaviour.latency_ms > 0:
            await asyncio.sleep(self.behaviour.latency_ms / 1000)

    def _made(self, request: Request) -> Answer:
        for callback in list(self._callbacks):
            callback(Moment("before", request, None))
        try:
            with self.account.lock:
                if self.is_search(request):
                    self.churn(request)
                writes = self.is_write(request)
                if writes and request.path.startswith(tuple(self.behaviour.forbidden_writes)):
                    raise Refusal(403, "You are not authorized to perform this action")  # noqa: TRY301
                if writes:
                    self.meanwhile("before", request, None)
                answer = self.answer(request)
                if writes:
                    self.meanwhile("after", request, answer)
        except Refusal as refusal:
            answer = self._refusal(refusal)
        for callback in list(self._callbacks):
            callback(Moment("after", request, answer))
        return answer

    def _refusal(self, refusal: Refusal) -> Answer:
        if refusal.body is None:
            answer = encoded(self.error_body(refusal.status, refusal.message), refusal.status)
        else:
            answer = Answer(refusal.status, refusal.body)
        answer.headers = refusal.headers
        return answer

    def _faulty(self, request: Request, fault: tuple[Kind, FaultRule]) -> Answer:
        kind, rule = fault
        request.effect = rule.effect or ("none" if kind in NOT_CARRIED_OUT else "whole")
        if kind in NOT_CARRIED_OUT and request.effect != "none":
            self._made(request)
        if kind.isdigit():
            headers = []
            if rule.retry_after is not None:
                headers = [(b"retry-after", str(math.ceil(rule.retry_after)).encode())]
            return self._refusal(Refusal(int(kind), "Something went wrong", headers))
        if kind in ("drop", "stall"):
            return Answer(0, b"")
        answer = self._made(request)
        return self.shortened(answer, KEPT[kind]) if kind in KEPT else damaged(kind, answer, rule.text)

    async def _send_fault(self, fault: tuple[Kind, FaultRule], answer: Answer, receive: Receive, send: Send) -> None:
        kind, rule = fault
        if kind in ("stall", "slow_headers"):
            with suppress(TimeoutError):
                await asyncio.wait_for(_gone(receive), rule.seconds)
        if kind in ("drop", "stall"):
            await close_connection(receive, send)
        elif kind == "cut_connection":
            await send(self._start(answer))
            body = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await close_connection(receive, send)
        else:
            await self._send(send, answer)

    async def _send(self, send: Send, answer: Answer) -> None:
        await send(self._start(answer))
        await send({"type": "http.response.body", "body": answer.body})

    def _start(self, answer: Answer) -> dict[str, Any]:
        second = int(self.now())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True).encode())
        headers = [
            *([(b"date", self._date[1])] if self.behaviour.dates else []),
            (b"content-type", answer.content_type),
            (b"content-length", str(len(answer.body)).encode()),
            *answer.headers,
        ]
        return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def close_connection(receive: Receive, send: Send) -> None:
    """Close the connection under uvicorn, which has no message for it."""
    cycle: Any = getattr(send, "__self__", None)
    cycle.transport.close()
    await _gone(receive)

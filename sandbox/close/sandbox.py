"""The Close server: an organization behind the API's rules."""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING

import msgspec

from sandbox.behaviour import configure
from sandbox.close import routes
from sandbox.close.behaviour import Behaviour, named
from sandbox.close.object_types import SEARCHED, TABLES
from sandbox.close.organization import CloseAccount
from sandbox.close.service import Service
from sandbox.close.webhooks import Webhooks
from sandbox.exchange import Answer, Record, Refusal, Request, encoded
from sandbox.faults import first_part
from sandbox.limits import RollingWindow, retry_after
from sandbox.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.close.shape import Shape
    from sandbox.exchange import Header

API_KEY = "api_1sandboxkeyofclose00000.1sandboxsecret0000000000"
SECOND_KEY = "api_2sandboxkeyofclose00000.2sandboxsecret0000000000"

_TOKEN_PATH = "oauth2/token"  # noqa: S105
_ORGANIZATION = 3


class CloseSandbox(Simulator):
    """Close's API over an organization; `account`, `behaviour` and `stats` may be used while it serves."""

    base_path = "/api/v1"
    account: CloseAccount
    behaviour: Behaviour

    def __init__(self, account: CloseAccount) -> None:
        super().__init__(account, account.behaviour)
        account.clock = self.now
        self.service = Service(account)
        self.oauth = self.service.oauth
        self.searcher = self.service.searcher
        self.keys = {API_KEY, SECOND_KEY}
        self._windows: dict[tuple[str, str], RollingWindow] = {}
        account.webhooks = Webhooks(account, self.deliveries)
        self.deliveries.sender = account.webhooks

    def secrets(self) -> Iterable[str]:
        """Give every key and token that is let in."""
        return [*self.keys, *self.oauth.access]

    def outside_path(self, path: str) -> str:
        """Give the route of the token endpoint, which is outside of the base path."""
        return _TOKEN_PATH if path.strip("/") == _TOKEN_PATH else "?"

    def authorise(self, request: Request) -> None:
        """Check the credentials (close.md, section 2)."""
        if request.path == _TOKEN_PATH:
            request.key = _TOKEN_PATH
            return
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            secret = _api_key(secret)
            valid = secret in self.keys
        else:
            valid = scheme == "Bearer" and self.oauth.valid(secret)
        self.count_secret(secret, valid=valid, refusal="The authentication credentials are missing or invalid.")
        request.key = secret

    def wait(self, request: Request) -> float:
        """Admit by the limits of the key and of the organization (close.md, section 4)."""
        limit, seconds = self._limit(request), self.behaviour.rate_window
        wait = self._window(request).wait(limit, seconds)
        return wait or self._window(request, "organization").wait(_ORGANIZATION * limit, seconds)

    def too_many(self, request: Request, wait: float) -> Refusal:
        """Refuse a request that has to wait."""
        headers = retry_after(self.behaviour.retry_after, wait, self.now())
        seconds = math.ceil(wait)
        limit = self._limit(request)
        old = {"message": "API call count exceeded", "rate_limit": limit, "rate_reset": seconds, "rate_window": 1}
        bodies: dict[str, bytes] = {
            "none": b"",
            "error": msgspec.json.encode({"error": old}),
            "top_level": msgspec.json.encode(old),
            "text": b"Too many requests",
        }
        return Refusal(429, "Too many requests", headers, bodies[self.behaviour.rate_body])

    def headers(self, request: Request) -> list[Header]:
        """Give the headers about the rate limit, on every answer."""
        limit, form = self._limit(request), self.behaviour.rate_header
        if limit <= 0 or not request.key:
            return []
        left, reset = self._window(request).left(limit, self.behaviour.rate_window)
        found: list[Header] = []
        if form != "none":
            parts = (f"limit={limit}", f"remaining={left}", f"reset={math.ceil(reset)}")
            found.append((b"ratelimit", (", " if form == "comma" else "; ").join(parts).encode()))
        if self.behaviour.legacy_rate_headers:
            for name, value in (("limit", str(limit)), ("remaining", str(left)), ("reset", f"{reset:.3f}")):
                found.append((f"x-rate-limit-{name}".encode(), value.encode()))
        return found

    def forget_limits(self) -> None:
        """Admit as if nothing had been asked yet."""
        self._windows.clear()

    def normalise(self, request: Request) -> None:
        """Turn a POST that is meant as a GET into one (close.md, section 2)."""
        if request.method != "POST" or request.headers.get("x-http-method-override", "").upper() != "GET":
            return
        try:
            given = msgspec.json.decode(request.body, type=dict)["_params"]
            request.query |= {name: _text(value) for name, value in given.items()}
        except (msgspec.DecodeError, KeyError, AttributeError):
            raise Refusal(400, "The body must be an object with _params") from None
        request.method = "GET"

    def answer(self, request: Request) -> Answer:
        """Answer a request by its route, unless its resource is forbidden."""
        trace = self._trace()
        try:
            answer = self._routed(request)
        except Refusal as refusal:
            refusal.headers = [*refusal.headers, *trace]
            raise
        answer.headers = [*answer.headers, *trace]
        return answer

    def _routed(self, request: Request) -> Answer:
        if named(self.behaviour.forbidden, request.path):
            body = b"<html><h1>403 Forbidden</h1></html>" if self.behaviour.forbidden_body == "html" else None
            raise Refusal(403, "You do not have permission to do that.", body=body)
        if (
            request.method in ("POST", "PUT")
            and request.path != _TOKEN_PATH
            and request.media_type != "application/json"
        ):
            raise Refusal(415, "Content-Type must be application/json")
        return routes.answer(self.service, request)

    def _trace(self) -> list[Header]:
        """Name the request in its answer, by the id that events have of it or by another."""
        ids = self.service.request_ids
        self.service.request_id = ids.short("req")
        form = self.behaviour.trace_id
        if form == "none":
            return []
        return [(b"trace-id", (self.service.request_id if form == "request_id" else ids.long("trace")).encode())]

    def is_search(self, request: Request) -> bool:
        """Whether the request asks for a page of records."""
        return routes.is_list(request)

    def is_write(self, request: Request) -> bool:
        """Whether the request may create, change or delete something; a POST that is meant as a GET may not."""
        overridden = request.headers.get("x-http-method-override", "").upper() == "GET"
        return not overridden and routes.is_write(request)

    def written(self, request: Request, answer: Answer | None) -> list[tuple[str, int | str]]:
        """Give the record that a write is about, if it is about one."""
        return [(name, number) for name, number in routes.written(request, answer)]

    def shortened(self, answer: Answer, kept: float) -> Answer:
        """Wrongly say that there is nothing, or less than there is, and no more to come."""
        body: Record = msgspec.json.decode(answer.body)
        if "data" not in body:
            return answer
        ends: Record = {key: None for key in ("cursor", "cursor_next", "cursor_previous") if key in body}
        return encoded({"data": first_part(body["data"], kept)} | (ends or {"has_more": False}))

    def error_body(self, status: int, message: str) -> Record:  # noqa: ARG002
        """The plainer one of the two error envelopes (close.md, section 3)."""
        return {"error": message}

    def changing(self, request: Request) -> str | None:
        """Give the name of the object that a request lists or searches."""
        name = _searched(request) if request.path == "data/search" else routes.name_of(request)
        if name is None and request.path == "activity":
            name = self.service.rng.choice(("emails", "notes", "calls"))
        return name if name in TABLES else None

    def churn_verbs(self, name: str) -> tuple[str, ...]:
        """Which verbs of the `churn` knob an object has."""
        return (*super().churn_verbs(name), *(["merge"] if name == "leads" else []))

    def _limit(self, request: Request) -> int:
        """Give the limit of the group that a request belongs to."""
        return self.behaviour.rate_limits.get(request.path.partition("/")[0], self.behaviour.rate_limit)

    def _window(self, request: Request, whose: str = "") -> RollingWindow:
        parts = request.path.split("/")
        group = f"{request.method} {request.path if parts[0] == 'data' else parts[0]}"
        key = (whose or request.key, "" if self.behaviour.rate_scope == "key" else group)
        return self._windows.setdefault(key, RollingWindow())


def _api_key(encoded_pair: str) -> str:
    """Give the user name of Basic credentials whose password is empty."""
    try:
        name, _, password = base64.b64decode(encoded_pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return "" if password else name


def _text(value: object) -> str:
    """Write a parameter of a body as a query string would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _searched(request: Request) -> str | None:
    """Give the name of what a search looks for, if the body says it in the usual way."""
    for kind, name in SEARCHED.items():
        if f'"object_type":"{kind}"'.encode() in request.body.replace(b" ", b""):
            return name
    return None


def close_app(shape: Shape | None = None, behaviour: Behaviour | None = None, **knobs: object) -> CloseSandbox:
    """Make a server of a generated organization: `close_app(Shape(leads=10), rate_limit=0)`."""
    chosen = behaviour or Behaviour()
    configure(chosen, dict(knobs))
    return CloseSandbox(CloseAccount(shape, chosen))

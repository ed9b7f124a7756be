"""The Copera server: a workspace behind the API's rules."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.behaviour import configure
from sandbox.copera import routes
from sandbox.copera.behaviour import Behaviour
from sandbox.copera.booking_webhooks import BookingWebhooks
from sandbox.copera.parameters import CheckedRequest, path_part, read
from sandbox.copera.rows_answer import RowsAnswer
from sandbox.copera.service import Service
from sandbox.copera.tokens import API_KEY, BOT, OAUTH_TOKEN, PAT, Token, kind_of, reaches
from sandbox.copera.tree_routes import FILES, fetched
from sandbox.copera.workspace import CoperaAccount
from sandbox.copera.writing import CREATE_ROW
from sandbox.exchange import Answer, Record, Refusal, Request, encoded
from sandbox.faults import first_part
from sandbox.limits import FixedWindow, retry_after
from sandbox.simulator import Simulator, close_connection
from sandbox.stats import most_within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Header
    from sandbox.simulator import Send

_CODES = {
    400: "INVALID_PARAMETER",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    429: "RATE_LIMIT",
}


class CoperaSandbox(Simulator):
    """Copera's API over a workspace; `account`, `behaviour` and `stats` may be used while it serves."""

    base_path = "/public/v1"
    account: CoperaAccount
    behaviour: Behaviour

    def __init__(self, account: CoperaAccount) -> None:
        super().__init__(account, account.behaviour)
        account.clock = self.now
        self.service = Service(account)
        self.tokens: dict[str, Token] = {}
        for secret in (PAT, API_KEY, OAUTH_TOKEN):
            self.admit(secret)
        self._windows: dict[tuple[str, str], FixedWindow] = {}
        self._answers: dict[str, int] = {}
        account.booking_webhooks = BookingWebhooks(account, self.deliveries)
        self.deliveries.sender = account.booking_webhooks

    def admit(self, secret: str) -> None:
        """Let a token in; ValueError if its prefix is none of Copera's."""
        kind = kind_of(secret)
        if kind is None:
            raise ValueError("a token begins with cp_pat_, cp_key_ or cp_oat_")
        members = list(self.account.lists["members"])
        self.tokens[secret] = Token(kind, BOT if kind == "key" else members[0])

    def secrets(self) -> Iterable[str]:
        """Give every token that is let in."""
        return list(self.tokens)

    def restore(self) -> None:
        """Make revoked and expired tokens valid again."""
        super().restore()
        self._answers.clear()

    def outside_path(self, path: str) -> str:
        """Give the route of a file's address, which is outside of the base path."""
        return path.strip("/") if path.startswith(f"{FILES}/") else "?"

    def authorise(self, request: Request) -> None:
        """Check the token (copera.md, section 2)."""
        if request.whole_path.startswith(f"{FILES}/"):
            return
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        count, most = self._answers.get(secret, 0), self.behaviour.token_expires_after
        valid = scheme == "Bearer" and secret in self.tokens and (most is None or count < most)
        self.count_secret(secret, valid=valid, refusal="Invalid token")
        self._answers[secret] = count + 1
        request.key = secret

    def wait(self, request: Request) -> float:
        """Admit by the limit of the route (copera.md, section 3)."""
        limit, window = self._limit(request)
        if limit <= 0 or window is None:
            return 0.0
        knobs = self.behaviour
        return window.wait(limit, knobs.rate_window, self.now(), by_clock=knobs.window_start == "clock")

    def too_many(self, request: Request, wait: float) -> Refusal:  # noqa: ARG002
        """Refuse a request that has to wait."""
        headers = retry_after(self.behaviour.retry_after, wait, self.now())
        body: Record = {"error": "Rate limit exceeded", "code": "RATE_LIMIT"}
        if self.behaviour.limit_body == "retryAfter":
            body = self.error_body(429, "Rate limit exceeded") | {"retryAfter": math.ceil(wait)}
        return Refusal(429, "Rate limit exceeded", headers, msgspec.json.encode(body))

    def headers(self, request: Request) -> list[Header]:
        """Give the headers about the rate limit, on every answer of a limited route."""
        limit, window = self._limit(request)
        if limit <= 0 or window is None or not self.behaviour.rate_headers:
            return []
        reset = window.start + self.behaviour.rate_window
        shown = reset if self.behaviour.reset_form == "epoch" else max(reset - self.now(), 0)
        values = {"limit": limit, "remaining": window.left(limit), "reset": math.ceil(shown)}
        return [(f"x-ratelimit-{name}".encode(), str(value).encode()) for name, value in values.items()]

    def forget_limits(self) -> None:
        """Admit as if nothing had been asked yet."""
        self._windows.clear()

    def most_per_route(self, seconds: float) -> dict[str, int]:
        """Give, for each route, the greatest number of requests answered that arrived within any `seconds`."""
        times: dict[str, list[float]] = {}
        for one in list(self.stats.log):
            found = routes.find(Request(0, 0.0, one.method, one.path, {}, {}))
            times.setdefault(found[0].name if found else "?", []).append(one.arrived)
        return {name: most_within(found, seconds) for name, found in times.items()}

    def answer(self, request: Request) -> Answer:
        """Answer a request by its route."""
        if request.whole_path.startswith(f"{FILES}/"):
            return fetched(self.service, request)
        found = routes.find(request)
        if not found:
            raise Refusal(404, f"Route {request.method}:{request.whole_path} not found")
        route, parts = found
        token = self.tokens[request.key]
        if not reaches(token, route.area, self.behaviour):
            raise Refusal(403, f"You are not allowed to access {route.area}")
        path = {name: path_part(name, value) for name, value in parts.items()}
        given = read(request, route.parameters, self.behaviour)
        return route.handler(self.service, CheckedRequest(request, token, path, given))

    def is_search(self, request: Request) -> bool:
        """Whether the request asks for a list."""
        found = routes.find(request)
        return found is not None and found[0].listing

    def is_write(self, request: Request) -> bool:
        """Whether the request may create, change or delete something."""
        return routes.is_write(request)

    def written(self, request: Request, answer: Answer | None) -> list[tuple[str, int | str]]:
        """Give the row that a write is about, as `rows:` and its table's id, with its own."""
        found = routes.find(request)
        if not found or "tableId" not in found[1]:
            return []
        row_id = found[1].get("rowId")
        if row_id is None and answer is not None:
            row_id = msgspec.json.decode(answer.body).get("_id")
        return [(f"rows:{found[1]['tableId']}", row_id)] if row_id else []

    def shortened(self, answer: Answer, kept: float) -> Answer:
        """Wrongly say that there is nothing, or less than there is."""
        body: Any = msgspec.json.decode(answer.body)
        if isinstance(body, list):
            return encoded(first_part(body, kept))
        short = {key: first_part(value, kept) if isinstance(value, list) else value for key, value in body.items()}
        return encoded(short | ({"nextCursor": None} if "nextCursor" in body else {}))

    def error_body(self, status: int, message: str) -> Record:
        """One of the three error shapes (copera.md, section 3)."""
        code = _CODES.get(status, "INTERNAL_ERROR")
        if self.behaviour.error_shape == "code":
            return {"error": message, "code": code}
        if self.behaviour.error_shape == "message":
            return {"message": message, "code": code}
        return {"statusCode": status, "error": HTTPStatus(status).phrase, "message": message}

    def changing(self, request: Request) -> str | None:
        """Give the name of the list, or the id of the table, that a request reads."""
        found = routes.find(request)
        if not found:
            return None
        name = found[1]["tableId"] if found[0].template.endswith("/rows") else _LISTED.get(found[0].template)
        return name if name in self.account.tables or name in self.account.lists else None

    def _made(self, request: Request) -> Answer:
        answer = super()._made(request)
        breakable = isinstance(answer, RowsAnswer) and not answer.cut and self.behaviour.faults
        return answer.whole() if isinstance(answer, RowsAnswer) and breakable else answer

    async def _send(self, send: Send, answer: Answer) -> None:
        if not isinstance(answer, RowsAnswer):
            await super()._send(send, answer)
            return
        await send(self._start(answer))
        for part in answer.parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if answer.closes:
            cycle: Any = getattr(send, "__self__", None)
            await close_connection(cycle.receive, send)
        else:
            await send({"type": "http.response.body", "body": b""})

    def _start(self, answer: Answer) -> dict[str, Any]:
        start = super()._start(answer)
        if isinstance(answer, RowsAnswer):
            kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            length = answer.declared
            start["headers"] = kept + ([] if length is None else [(b"content-length", str(length).encode())])
        return start

    def _limit(self, request: Request) -> tuple[int, FixedWindow | None]:
        found = routes.find(request) if request.key else None
        if not found:
            return 0, None
        name, knobs = found[0].name, self.behaviour
        whose = self.tokens[request.key].user if self.behaviour.rate_scope == "user" else ""
        usual = knobs.create_limit if name == CREATE_ROW else knobs.rate_limit
        limit = knobs.rate_limits.get(name, usual)
        return limit, self._windows.setdefault((whose, name), FixedWindow())


_LISTED = {
    "workspace/members": "members",
    "workspace/teams": "teams",
    "chat/channels": "channels",
    "docs/tree": "documents",
    "drive/tree": "drive_files",
    "notifications": "notifications",
    "bookings": "bookings",
}


def copera_app(shape: Shape | None = None, behaviour: Behaviour | None = None, **knobs: object) -> CoperaSandbox:
    """Make a server of a generated workspace: `copera_app(Shape(rows=10), rate_limit=0)`."""
    chosen = behaviour or Behaviour()
    configure(chosen, dict(knobs))
    return CoperaSandbox(CoperaAccount(shape, chosen))

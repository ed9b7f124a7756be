"""The Copera server: one world behind the API's rules."""

from __future__ import annotations

import math
from bisect import bisect_right
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.behaviour import configure
from sandbox.copera import asking, routes, trees
from sandbox.copera.behaviour import Behaviour, RowsCut
from sandbox.copera.rows_answer import RowsAnswer
from sandbox.copera.tokens import API_KEY, OAUTH_TOKEN, PAT, Token, kind_of, reaches
from sandbox.copera.windows import FixedWindow
from sandbox.copera.world import CoperaWorld
from sandbox.exchange import Answer, Record, Refusal, Request, encoded
from sandbox.limits import retry_after
from sandbox.simulator import Simulator, close_connection

if TYPE_CHECKING:
    from sandbox.copera.asking import Ask
    from sandbox.copera.shape import Shape
    from sandbox.exchange import Header
    from sandbox.simulator import Send

_CODES = {
    400: "INVALID_PARAMETER",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    429: "RATE_LIMIT",
}
_BOT = "integration"


class CoperaSandbox(Simulator):
    """Copera's API over a world; `world`, `behaviour` and `stats` may be used while it serves."""

    base_path = "/public/v1"
    world: CoperaWorld
    behaviour: Behaviour

    def __init__(self, world: CoperaWorld) -> None:
        super().__init__(world, world.behaviour)
        world.clock = self.now
        self.rng = Random(world.shape.seed + 3)
        self.tokens: dict[str, Token] = {}
        for secret in (PAT, API_KEY, OAUTH_TOKEN):
            self.admit(secret)
        self._windows: dict[tuple[str, str], FixedWindow] = {}
        self._answers: dict[str, int] = {}
        self._left: dict[str, int] = {}
        self._cut = (RowsCut(), 0)
        self._churned = 0

    def admit(self, secret: str) -> None:
        """Let a token in; ValueError if its prefix is none of Copera's."""
        kind = kind_of(secret)
        if kind is None:
            raise ValueError("a token begins with cp_pat_, cp_key_ or cp_oat_")
        members = list(self.world.lists["members"])
        self.tokens[secret] = Token(kind, _BOT if kind == "key" else members[0])

    def revoke(self, key: str | None = None, after: int = 0) -> None:
        """Let one token (or every one) answer 401 after so many more answers."""
        for one in [key] if key else self.tokens:
            self._left[one] = after

    def restore(self) -> None:
        """Make revoked and expired tokens valid again."""
        self._left.clear()
        self._answers.clear()

    def elsewhere(self, path: str) -> str:
        """Know the addresses of files, which lie outside of the base path."""
        return path.strip("/") if path.startswith(f"{trees.FILES}/") else "?"

    def authorise(self, request: Request) -> None:
        """Check the token (copera.md, section 2)."""
        if request.whole_path.startswith(f"{trees.FILES}/"):
            return
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        left, count = self._left.get(secret), self._answers.get(secret, 0)
        most = self.behaviour.token_expires_after
        expired = left == 0 or (most is not None and count >= most)
        if scheme != "Bearer" or secret not in self.tokens or expired:
            raise Refusal(401, "Invalid token")
        if left is not None:
            self._left[secret] = left - 1
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
        """Tell of the limit on every answer of a limited route."""
        limit, window = self._limit(request)
        if limit <= 0 or window is None or not self.behaviour.rate_headers:
            return []
        reset = window.start + self.behaviour.rate_window
        told = reset if self.behaviour.reset_form == "epoch" else max(reset - self.now(), 0)
        values = {"limit": limit, "remaining": window.left(limit), "reset": math.ceil(told)}
        return [(f"x-ratelimit-{name}".encode(), str(value).encode()) for name, value in values.items()]

    def forget_limits(self) -> None:
        """Admit as if nothing had been asked yet."""
        self._windows.clear()

    def most_per_route(self, seconds: float) -> dict[str, int]:
        """Give, for each route, the greatest number of requests answered that arrived within any `seconds`."""
        times: dict[str, list[float]] = {}
        for one in list(self.stats.log):
            found = routes.find(Request(0, 0.0, one.method, one.path, {}, {}))
            times.setdefault(found[0].template if found else "?", []).append(one.arrived)
        return {template: _most_within(found, seconds) for template, found in times.items()}

    def answer(self, request: Request) -> Answer:
        """Answer a request by its route."""
        if request.whole_path.startswith(f"{trees.FILES}/"):
            return trees.fetched(self, request)
        found = routes.find(request)
        if not found:
            raise Refusal(404, f"Route {request.method}:{request.whole_path} not found")
        route, parts = found
        token = self.tokens[request.key]
        if not reaches(token, route.area, self.behaviour):
            raise Refusal(403, f"You are not allowed to access {route.area}")
        path = {name: asking.path_part(name, value) for name, value in parts.items()}
        given = asking.read(request, route.parameters, self.behaviour)
        return route.handler(self, asking.Ask(request, token, path, given))

    def enter_board(self, ask: Ask) -> None:
        """Refuse who may not enter a board; 404 if there is none."""
        number, allowed = ask.path["boardId"], self.behaviour.key_boards
        hidden = ask.token.kind == "key" and allowed is not None and number not in allowed
        if number in self.world.lists["boards"] and (hidden or number in self.behaviour.forbidden_boards):
            raise Refusal(403, "You are not allowed to access boards")
        if number not in self.world.lists["boards"]:
            raise Refusal(404, "Board not found")

    def churn_offsets(self, name: str, offset: int) -> None:
        """Insert and delete right before a page from the second on, as the knob says."""
        knob = self.behaviour.offset_churn
        if not offset or (knob.times and self._churned >= knob.times):
            return
        self._churned += 1
        if knob.insert:
            self.world.create(name, count=knob.insert)
        if knob.delete:
            self.world.delete(name, count=knob.delete)

    def due_cut(self, table_id: str) -> RowsCut | None:
        """Say whether this answer of rows is cut."""
        knob = self.behaviour.rows_cut
        if self._cut[0] is not knob:
            self._cut = (knob, 0)
        if knob.how == "off" or (knob.table and knob.table != table_id) or (knob.times and self._cut[1] >= knob.times):
            return None
        self._cut = (knob, self._cut[1] + 1)
        return knob

    def is_search(self, request: Request) -> bool:
        """Whether the request asks for a list."""
        found = routes.find(request)
        return found is not None and found[0].listing

    def empty_page(self, answer: Answer) -> Answer:
        """Wrongly say that there is nothing."""
        body: Any = msgspec.json.decode(answer.body)
        if isinstance(body, list):
            return encoded([])
        emptied = {key: [] if isinstance(value, list) else value for key, value in body.items()}
        return encoded(emptied | ({"nextCursor": None} if "nextCursor" in body else {}))

    def error_body(self, status: int, message: str) -> Record:
        """One of the three error shapes (copera.md, section 3)."""
        code = _CODES.get(status, "INTERNAL_ERROR")
        if self.behaviour.error_shape == "code":
            return {"error": message, "code": code}
        if self.behaviour.error_shape == "message":
            return {"message": message, "code": code}
        return {"statusCode": status, "error": HTTPStatus(status).phrase, "message": message}

    def churn(self, request: Request) -> None:
        """Change the listed object as the `churn` knob says."""
        churn, found = self.behaviour.churn, routes.find(request)
        if not found:
            return
        name = found[1]["tableId"] if found[0].template.endswith("/rows") else _LISTED.get(found[0].template)
        known = name in self.world.tables or name in self.world.lists
        if name is None or not known or (churn.objects and name not in churn.objects):
            return
        if churn.edit:
            self.world.edit(name, count=churn.edit)
        if churn.delete:
            self.world.delete(name, count=churn.delete)
        if churn.create:
            self.world.create(name, count=churn.create)

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
        template = found[0].template
        whose = self.tokens[request.key].user if self.behaviour.rate_scope == "user" else ""
        limit = self.behaviour.rate_limits.get(template, self.behaviour.rate_limit)
        return limit, self._windows.setdefault((whose, template), FixedWindow())


def _most_within(times: list[float], seconds: float) -> int:
    times.sort()
    return max(n + 1 - bisect_right(times, at - seconds) for n, at in enumerate(times))


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
    """Make a server of a generated world: `copera_app(Shape(rows=10), rate_limit=0)`."""
    chosen = behaviour or Behaviour()
    configure(chosen, dict(knobs))
    return CoperaSandbox(CoperaWorld(shape, chosen))

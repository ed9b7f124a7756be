"""The Copper server: an account behind the API's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.behaviour import configure
from sandbox.copper import routes
from sandbox.copper.account import CopperAccount
from sandbox.copper.behaviour import Behaviour
from sandbox.copper.merges import MERGED
from sandbox.copper.notifications import Notifications
from sandbox.copper.samples.tables import MAKERS
from sandbox.copper.search_request import decoded
from sandbox.copper.service import Service
from sandbox.exchange import Answer, Record, Refusal, Request
from sandbox.faults import first_part
from sandbox.limits import RollingWindow
from sandbox.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copper.shape import Shape

API_KEY = "sandbox0key0of0copper00000000001"
SECOND_KEY = "sandbox0key0of0copper00000000002"
USER_EMAIL = "admin@example.com"
ACCESS_TOKEN = "sandbox-copper-oauth-token"  # noqa: S105

OK = 200
_BULK = ("/bulk_create", "/bulk_update")
_LEADS_ONLY = ("leads", "lead_statuses")


class CopperSandbox(Simulator):
    """Copper's API over an account; `account`, `behaviour` and `stats` may be used while it serves."""

    base_path = "/developer_api/v1"
    account: CopperAccount
    behaviour: Behaviour

    def __init__(self, account: CopperAccount) -> None:
        super().__init__(account, account.behaviour)
        account.clock = self.now
        self.service = Service(account)
        self.keys = {API_KEY, SECOND_KEY}
        self.tokens = {ACCESS_TOKEN}
        self.user_email = USER_EMAIL
        self.bulk_window = RollingWindow()
        account.notifications = Notifications(account, self.deliveries, self.revocations.revoked)
        self.deliveries.sender = account.notifications

    def secrets(self) -> Iterable[str]:
        """Give every key and token that is let in."""
        return [*self.keys, *self.tokens]

    def authorise(self, request: Request) -> None:
        """Check the headers (introduction/requests, introduction/oauth)."""
        headers = request.headers
        bearer = headers.get("authorization", "")
        if bearer.startswith("Bearer "):
            secret = bearer.removeprefix("Bearer ")
            valid = secret in self.tokens
        else:
            secret = headers.get("x-pw-accesstoken", "")
            valid = (
                secret in self.keys
                and headers.get("x-pw-application") == "developer_api"
                and headers.get("x-pw-useremail") == self.user_email
            )
        request.key = secret
        self.count_secret(secret, valid=valid, refusal="Invalid credentials")
        if request.media_type != "application/json":
            raise Refusal(400, "Bad request: Content-Type must be application/json")

    def wait(self, request: Request) -> float:
        """Admit by the limit of all requests, and by that of bulk requests (introduction/requests)."""
        wait = 0.0
        if request.path.endswith(_BULK):
            wait = self.bulk_window.wait(self.behaviour.bulk_rate_limit, 1.0)
        return wait or super().wait(request)

    def forget_limits(self) -> None:
        """Admit as if nothing had been asked yet."""
        super().forget_limits()
        self.bulk_window.clear()

    def written(self, request: Request, answer: Answer | None) -> list[tuple[str, int | str]]:
        """Give the searchable records that a write is about: by its path, its body or its answer."""
        name, _, rest = request.path.partition("/")
        if name not in MAKERS:
            return []
        if rest.partition("/")[0].isdigit():
            return [(name, int(rest.partition("/")[0]))]
        body = decoded(request.body) if answer is None and rest == "bulk_update" else {}
        found = body.get(name) if answer is None else msgspec.json.decode(answer.body)
        records = found if isinstance(found, list) else [found]
        return [(name, one["id"]) for one in records if isinstance(one, dict) and isinstance(one.get("id"), int)]

    def answer(self, request: Request) -> Answer:
        """Answer a request by its route, unless its resource is forbidden."""
        resource = request.path.partition("/")[0]
        leads_off = not self.behaviour.leads_enabled and resource in _LEADS_ONLY
        if leads_off or resource in self.behaviour.forbidden:
            raise Refusal(403, "You are not authorized to access this resource")
        return routes.answer(self.service, request)

    def is_search(self, request: Request) -> bool:
        """Whether the request asks for a page of a searched object."""
        return request.path.endswith("/search")

    def is_list(self, request: Request) -> bool:
        """Whether the request asks for a page of a search, or for a list."""
        return self.is_search(request) or routes.is_list(request)

    def is_write(self, request: Request) -> bool:
        """Whether the request may create, change or delete something."""
        return routes.is_write(request)

    def shortened(self, answer: Answer, kept: float) -> Answer:
        """Wrongly say that there is nothing, or less than there is, in the form of the answer: bare, or in groups."""
        if answer.status != OK:
            return answer
        body = msgspec.json.decode(answer.body)
        is_grouped = isinstance(body, dict)
        short = {name: first_part(one, kept) for name, one in body.items()} if is_grouped else first_part(body, kept)
        return Answer(OK, msgspec.json.encode(short), answer.headers)

    def error_body(self, status: int, message: str) -> Record:
        """The error envelope (introduction/responses)."""
        return {"success": False, "status": status, "message": message}

    def changing(self, request: Request) -> str | None:
        """Give the name of the object that a request searches."""
        name = request.path.partition("/")[0]
        return name if name in MAKERS else None

    def churn_verbs(self, name: str) -> tuple[str, ...]:
        """Which verbs of the `churn` knob an object has."""
        more = (*(["convert"] if name == "leads" else []), *(["merge"] if name in MERGED else []))
        return (*super().churn_verbs(name), *more)


def copper_app(shape: Shape | None = None, behaviour: Behaviour | None = None, **knobs: object) -> CopperSandbox:
    """Make a server of a generated account: `copper_app(Shape(people=10), rate_limit=0)`."""
    chosen = behaviour or Behaviour()
    configure(chosen, dict(knobs))
    return CopperSandbox(CopperAccount(shape, chosen))

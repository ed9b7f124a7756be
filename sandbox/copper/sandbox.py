"""The Copper server: one world behind the API's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.behaviour import configure
from sandbox.copper import routes
from sandbox.copper.behaviour import Behaviour
from sandbox.copper.generate import MAKERS
from sandbox.copper.merges import MERGED
from sandbox.copper.related import Relations
from sandbox.copper.search import Searcher
from sandbox.copper.world import CopperWorld
from sandbox.exchange import Answer, Record, Refusal, Request
from sandbox.simulator import Simulator

if TYPE_CHECKING:
    from sandbox.copper.shape import Shape

API_KEY = "sandbox0key0of0copper00000000001"
SECOND_KEY = "sandbox0key0of0copper00000000002"
USER_EMAIL = "admin@example.com"
ACCESS_TOKEN = "sandbox-copper-oauth-token"  # noqa: S105

OK = 200
_LEADS_ONLY = ("leads", "lead_statuses")


class CopperSandbox(Simulator):
    """Copper's API over a world; `world`, `behaviour` and `stats` may be used while it serves."""

    base_path = "/developer_api/v1"
    world: CopperWorld
    behaviour: Behaviour

    def __init__(self, world: CopperWorld) -> None:
        super().__init__(world, world.behaviour)
        world.clock = self.now
        self.relations = Relations(world)
        self.searcher = Searcher(world, world.behaviour, self.relations)
        self.keys = {API_KEY, SECOND_KEY}
        self.tokens = {ACCESS_TOKEN}
        self.user_email = USER_EMAIL
        self._left: dict[str, int] = {}

    def revoke(self, key: str | None = None, after: int = 0) -> None:
        """Let one key or token (or every one) answer 401 after so many more answers."""
        for one in [key] if key else [*self.keys, *self.tokens]:
            self._left[one] = after

    def restore(self) -> None:
        """Make revoked keys valid again."""
        self._left.clear()

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
        left = self._left.get(secret)
        if not valid or left == 0:
            raise Refusal(401, "Invalid credentials")
        if left is not None:
            self._left[secret] = left - 1
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(400, "Bad request: Content-Type must be application/json")

    def answer(self, request: Request) -> Answer:
        """Answer a request by its route, unless its resource is forbidden."""
        resource = request.path.partition("/")[0]
        leads_off = not self.behaviour.leads_enabled and resource in _LEADS_ONLY
        if leads_off or resource in self.behaviour.forbidden:
            raise Refusal(403, "You are not authorized to access this resource")
        return routes.answer(self, request)

    def is_search(self, request: Request) -> bool:
        """Whether the request asks for a page of a searched object."""
        return request.path.endswith("/search")

    def is_list(self, request: Request) -> bool:
        """Whether the request asks for a page of a search, or for a list."""
        return self.is_search(request) or routes.is_list(request)

    def empty_page(self, answer: Answer) -> Answer:
        """Wrongly say that there is nothing, in the form of the answer: bare, in an envelope, or in groups."""
        if answer.status != OK:
            return answer
        body = msgspec.json.decode(answer.body)
        emptied: object = {name: [] for name in body} if isinstance(body, dict) else []
        return Answer(OK, msgspec.json.encode(emptied), answer.headers)

    def error_body(self, status: int, message: str) -> Record:
        """The error envelope (introduction/responses)."""
        return {"success": False, "status": status, "message": message}

    def churn(self, request: Request) -> None:
        """Change the searched object as the `churn` knob says."""
        churn = self.behaviour.churn
        name = request.path.partition("/")[0]
        if name not in MAKERS or (churn.objects and name not in churn.objects):
            return
        if churn.edit:
            self.world.edit(name, count=churn.edit)
        if churn.delete:
            self.world.delete(name, count=churn.delete)
        if churn.create:
            self.world.create(name, count=churn.create)
        if churn.convert and name == "leads":
            self.world.convert(count=churn.convert)
        if churn.merge and name in MERGED:
            self.world.merge(name, count=churn.merge)

    def fields_of(self, name: str) -> set[str]:
        """Give the names of an object's fields."""
        for row in self.world.tables[name]:
            return set(self.world.record(name, row.id))
        return set()


def copper_app(shape: Shape | None = None, behaviour: Behaviour | None = None, **knobs: object) -> CopperSandbox:
    """Make a server of a generated world: `copper_app(Shape(people=10), rate_limit=0)`."""
    chosen = behaviour or Behaviour()
    configure(chosen, dict(knobs))
    return CopperSandbox(CopperWorld(shape, chosen))

"""Every path of the API that reads, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.asking import SINGLE, Parameters, read, with_fields
from sandbox.close.event_list import event, events
from sandbox.close.kinds import ACTIVITY_NAMES, BY_PATH, shown
from sandbox.close.listing import activities, listed
from sandbox.close.lists import LISTS, small_list, small_record
from sandbox.exchange import Answer, Record, Refusal, Request, encoded

if TYPE_CHECKING:
    from sandbox.close.sandbox import CloseSandbox

Handler: TypeAlias = Callable[["CloseSandbox", Request, tuple[str, ...]], Answer]

_CORE = {"lead": "leads", "contact": "contacts", "opportunity": "opportunities", "task": "tasks"}
_SCHEMAS = {"lead": "Lead", "contact": "Contact", "opportunity": "Opportunity"}
_PARENTS = {"activity": "custom_activity_types", "custom_object": "custom_object_types"}
_ID = r"([A-Za-z0-9_]+)"
_ORGANIZATION = Parameters(frozenset({"_expand"}), page=frozenset())


def answer(app: CloseSandbox, request: Request) -> Answer:
    """Answer a request by the first route that fits; 404 if none does, 405 for another method."""
    if not request.whole_path.endswith("/"):
        raise Refusal(404, "Not found")
    other = False
    for method, pattern, handler in ROUTES:
        if found := pattern.fullmatch(request.path):
            if method == request.method:
                return handler(app, request, found.groups())
            other = True
    raise Refusal(405, "Method not allowed") if other else Refusal(404, "Not found")


def is_list(request: Request) -> bool:
    """Whether a request asks for a page of records."""
    path = request.path
    if path == "data/search":
        return request.method == "POST"
    known = path in LISTS or path in _CORE or path in ("event", "activity")
    return request.method == "GET" and (known or path.removeprefix("activity/") in BY_PATH)


def name_of(request: Request) -> str | None:
    """Give the name of the records that a list of the large objects holds."""
    return _CORE.get(request.path) or (
        BY_PATH[path].name if (path := request.path.removeprefix("activity/")) in BY_PATH else None
    )


def _list(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    return listed(app, request, _CORE[parts[0]])


def _activities(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    return activities(app, request, BY_PATH[parts[0]].name if parts else None)


def _one(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    path, number = parts
    names = [_CORE[path]] if path in _CORE else [BY_PATH[path.removeprefix("activity/")].name]
    return _record(app, request, names, number)


def _any_activity(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    return _record(app, request, list(ACTIVITY_NAMES), parts[0])


def _record(app: CloseSandbox, request: Request, names: list[str], number: str) -> Answer:
    asked = read(request.path, request, SINGLE, app.behaviour)
    for name in names:
        row = app.world.tables[name].living.get(number)
        if row is not None and app.world.sees(name, number):
            return encoded(with_fields(app.world.full(name, row, seen=True), asked.fields))
    raise Refusal(404, f"{names[0]} {number} not found")


def _small(app: CloseSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    return small_list(app, request)


def _small_one(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    return small_record(app, request, *parts)


def _events(app: CloseSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    return events(app, request)


def _event(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    return event(app, request, parts[0])


def _search(app: CloseSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    return app.searcher.answer(request)


def _me(app: CloseSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    asked = read(request.path, request, SINGLE, app.behaviour)
    lists = app.world.lists
    user = lists["users"][0]
    organization = app.world.organization()
    keys = ("id", "name", "lead_statuses", "pipelines")
    own = [shown("memberships", one) for one in lists["memberships"] if one["user_id"] == user["id"]]
    body: Record = {"organizations": [{key: organization[key] for key in keys}], "memberships": own}
    return encoded(with_fields(user | body, asked.fields))


def _organization(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    asked = read(request.path, request, _ORGANIZATION, app.behaviour)
    expand = set(asked.given.get("_expand", "").split(","))
    organization = app.world.organization(expand)
    if parts[0] != organization["id"]:
        raise Refusal(404, "Organization not found")
    return encoded(with_fields(organization, asked.fields))


def _schema(app: CloseSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    read(request.path, request, SINGLE, app.behaviour)
    custom, world = app.world.source.custom, app.world
    kind, number = parts[0], parts[1] if len(parts) > 1 else None
    name = _SCHEMAS.get(kind)
    if number is not None:
        name = next((one["name"] for one in world.lists[_PARENTS[kind]] if one["id"] == number), None)
    if name is None:
        raise Refusal(404, "Not found")
    fields = custom.of("custom_object_type" if kind == "custom_object" else kind, number)
    return encoded(
        {
            "object_type": kind,
            "name": name,
            "organization_id": world.source.organization_id,
            "fields": [shown("custom_fields", one) for one in fields if world.sees("custom_fields", one["id"])],
        }
    )


def _availability(app: CloseSandbox, _: Request, __: tuple[str, ...]) -> Answer:
    users = app.world.lists["users"]
    return encoded({"data": [{"user_id": one["id"], "availability": []} for one in users]})


def _token(app: CloseSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    return app.oauth.answer(request, app.behaviour.oauth_ttl)


def _route(method: str, pattern: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile(pattern), handler


_TYPED = "|".join(BY_PATH)
_SMALL = "|".join(sorted(LISTS, key=len, reverse=True))

ROUTES = [
    _route("GET", f"({'|'.join(_CORE)})", _list),
    _route("POST", "data/search", _search),
    _route("GET", "event", _events),
    _route("GET", "activity", _activities),
    _route("GET", f"activity/({_TYPED})", _activities),
    _route("GET", f"({'|'.join(_CORE)}|activity/(?:{_TYPED}))/{_ID}", _one),
    _route("GET", f"activity/{_ID}", _any_activity),
    _route("GET", f"event/{_ID}", _event),
    _route("GET", "me", _me),
    _route("GET", f"organization/{_ID}", _organization),
    _route("GET", "user/availability", _availability),
    _route("GET", f"custom_field_schema/{_ID}", _schema),
    _route("GET", f"custom_field_schema/(activity|custom_object)/{_ID}", _schema),
    _route("GET", f"(?:{_SMALL})", _small),
    _route("GET", f"({_SMALL})/([^/]+)", _small_one),
    _route("POST", "oauth2/token", _token),
]

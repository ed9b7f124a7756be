"""The routes that read, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.event_list import event, events
from sandbox.close.large_lists import activities, listed, with_transcripts
from sandbox.close.object_types import ACTIVITY_NAMES, BY_PATH, shown
from sandbox.close.parameters import SINGLE, Parameters, read, with_fields
from sandbox.close.small_lists import LISTS, small_list, small_record
from sandbox.exchange import Record, Refusal, encoded
from sandbox.routes import route

if TYPE_CHECKING:
    from sandbox.close.service import Handler, Service
    from sandbox.exchange import Answer, Request
    from sandbox.routes import Route

CORE_PATHS = {"lead": "leads", "contact": "contacts", "opportunity": "opportunities", "task": "tasks"}
_SCHEMAS = {"lead": "Lead", "contact": "Contact", "opportunity": "Opportunity"}
_PARENTS = {"activity": "custom_activity_types", "custom_object": "custom_object_types"}
_ID = r"([A-Za-z0-9_]+)"
_ORGANIZATION = Parameters(frozenset({"_expand"}), page=frozenset())


def _list(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return listed(service, request, CORE_PATHS[parts[0]])


def _activities(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return activities(service, request, BY_PATH[parts[0]].name if parts else None)


def _one(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    path, number = parts
    names = [CORE_PATHS[path]] if path in CORE_PATHS else [BY_PATH[path.removeprefix("activity/")].name]
    return _record(service, request, names, number)


def _any_activity(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return _record(service, request, list(ACTIVITY_NAMES), parts[0])


def _record(service: Service, request: Request, names: list[str], number: str) -> Answer:
    asked = read(request.path, request, SINGLE, service.behaviour)
    for name in names:
        row = service.account.tables[name].living.get(number)
        if row is not None and service.account.sees(name, number):
            record = with_transcripts(name, service.account.full(name, row, seen=True), asked.fields)
            return encoded(with_fields(record, asked.fields))
    raise Refusal(404, f"{names[0]} {number} not found")


def _small(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    return small_list(service, request)


def _small_one(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return small_record(service, request, *parts)


def _events(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    return events(service, request)


def _event(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return event(service, request, parts[0])


def _search(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    return service.searcher.answer(request)


def _me(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    asked = read(request.path, request, SINGLE, service.behaviour)
    lists = service.account.lists
    user = lists["users"][0]
    organization = service.account.organization()
    keys = ("id", "name", "lead_statuses", "pipelines")
    own = [shown("memberships", one) for one in lists["memberships"] if one["user_id"] == user["id"]]
    body: Record = {"organizations": [{key: organization[key] for key in keys}], "memberships": own}
    return encoded(with_fields(user | body, asked.fields))


def _organization(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    asked = read(request.path, request, _ORGANIZATION, service.behaviour)
    expand = set(asked.given.get("_expand", "").split(","))
    organization = service.account.organization(expand)
    if parts[0] != organization["id"]:
        raise Refusal(404, "Organization not found")
    return encoded(with_fields(organization, asked.fields))


def _schema(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    read(request.path, request, SINGLE, service.behaviour)
    custom, account = service.account.source.custom, service.account
    kind, number = parts[0], parts[1] if len(parts) > 1 else None
    name = _SCHEMAS.get(kind)
    if number is not None:
        name = next((one["name"] for one in account.lists[_PARENTS[kind]] if one["id"] == number), None)
    if name is None:
        raise Refusal(404, "Not found")
    fields = custom.of("custom_object_type" if kind == "custom_object" else kind, number)
    return encoded(
        {
            "object_type": kind,
            "name": name,
            "organization_id": account.source.organization_id,
            "fields": [shown("custom_fields", one) for one in fields if account.sees("custom_fields", one["id"])],
        }
    )


def _availability(service: Service, _: Request, __: tuple[str, ...]) -> Answer:
    users = service.account.lists["users"]
    return encoded({"data": [{"user_id": one["id"], "availability": []} for one in users]})


def _token(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    return service.oauth.answer(request, service.behaviour.oauth_ttl)


_TYPED = "|".join(BY_PATH)
_SMALL = "|".join(sorted(LISTS, key=len, reverse=True))

ROUTES: tuple[Route[Handler], ...] = (
    route("GET", f"({'|'.join(CORE_PATHS)})", _list),
    route("POST", "data/search", _search),
    route("GET", "event", _events),
    route("GET", "activity", _activities),
    route("GET", f"activity/({_TYPED})", _activities),
    route("GET", f"({'|'.join(CORE_PATHS)}|activity/(?:{_TYPED}))/{_ID}", _one),
    route("GET", f"activity/{_ID}", _any_activity),
    route("GET", f"event/{_ID}", _event),
    route("GET", "me", _me),
    route("GET", f"organization/{_ID}", _organization),
    route("GET", "user/availability", _availability),
    route("GET", f"custom_field_schema/{_ID}", _schema),
    route("GET", f"custom_field_schema/(activity|custom_object)/{_ID}", _schema),
    route("GET", f"(?:{_SMALL})", _small),
    route("GET", f"({_SMALL})/([^/]+)", _small_one),
    route("POST", "oauth2/token", _token),
)

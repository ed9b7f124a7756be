"""The routes that read, and what answers them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.copper.custom_fields import SINGULAR
from sandbox.copper.field_layouts import field_layout
from sandbox.copper.filters import invalid, text
from sandbox.copper.related import ALLOWED, FILES
from sandbox.copper.samples.tables import MAKERS
from sandbox.copper.search_request import SearchRequest, decoded, paged, read_activities, read_search
from sandbox.exchange import Refusal, encoded
from sandbox.routes import route

if TYPE_CHECKING:
    from sandbox.copper.service import Handler, Service
    from sandbox.exchange import Answer, Record, Request
    from sandbox.routes import Route

_LISTS = "pipelines|pipeline_stages|customer_sources|loss_reasons|lead_statuses|contact_types"
_LISTS_WITH_ID = "custom_activity_types|webhooks|custom_field_definitions"
_SEARCHED = "|".join(name for name in MAKERS if name != "activities")
_MISSING = Refusal(404, "Resource not found")


def _search(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    name = parts[0]
    body = decoded(request.body)
    if name == "activities":
        search = read_activities(body, service.behaviour, service.filter_context())
    else:
        known = service.fields_of(name) if "fields" in body else set()
        search = read_search(name, body, service.behaviour, service.filter_context(), known)
    return service.searcher.answer(search, computed=_computed(request), now=time.monotonic())


def _users(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    search = SearchRequest("users")
    body = decoded(request.body)
    paged(search, body)
    unknown = set(body) - {"page_number", "page_size"}
    if unknown:
        raise Refusal(422, f"Invalid input: Validation errors: {min(unknown)}: Unknown attribute")
    users = service.account.lists["users"]
    start = (search.page_number - 1) * search.page_size
    found = encoded(users[start : start + search.page_size])
    found.headers = [] if service.behaviour.total == "missing" else [(b"x-pw-total", str(len(users)).encode())]
    return found


def _activities_of(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], service.living(parts[0], int(parts[1]))
    search = read_activities(
        decoded(request.body), service.behaviour, service.filter_context(), (SINGULAR[name], number)
    )
    return service.searcher.answer(search, computed=False, now=time.monotonic())


def _by_email(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    body = decoded(request.body)
    if set(body) != {"email"}:
        raise invalid("email", "give an email and nothing else")
    wanted = text("email", body["email"])
    table = service.account.tables["people"]
    table.settle(time.monotonic())
    for number in service.writer.unique["people"].holders(wanted):
        late = service.behaviour.email_lookup_sees == "index" and number not in table.shown
        if service.account.sees("people", number) and not late:
            return _one(service, request, ("people", str(number)))
    raise _MISSING


def _one(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], int(parts[1])
    hides = service.behaviour.hides(name)
    if name == "activities" and number in service.account.tables[name].deleted and not (hides and hides(number)):
        return encoded({"id": number, "is_deleted": True})
    record = service.writer.record(name, service.living(name, number))
    if name == "leads" and service.behaviour.converted_by_id == "removed" and record["converted_at"] is not None:
        raise _MISSING
    return service.answered(request, name, record)


def _list(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return encoded(_listed(service, request, parts[0]))


def _listed(service: Service, request: Request, name: str) -> list[Record]:
    """Give what the key sees of a list."""
    found = service.account.lists[name]
    if name == "webhooks" and service.behaviour.webhooks_shown == "key":
        keys = service.account.keys_of_webhooks
        found = [one for one in found if keys.get(one["id"]) == request.key]
    return found


def _list_item(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    for one in _listed(service, request, parts[0]):
        if one["id"] == int(parts[1]):
            return encoded(one)
    raise _MISSING


def _stages_of(service: Service, _: Request, parts: tuple[str, ...]) -> Answer:
    number = int(parts[0])
    if not any(one["id"] == number for one in service.account.lists["pipelines"]):
        raise _MISSING
    return encoded([one for one in service.account.lists["pipeline_stages"] if one["pipeline_id"] == number])


def _account(service: Service, _: Request, __: tuple[str, ...]) -> Answer:
    return encoded(service.account.account())


def _me(service: Service, _: Request, __: tuple[str, ...]) -> Answer:
    return encoded(service.account.lists["users"][0])


def _activity_types(service: Service, _: Request, __: tuple[str, ...]) -> Answer:
    types = service.account.lists["activity_types"]
    groups = ("user", "system")
    return encoded({group: [one for one in types if one["category"] == group] for group in groups})


def _tags(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    query = request.query
    by = query.get("sort_by", "name")
    if set(query) - {"sort_by", "tag_names_only", "last_tag_value"} or by not in ("name", "count"):
        raise invalid("sort_by" if by not in ("name", "count") else min(query), "unknown")
    tags = service.account.tags()
    last = query.get("last_tag_value")
    if by == "count":
        tags.sort(key=lambda tag: (-tag["count"], tag["name"]))
        names = [tag["name"] for tag in tags]
        tags = tags[names.index(last) + 1 if last in names else 0 :]
    elif last is not None:
        tags = [tag for tag in tags if tag["name"] > last]
    tags = tags[: service.behaviour.tags_page]
    found: object = [tag["name"] for tag in tags] if query.get("tag_names_only") == "true" else tags
    return encoded({"tags": found} if service.behaviour.tags_envelope else found)


def _layout(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    entity = parts[0]
    if entity not in SINGULAR or (entity == "leads" and not service.behaviour.leads_enabled):
        raise _MISSING
    given = request.query.get("pipeline_id")
    if (given is not None) is not (entity == "opportunities"):
        raise invalid("pipeline_id", "opportunities need it, other entities refuse it")
    pipelines = {str(one["id"]): one["id"] for one in service.account.lists["pipelines"]}
    if given is not None and given not in pipelines:
        raise invalid("pipeline_id", f"there is no such pipeline: {given}")
    pipeline = pipelines[given] if given is not None else None
    definitions = service.account.lists["custom_field_definitions"]
    required = service.behaviour.required_fields.get(entity, [])
    return encoded(field_layout(entity, pipeline, definitions, SINGULAR[entity], required))


def _related(service: Service, _: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], service.living(parts[0], int(parts[1]))
    kind = parts[2] if len(parts) > 2 else None  # noqa: PLR2004
    if kind is not None and kind not in ALLOWED[name]:
        raise Refusal(422, f"Invalid input: {name} have no related {kind}")
    return encoded(service.relations.of(name, number, (kind,) if kind else ALLOWED[name]))


_LINKED = {"people": "person"} | {kind: kind for kind in ("opportunity", "lead", "company", "project", "user")}
"""The documented values of `source_type`, and what the other end of a link calls them."""


def _only(query: dict[str, str], *names: str) -> None:
    """Refuse parameters that are not documented."""
    for name in query.keys() - set(names):
        raise invalid(name, "unknown parameter")


def _related_links(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    query = request.query
    _only(query, "source_type", "source_id", "custom_field_definition_id")
    kind, number = _LINKED.get(query.get("source_type", "")), query.get("source_id", "")
    if kind is None:
        raise invalid("source_type", f"unknown: {query.get('source_type')}")
    if not number.isdigit():
        raise invalid("source_id", f"IDs must be positive integers: {number}")
    definition = query.get("custom_field_definition_id")
    if definition is not None and not definition.isdigit():
        raise invalid("custom_field_definition_id", f"IDs must be positive integers: {definition}")
    return encoded(service.relations.links(kind, int(number), int(definition) if definition else None))


def _files(service: Service, _: Request, parts: tuple[str, ...]) -> Answer:
    files = service.relations.files(parts[0], service.living(parts[0], int(parts[1])))
    if len(parts) == 2:  # noqa: PLR2004
        return encoded(files)
    for one in files:
        if one["id"] == int(parts[2]):
            return encoded(one)
    raise _MISSING


def _computed(request: Request) -> bool:
    return request.query.get("custom_field_computed_values") == "true"


_RECORDS = "|".join(MAKERS)

ROUTES: tuple[Route[Handler], ...] = (
    route("POST", f"({_RECORDS})/search", _search),
    route("POST", "users/search", _users),
    route("POST", "people/fetch_by_email", _by_email),
    route("POST", r"(leads|people|companies|opportunities)/(\d+)/activities", _activities_of),
    route("GET", rf"({_RECORDS})/(\d+)", _one),
    route("GET", "account", _account),
    route("GET", "users/me", _me),
    route("GET", rf"({_LISTS_WITH_ID}|users)/(\d+)", _list_item),
    route("GET", f"({_LISTS}|{_LISTS_WITH_ID})", _list, listing=True),
    route("GET", r"pipeline_stages/pipeline/(\d+)", _stages_of, listing=True),
    route("GET", "activity_types", _activity_types, listing=True),
    route("GET", "tags", _tags, listing=True),
    route("GET", "field_layouts/by_entity/([a-z_]+)", _layout, listing=True),
    route("GET", rf"({_SEARCHED})/(\d+)/related", _related, listing=True),
    route("GET", rf"({_SEARCHED})/(\d+)/related/([a-z_]+)", _related, listing=True),
    route("GET", "related_links", _related_links, listing=True),
    route("GET", rf"({'|'.join(FILES)})/(\d+)/files", _files, listing=True),
    route("GET", rf"({'|'.join(FILES)})/(\d+)/files/(\d+)", _files),
)

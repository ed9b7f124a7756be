"""Every path of the API that reads, and what answers it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from sandbox.copper.custom_fields import SINGULAR, with_computed
from sandbox.copper.filters import Sight, invalid, text
from sandbox.copper.generate import MAKERS
from sandbox.copper.lists import field_layout
from sandbox.copper.question import Question, decoded, paged, read_activities, read_search
from sandbox.copper.related import ALLOWED, FILES
from sandbox.exchange import Answer, Refusal, Request, encoded

if TYPE_CHECKING:
    from sandbox.copper.sandbox import CopperSandbox

Handler: TypeAlias = Callable[["CopperSandbox", Request, tuple[str, ...]], Answer]

_LISTS = "pipelines|pipeline_stages|customer_sources|loss_reasons|lead_statuses|contact_types"
_LISTS_WITH_ID = "custom_activity_types|webhooks|custom_field_definitions"
_SEARCHED = "|".join(name for name in MAKERS if name != "activities")
_MISSING = Refusal(404, "Resource not found")


def answer(app: CopperSandbox, request: Request) -> Answer:
    """Answer a request by the first route that fits; 404 if none does."""
    for method, pattern, handler in ROUTES:
        if method == request.method and (found := pattern.fullmatch(request.path)):
            return handler(app, request, found.groups())
    raise Refusal(404, "Resource not found")


def is_list(request: Request) -> bool:
    """Whether a request asks for a list that has no search."""
    return any(
        handler in _LISTING
        and method == request.method
        and (found := pattern.fullmatch(request.path)) is not None
        # a file of a record is no list, unlike all of its files
        and not (handler is _files and len(found.groups()) > 2)  # noqa: PLR2004
        for method, pattern, handler in ROUTES
    )


def sight_of(app: CopperSandbox) -> Sight:
    """Collect what filters need to know."""
    definitions = {one["id"]: one for one in app.world.lists["custom_field_definitions"]}
    return Sight(int(app.now()), definitions, app.relations.contacts_of, app.world.shape.dmy)


def _search(app: CopperSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    name = parts[0]
    body = decoded(request.body)
    if name == "activities":
        question = read_activities(body, app.behaviour, sight_of(app))
    else:
        known = app.fields_of(name) if "fields" in body else set()
        question = read_search(name, body, app.behaviour, sight_of(app), known)
    return app.searcher.answer(question, computed=_computed(request), now=time.monotonic())


def _users(app: CopperSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    question = Question("users")
    body = decoded(request.body)
    paged(question, body)
    unknown = set(body) - {"page_number", "page_size"}
    if unknown:
        raise Refusal(422, f"Invalid input: Validation errors: {min(unknown)}: Unknown attribute")
    users = app.world.lists["users"]
    start = (question.page_number - 1) * question.page_size
    found = encoded(users[start : start + question.page_size])
    found.headers = [] if app.behaviour.total == "missing" else [(b"x-pw-total", str(len(users)).encode())]
    return found


def _activities_of(app: CopperSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], _living(app, parts)
    question = read_activities(decoded(request.body), app.behaviour, sight_of(app), (SINGULAR[name], number))
    return app.searcher.answer(question, computed=False, now=time.monotonic())


def _by_email(app: CopperSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    body = decoded(request.body)
    if set(body) != {"email"}:
        raise invalid("email", "give an email and nothing else")
    wanted = text("email", body["email"])
    needle = msgspec.json.encode(wanted)[1:-1].lower()
    for row in app.world.tables["people"]:
        if needle in row.raw.lower() and app.world.sees("people", row.id):
            record = app.world.record("people", row.id)
            if any(one["email"].casefold() == wanted.casefold() for one in record["emails"]):
                return _one(app, request, ("people", str(row.id)))
    raise _MISSING


def _one(app: CopperSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], int(parts[1])
    hides = app.behaviour.hides(name)
    if name == "activities" and number in app.world.tables[name].deleted and not (hides and hides(number)):
        return encoded({"id": number, "is_deleted": True})
    record = app.world.record(name, _living(app, parts))
    if _computed(request):
        with_computed(record, {one["id"]: one for one in app.world.lists["custom_field_definitions"]})
    return encoded(record)


def _list(app: CopperSandbox, _: Request, parts: tuple[str, ...]) -> Answer:
    return encoded(app.world.lists[parts[0]])


def _list_item(app: CopperSandbox, _: Request, parts: tuple[str, ...]) -> Answer:
    for one in app.world.lists[parts[0]]:
        if one["id"] == int(parts[1]):
            return encoded(one)
    raise _MISSING


def _stages_of(app: CopperSandbox, _: Request, parts: tuple[str, ...]) -> Answer:
    number = int(parts[0])
    if not any(one["id"] == number for one in app.world.lists["pipelines"]):
        raise _MISSING
    return encoded([one for one in app.world.lists["pipeline_stages"] if one["pipeline_id"] == number])


def _account(app: CopperSandbox, _: Request, __: tuple[str, ...]) -> Answer:
    return encoded(app.world.account())


def _me(app: CopperSandbox, _: Request, __: tuple[str, ...]) -> Answer:
    return encoded(app.world.lists["users"][0])


def _activity_types(app: CopperSandbox, _: Request, __: tuple[str, ...]) -> Answer:
    types = app.world.lists["activity_types"]
    groups = ("user", "system")
    return encoded({group: [one for one in types if one["category"] == group] for group in groups})


def _tags(app: CopperSandbox, request: Request, _: tuple[str, ...]) -> Answer:
    query = request.query
    by = query.get("sort_by", "name")
    if set(query) - {"sort_by", "tag_names_only", "last_tag_value"} or by not in ("name", "count"):
        raise invalid("sort_by" if by not in ("name", "count") else min(query), "unknown")
    tags = app.world.tags()
    last = query.get("last_tag_value")
    if by == "count":
        tags.sort(key=lambda tag: (-tag["count"], tag["name"]))
        names = [tag["name"] for tag in tags]
        tags = tags[names.index(last) + 1 if last in names else 0 :]
    elif last is not None:
        tags = [tag for tag in tags if tag["name"] > last]
    tags = tags[: app.behaviour.tags_page]
    found: object = [tag["name"] for tag in tags] if query.get("tag_names_only") == "true" else tags
    return encoded({"tags": found} if app.behaviour.tags_envelope else found)


def _layout(app: CopperSandbox, request: Request, parts: tuple[str, ...]) -> Answer:
    entity = parts[0]
    if entity not in SINGULAR or (entity == "leads" and not app.behaviour.leads_enabled):
        raise _MISSING
    given = request.query.get("pipeline_id")
    if (given is not None) is not (entity == "opportunities"):
        raise invalid("pipeline_id", "opportunities need it, other entities refuse it")
    pipelines = {str(one["id"]): one["id"] for one in app.world.lists["pipelines"]}
    if given is not None and given not in pipelines:
        raise invalid("pipeline_id", f"there is no such pipeline: {given}")
    pipeline = pipelines[given] if given is not None else None
    definitions = app.world.lists["custom_field_definitions"]
    return encoded(field_layout(entity, pipeline, definitions, SINGULAR[entity]))


def _related(app: CopperSandbox, _: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], _living(app, parts)
    kind = parts[2] if len(parts) > 2 else None  # noqa: PLR2004
    if kind is not None and kind not in ALLOWED[name]:
        raise Refusal(422, f"Invalid input: {name} have no related {kind}")
    return encoded(app.relations.of(name, number, (kind,) if kind else ALLOWED[name]))


_LINKED = {"people": "person"} | {kind: kind for kind in ("opportunity", "lead", "company", "project", "user")}
"""The documented values of `source_type`, and what the other end of a link calls them."""


def _only(query: dict[str, str], *names: str) -> None:
    """Refuse parameters that are not documented."""
    for name in query.keys() - set(names):
        raise invalid(name, "unknown parameter")


def _related_links(app: CopperSandbox, request: Request, _: tuple[str, ...]) -> Answer:
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
    return encoded(app.relations.links(kind, int(number), int(definition) if definition else None))


def _files(app: CopperSandbox, _: Request, parts: tuple[str, ...]) -> Answer:
    files = app.relations.files(parts[0], _living(app, parts))
    if len(parts) == 2:  # noqa: PLR2004
        return encoded(files)
    for one in files:
        if one["id"] == int(parts[2]):
            return encoded(one)
    raise _MISSING


def _living(app: CopperSandbox, parts: tuple[str, ...]) -> int:
    """Give the id in a path; 404 if no such record lives where the key may see it."""
    number = int(parts[1])
    if not app.world.sees(parts[0], number):
        raise _MISSING
    return number


def _computed(request: Request) -> bool:
    return request.query.get("custom_field_computed_values") == "true"


_LISTING = (_list, _stages_of, _activity_types, _tags, _layout, _related, _related_links, _files)


def _route(method: str, pattern: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile(pattern), handler


_RECORDS = "|".join(MAKERS)

ROUTES = [
    _route("POST", f"({_RECORDS})/search", _search),
    _route("POST", "users/search", _users),
    _route("POST", "people/fetch_by_email", _by_email),
    _route("POST", r"(leads|people|companies|opportunities)/(\d+)/activities", _activities_of),
    _route("GET", rf"({_RECORDS})/(\d+)", _one),
    _route("GET", "account", _account),
    _route("GET", "users/me", _me),
    _route("GET", rf"({_LISTS_WITH_ID}|users)/(\d+)", _list_item),
    _route("GET", f"({_LISTS}|{_LISTS_WITH_ID})", _list),
    _route("GET", r"pipeline_stages/pipeline/(\d+)", _stages_of),
    _route("GET", "activity_types", _activity_types),
    _route("GET", "tags", _tags),
    _route("GET", "field_layouts/by_entity/([a-z_]+)", _layout),
    _route("GET", rf"({_SEARCHED})/(\d+)/related", _related),
    _route("GET", rf"({_SEARCHED})/(\d+)/related/([a-z_]+)", _related),
    _route("GET", "related_links", _related_links),
    _route("GET", rf"({'|'.join(FILES)})/(\d+)/files", _files),
    _route("GET", rf"({'|'.join(FILES)})/(\d+)/files/(\d+)", _files),
]

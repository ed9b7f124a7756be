"""Every route of the API, and which of them answers a request."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from sandbox.close import reading, writing
from sandbox.close.object_types import BY_PATH
from sandbox.close.reading import CORE_PATHS
from sandbox.close.small_lists import LISTS
from sandbox.exchange import Record, Refusal
from sandbox.routes import fitting

if TYPE_CHECKING:
    from sandbox.close.service import Service
    from sandbox.exchange import Answer, Request

ROUTES = (*reading.ROUTES, *writing.ROUTES)


def answer(service: Service, request: Request) -> Answer:
    """Answer a request by the first route that fits; 404 if none does, 405 for another method."""
    if not request.whole_path.endswith("/"):
        raise Refusal(404, "Not found")
    other = False
    for one, parts in fitting(ROUTES, request.path):
        if one.method == request.method:
            return one.handler(service, request, parts)
        other = True
    raise Refusal(405, "Method not allowed") if other else Refusal(404, "Not found")


def is_write(request: Request) -> bool:
    """Whether a request may create, change or delete something: it is no GET, and no route that reads fits it."""
    reads = any(one.method == request.method for one, _ in fitting(reading.ROUTES, request.path))
    return request.method not in ("GET", "HEAD") and not reads


def written(request: Request, answer: Answer | None) -> list[tuple[str, str]]:
    """Give the object and the id of the record that a write is about; a new one has none before it is answered."""
    path, _, number = request.path.rpartition("/")
    if (name := _name(path)) is not None:
        return [(name, number)]
    name = _name(request.path)
    if name is None or answer is None or answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
        return []
    record: Record = msgspec.json.decode(answer.body)
    key = "email" if name == "unsubscribed_emails" else "id"
    return [(name, record[key])] if key in record else []


def _name(path: str) -> str | None:
    if path in LISTS:
        return LISTS[path].name
    kind = path.removeprefix("activity/")
    return BY_PATH[kind].name if kind in BY_PATH else CORE_PATHS.get(path)


def is_list(request: Request) -> bool:
    """Whether a request asks for a page of records."""
    path = request.path
    if path == "data/search":
        return request.method == "POST"
    known = path in LISTS or path in CORE_PATHS or path in ("event", "activity")
    return request.method == "GET" and (known or path.removeprefix("activity/") in BY_PATH)


def name_of(request: Request) -> str | None:
    """Give the name of the records that a list of the large objects holds."""
    return None if request.path in LISTS else _name(request.path)

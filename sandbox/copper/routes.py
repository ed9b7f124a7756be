"""Every route of the API, and which of them answers a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper import reading, writing
from sandbox.exchange import Refusal
from sandbox.routes import fitting

if TYPE_CHECKING:
    from sandbox.copper.service import Service
    from sandbox.exchange import Answer, Request

ROUTES = (*reading.ROUTES, *writing.ROUTES)


def answer(service: Service, request: Request) -> Answer:
    """Answer a request by the first route that fits; 404 if none does."""
    for one, parts in fitting(ROUTES, request.path):
        if one.method == request.method:
            return one.handler(service, request, parts)
    raise Refusal(404, "Resource not found")


def is_write(request: Request) -> bool:
    """Whether a request may create, change or delete something: it is no GET, and no route that reads fits it."""
    reads = any(one.method == request.method for one, _ in fitting(reading.ROUTES, request.path))
    return request.method not in ("GET", "HEAD") and not reads


def is_list(request: Request) -> bool:
    """Whether a request asks for a list that has no search."""
    return any(one.listing and one.method == request.method for one, _ in fitting(ROUTES, request.path))

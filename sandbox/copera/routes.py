"""Every route of the API, and which of them fits a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera import reading, writing

if TYPE_CHECKING:
    from sandbox.copera.route import Route
    from sandbox.exchange import Request

ROUTES = (*reading.ROUTES, *writing.ROUTES)


def is_write(request: Request) -> bool:
    """Whether a request may create, change or delete something: it is no GET, and no route that reads fits it."""
    found = find(request)
    return request.method not in ("GET", "HEAD") and (found is None or found[0].write)


def find(request: Request) -> tuple[Route, dict[str, str]] | None:
    """Find the first route that fits."""
    slash = request.whole_path.endswith("/")
    for route in ROUTES:
        if route.method == request.method and (route.slash or not slash):
            found = route.pattern.fullmatch(request.path)
            if found:
                return route, found.groupdict()
    return None

"""The routes that create, change and delete records (writing.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.parameters import SINGLE, Parameters
from sandbox.close.writing import (
    activities,
    comments,
    contacts,
    custom_objects,
    leads,
    opportunities,
    subscriptions,
    tasks,
    unsubscribes,
)
from sandbox.close.writing.write import Write
from sandbox.routes import route

if TYPE_CHECKING:
    from sandbox.close.service import Handler, Service
    from sandbox.exchange import Answer, Request
    from sandbox.routes import Route

Change: TypeAlias = Callable[[Write, tuple[str, ...]], "Answer"]
"""Carries out a write, given the groups of its route's pattern."""

_ID = r"([A-Za-z0-9_]+)"


def _writes(
    method: str, pattern: str, change: Change, parameters: Parameters = SINGLE, *, many: bool = False
) -> Route[Handler]:
    """Make a route of which every change is logged as that of the request; `many` heeds its effect by itself."""

    def handler(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
        write = Write(service, request, parameters)
        with service.world.undone(really=not many and not request.carries()), write.editor.acting(write.author):
            return change(write, parts)

    return route(method, pattern, handler)


def _of_activities() -> list[Route[Handler]]:
    found = []
    for path, spec in activities.TYPES.items():
        if spec.new:
            found.append(_writes("POST", f"activity/({path})", activities.create, spec.parameters))
        if spec.changed:
            found.append(_writes("PUT", f"activity/({path})/{_ID}", activities.update))
        found.append(_writes("DELETE", f"activity/({path})/{_ID}", activities.delete))
    return found


ROUTES: tuple[Route[Handler], ...] = (
    _writes("POST", "lead", leads.create),
    _writes("POST", "lead/merge", leads.merge),
    _writes("PUT", f"lead/{_ID}", leads.update),
    _writes("DELETE", f"lead/{_ID}", leads.delete),
    _writes("POST", "contact", contacts.create),
    _writes("PUT", f"contact/{_ID}", contacts.update),
    _writes("DELETE", f"contact/{_ID}", contacts.delete),
    _writes("POST", "opportunity", opportunities.create),
    _writes("PUT", f"opportunity/{_ID}", opportunities.update),
    _writes("DELETE", f"opportunity/{_ID}", opportunities.delete),
    _writes("POST", "task", tasks.create),
    _writes("PUT", "task", tasks.update_many, tasks.BULK_PARAMETERS, many=True),
    _writes("PUT", f"task/{_ID}", tasks.update),
    _writes("DELETE", f"task/{_ID}", tasks.delete),
    *_of_activities(),
    _writes("POST", "custom_object", custom_objects.create),
    _writes("PUT", f"custom_object/{_ID}", custom_objects.update),
    _writes("DELETE", f"custom_object/{_ID}", custom_objects.delete),
    _writes("POST", "comment", comments.create),
    _writes("PUT", f"comment/{_ID}", comments.update),
    _writes("DELETE", f"comment/{_ID}", comments.delete),
    _writes("POST", "unsubscribe/email", unsubscribes.create),
    _writes("DELETE", "unsubscribe/email/([^/]+)", unsubscribes.delete),
    _writes("POST", "sequence_subscription", subscriptions.create),
    _writes("PUT", f"sequence_subscription/{_ID}", subscriptions.update),
)

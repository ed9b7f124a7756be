"""The routes that create, change and delete records (writing.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.large_lists import tasks_that_fit
from sandbox.close.parameters import SINGLE, Parameters
from sandbox.close.writes import (
    activities,
    comments,
    contacts,
    custom_objects,
    leads,
    opportunities,
    subscriptions,
    tasks,
    unsubscribes,
    webhooks,
)
from sandbox.close.writes.write import Write
from sandbox.routes import route

if TYPE_CHECKING:
    from sandbox.close.service import Handler, Service
    from sandbox.exchange import Answer, Request
    from sandbox.routes import Route

Change: TypeAlias = Callable[[Write, tuple[str, ...]], "Answer"]
"""Carries out a write, given the groups of its route's pattern."""

_ID = r"([A-Za-z0-9_]+)"


def _writes(method: str, pattern: str, change: Change, parameters: Parameters = SINGLE) -> Route[Handler]:
    """Make a route of which every change is logged as that of the request, or taken back."""

    def handler(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
        write = Write(service.account, request, service.request_id, parameters)
        with service.account.undone(really=not request.carries()), write.editor.acting(write.author):
            return change(write, parts)

    return route(method, pattern, handler)


def _many_tasks(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    """Change all tasks that fit the filters, or as many of them as the request carries."""
    write = Write(service.account, request, service.request_id, tasks.BULK_PARAMETERS)
    with write.editor.acting(write.author):
        return tasks.update_many(write, tasks_that_fit(service, write.asked))


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
    route("PUT", "task", _many_tasks),
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
    _writes("POST", "webhook", webhooks.create),
    _writes("PUT", f"webhook/{_ID}", webhooks.update),
    _writes("DELETE", f"webhook/{_ID}", webhooks.delete),
)

"""The routes that create, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.custom_fields import SINGULAR
from sandbox.copper.samples.tables import MAKERS
from sandbox.copper.search_request import decoded
from sandbox.copper.writes import bulk, conversions, definitions, lead_upserts, relations, webhooks
from sandbox.copper.writes.values import FieldError
from sandbox.exchange import Answer, Record, Request, encoded
from sandbox.routes import Route, route

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copper.service import Handler, Service


def _checked(handler: Handler) -> Handler:
    """Turn an attribute that is not taken into the refusal of the request."""

    def checked(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
        try:
            return handler(service, request, parts)
        except FieldError as error:
            raise error.refusal() from error

    return checked


def _create(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    made = service.writer.create(parts[0], decoded(request.body), carried=request.carries())
    return service.answered(request, parts[0], made)


def _update(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    name, number = parts[0], service.living(parts[0], int(parts[1]))
    changed = service.writer.update(name, number, decoded(request.body), carried=request.carries())
    return service.answered(request, name, changed)


def _delete(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    number = service.living(parts[0], int(parts[1]))
    return encoded(service.writer.delete(parts[0], number, carried=request.carries()))


def _bulk_create(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return _results(service, request, parts[0], bulk.bulk_create)


def _bulk_update(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return _results(service, request, parts[0], bulk.bulk_update)


def _results(service: Service, request: Request, name: str, write: Callable[..., list[Record]]) -> Answer:
    results = write(service.writer, request, name, decoded(request.body))
    return encoded([one if "success" in one else service.completed(request, name, one) for one in results])


def _upsert(service: Service, request: Request, _: tuple[str, ...]) -> Answer:
    lead = lead_upserts.upsert(service.writer, decoded(request.body), carried=request.carries())
    return service.answered(request, "leads", lead)


def _convert(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    number = service.living("leads", int(parts[0]))
    with service.account.at_once("convert"):
        return encoded(conversions.convert(service.writer, number, decoded(request.body), carried=request.carries()))


def _relate(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    near = (parts[0], service.living(parts[0], int(parts[1])))
    body = decoded(request.body)
    return encoded(relations.relate(service.writer, service.relations, near, body, carried=request.carries()))


def _unrelate(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    near = (parts[0], service.living(parts[0], int(parts[1])))
    body = decoded(request.body)
    return encoded(relations.unrelate(service.writer, service.relations, near, body, carried=request.carries()))


def _create_listed(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    made = _LISTS[parts[0]].create(service.account, decoded(request.body), carried=request.carries())
    if parts[0] == "webhooks" and request.carries():
        service.account.keys_of_webhooks[made["id"]] = request.key
    return encoded(made)


def _update_listed(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    body = decoded(request.body)
    return encoded(_LISTS[parts[0]].update(service.account, int(parts[1]), body, carried=request.carries()))


def _delete_listed(service: Service, request: Request, parts: tuple[str, ...]) -> Answer:
    return encoded(_LISTS[parts[0]].delete(service.account, int(parts[1]), carried=request.carries()))


_LISTS = {"custom_field_definitions": definitions, "webhooks": webhooks}
_RECORDS = "|".join(MAKERS)
_RELATED = "|".join(SINGULAR)
_BULK_CREATED = "people|companies|leads|opportunities|activities"
_BULK_UPDATED = "people|companies|leads"

_HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("POST", f"({_RECORDS})", _create),
    ("PUT", rf"({_RECORDS})/(\d+)", _update),
    ("DELETE", rf"({_RECORDS})/(\d+)", _delete),
    ("POST", f"({_BULK_CREATED})/bulk_create", _bulk_create),
    ("POST", f"({_BULK_UPDATED})/bulk_update", _bulk_update),
    ("PUT", "leads/upsert", _upsert),
    ("POST", r"leads/(\d+)/convert", _convert),
    ("POST", rf"({_RELATED})/(\d+)/related", _relate),
    ("DELETE", rf"({_RELATED})/(\d+)/related", _unrelate),
    ("POST", f"({'|'.join(_LISTS)})", _create_listed),
    ("PUT", rf"({'|'.join(_LISTS)})/(\d+)", _update_listed),
    ("DELETE", rf"({'|'.join(_LISTS)})/(\d+)", _delete_listed),
)
ROUTES: tuple[Route[Handler], ...] = tuple(
    route(method, pattern, _checked(handler)) for method, pattern, handler in _HANDLERS
)

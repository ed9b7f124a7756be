"""Reads the bodies of writes strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copera.moments import is_object_id
from sandbox.copera.parameters import invalid
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour
    from sandbox.exchange import Record, Request


def body_of(request: Request, behaviour: Behaviour, *names: str) -> Record:
    """Read a body as a JSON object; 400 if it is none or has a property that is not known, 415 for another type."""
    if request.media_type != "application/json":
        raise Refusal(415, "Unsupported Media Type")
    try:
        body: Record = msgspec.json.decode(request.body, type=dict)
    except msgspec.DecodeError:
        raise Refusal(400, "Body is not valid JSON") from None
    for name in body.keys() - set(names):
        if behaviour.unknown_parameters == "refused":
            raise invalid(name)
        del body[name]
    return body


def text_in(body: Record, name: str, *, required: bool = False) -> str | None:
    """Read a text of a body."""
    value: Any = body.get(name)
    if (value is None and required) or (value is not None and not isinstance(value, str)):
        raise invalid(name)
    return value


def cells_in(body: Record) -> dict[str, Any]:
    """Read the cells of a body by column id."""
    cells: Any = body.get("columns")
    if not isinstance(cells, list):
        raise invalid("columns")
    found: dict[str, Any] = {}
    for one in cells:
        if not isinstance(one, dict) or set(one) != {"columnId", "value"}:
            raise invalid("columns")
        column = one["columnId"]
        if not isinstance(column, str) or not is_object_id(column) or column.lower() in found:
            raise invalid("columns")
        found[column.lower()] = one["value"]
    return found

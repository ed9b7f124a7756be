"""Bulk requests: up to ten records, each with a result of its own (bulk-create-people, bulk-update-people)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copper.writes.values import FieldError
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copper.writes.records import RecordWriter
    from sandbox.exchange import Record, Request


def bulk_create(writer: RecordWriter, request: Request, name: str, body: Record) -> list[Record]:
    """Make each record; answers in the order of the request."""

    def one(item: Record, *, carried: bool) -> Record:
        return writer.create(name, item, carried=carried)

    return _each(writer, request, name, body, one)


def bulk_update(writer: RecordWriter, request: Request, name: str, body: Record) -> list[Record]:
    """Change each record; answers in the order of the request, failures with the id."""

    def one(item: Record, *, carried: bool) -> Record:
        number = item.get("id")
        if type(number) is not int or not writer.account.sees(name, number):
            raise FieldError("id", f"there is no such record: {number!r}", "not_found")
        changes = {key: value for key, value in item.items() if key != "id"}
        return writer.update(name, number, changes, carried=carried)

    return _each(writer, request, name, body, one)


def _each(
    writer: RecordWriter, request: Request, name: str, body: Record, write: Callable[..., Record]
) -> list[Record]:
    items: Any = body.get(name)
    if set(body) != {name} or not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise FieldError(name, "must be an array of records, and nothing else").refusal()
    limit = writer.account.behaviour.bulk_size
    if len(items) > limit:
        text = f'{{"error": "Request size too large, limit is {limit}"}}'
        raise Refusal(422, "Request size too large", body=text.encode())
    answers = []
    with writer.account.at_once():
        for place, item in enumerate(items):
            try:
                answers.append(write(item, carried=request.carries(place, len(items))))
            except FieldError as error:
                named = {"id": item["id"]} if "id" in item and request.path.endswith("update") else {}
                answers.append(named | error.item())
    return answers

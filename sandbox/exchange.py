"""One request and its answer, whatever the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import msgspec

Record: TypeAlias = dict[str, Any]
Header: TypeAlias = tuple[bytes, bytes]
Effect: TypeAlias = Literal["whole", "half", "none"]
"""How much of a write is carried out: all of it, the first half of its records, or nothing."""

JSON = b"application/json; charset=utf-8"
HTML = b"text/html; charset=utf-8"


@dataclass(slots=True)
class Request:
    """What a client asked; `path` is relative to the API's base path and has no slash at either end."""

    number: int
    arrived: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    whole_path: str = ""
    """The path as it came."""
    key: str = ""
    """Whose credentials it has."""
    query_text: str = ""
    """The query as it came, for parameters that may be repeated."""
    effect: Effect = "whole"
    """How much of it is carried out, if it is a write; the answer is made as if it were all of it."""

    def carries(self, place: int = 0, count: int = 1) -> bool:
        """Whether the record at a place (from 0) of a write of that many is really written; half of one is none."""
        return self.effect == "whole" or (self.effect == "half" and place < count // 2)

    @property
    def media_type(self) -> str:
        """The type of the body that `Content-Type` names, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(slots=True)
class Answer:
    """What the client gets."""

    status: int
    body: bytes
    headers: list[Header] = field(default_factory=list)
    content_type: bytes = JSON

    @property
    def size(self) -> int:
        """Bytes of the body that are sent."""
        return len(self.body)


class Refusal(Exception):  # noqa: N818
    """A request that the API refuses, with the status and the sentence of its answer."""

    def __init__(
        self, status: int, message: str, headers: list[Header] | None = None, body: bytes | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or []
        self.body = body
        """What is answered instead of the API's usual envelope."""


def encoded(value: object, status: int = 200) -> Answer:
    """Answer with a value as JSON."""
    return Answer(status, msgspec.json.encode(value))


def request_from(scope: dict[str, Any], number: int, arrived: float, base_path: str) -> Request:
    """Read everything but the body from an ASGI scope."""
    path: str = scope["path"]
    path = path.removeprefix(base_path)
    query: bytes = scope["query_string"]
    return Request(
        number=number,
        arrived=arrived,
        method=scope["method"],
        path=path.strip("/"),
        query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
        whole_path=scope["path"],
        query_text=query.decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )

"""Checks what a request asks for: the parts of its path, and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from sandbox.copera.moments import is_object_id, moment_of
from sandbox.exchange import Refusal, Request

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour
    from sandbox.copera.tokens import Token
    from sandbox.exchange import Record

Reader: TypeAlias = Callable[[str], Any]
"""Reads a parameter's text; ValueError for a value that is not allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; `default` counts where it is not given."""

    read: Reader
    default: Any = None
    required: bool = False
    many: bool = False
    """Whether it may be repeated, which means the same as commas between."""


@dataclass(slots=True)
class CheckedRequest:
    """A checked request: parts of the path and parameters by name."""

    request: Request
    token: Token
    path: dict[str, str]
    given: dict[str, Any] = field(default_factory=dict)


def number(default: int, most: int | None, least: int = 1) -> Parameter:
    """Take a whole number within bounds."""

    def read(text: str) -> int:
        found = int(text) if text.isascii() and text.isdigit() else -1
        if found < least or (most is not None and found > most):
            raise ValueError(text)
        return found

    return Parameter(read, default)


def choice(*allowed: str, default: str | None = None) -> Parameter:
    """Take one of several words."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return Parameter(read, default)


def some_of(*allowed: str) -> Parameter:
    """Take some of several words: a list with commas, or each given on its own."""

    def read(text: str) -> list[str]:
        found = text.split(",")
        if not set(found) <= set(allowed):
            raise ValueError(text)
        return found

    return Parameter(read, list(allowed), many=True)


def text(longest: int | None = None, *, required: bool = False) -> Parameter:
    """Take any text up to a length; a required one must not be empty."""

    def read(given: str) -> str:
        if (longest is not None and len(given) > longest) or (required and not given):
            raise ValueError(given)
        return given

    return Parameter(read, None, required)


def _object_id(given: str) -> str:
    if not is_object_id(given):
        raise ValueError(given)
    return given.lower()


def _json(given: str) -> Record:
    try:
        return msgspec.json.decode(given, type=dict)
    except msgspec.DecodeError as error:
        raise ValueError(given) from error


OBJECT_ID = Parameter(_object_id)
MOMENT = Parameter(moment_of)
JSON = Parameter(_json)


def path_part(name: str, value: str) -> str:
    """Check a part of the path by its name: 400 for a malformed id or row number."""
    if name == "rowNumber" and not (value.isascii() and value.isdigit()):
        raise invalid(name)
    if not name.endswith("Id"):
        return value
    if not is_object_id(value):
        raise invalid(name)
    return value.lower()


def read(request: Request, parameters: dict[str, Parameter], behaviour: Behaviour) -> dict[str, Any]:
    """Read a request's parameters; 400 for a value that is not allowed and, if the knob says so, an unknown name."""
    for name in request.query:
        if name not in parameters and behaviour.unknown_parameters == "refused":
            raise invalid(name)
    given: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name not in request.query:
            if parameter.required:
                raise invalid(name)
            given[name] = parameter.default
            continue
        try:
            given[name] = parameter.read(_repeated(request, name) if parameter.many else request.query[name])
        except ValueError:
            raise invalid(name) from None
    return given


def _repeated(request: Request, name: str) -> str:
    return ",".join(value for key, value in parse_qsl(request.query_text, keep_blank_values=True) if key == name)


def invalid(name: str) -> Refusal:
    """Refuse a parameter."""
    return Refusal(400, f"Invalid parameter: {name}")

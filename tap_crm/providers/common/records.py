"""Decoded answers: what the small lists of every CRM need of JSON. Numbers with fractions stay exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_crm.transport.question import Reply

Record: TypeAlias = dict[str, Any]
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decoded(reply: Reply) -> Any:  # noqa: ANN401 - any JSON
    """Return a body as it is."""
    return _DECODER.decode(reply.body)


def encoded(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return a value as a body, its numbers as they came."""
    return _ENCODER.encode(value)


def records_in(body: Any, *keys: str, within: str | None = None) -> list[Record]:  # noqa: ANN401 - any JSON
    """Return the records of a list: a bare array, or one inside of an object under ``within``.

    Raises:
        Doubtful: the answer is neither, or a record has not all of these keys. It is asked for again, never taken for
            an empty list.
    """
    rows = body.get(within) if isinstance(body, dict) and within is not None else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Doubtful("the answer is not the documented list")
    return with_keys(rows, *keys)


def with_keys(records: Iterable[Record], *keys: str) -> list[Record]:
    """Return records that all have their keys.

    Raises:
        Doubtful: one has not.
    """
    found = list(records)
    for key in keys:
        if not all(is_key(record.get(key)) for record in found):
            raise Doubtful(f"a record has no {key}")
    return found


def is_key(value: object) -> bool:
    """Tell whether a value can be that of a key: a text, or a number; never nothing, and never a list or an object."""
    return isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) and value != ""


def record_in(body: Any, key: str | None = None) -> Record:  # noqa: ANN401 - any JSON
    """Return an answer that is one object, with a key unless that is None.

    Raises:
        Doubtful: it is none.
    """
    if not isinstance(body, dict) or (key is not None and not is_key(body.get(key))):
        raise Doubtful("the answer is not the documented object")
    return body

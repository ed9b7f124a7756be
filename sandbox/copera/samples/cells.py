"""Makes values for the cells of each type of column, once; rows draw from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox import sample_texts
from sandbox.copera.moments import SECOND, date_of, object_id, text_of
from sandbox.copera.schema import UNKNOWN_TYPE

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.schema import Column
    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record

_EMPTY: tuple[Any, ...] = (None, "", [])
_CHOSEN = ("STATUS", "DROPDOWN", "LABELS", "USERS")
_SINGLE = ("STATUS", "DROPDOWN")
_PREVIEW = 40
_VALUES = 48
_encode = msgspec.json.encode


class Pool:
    """Cells of one column, encoded and with a comma before them, beside their values; an absent cell is empty."""

    def __init__(self, column: Column, values: list[Any], *, empties: bool = True) -> None:
        pairs = [(b"," + _encode({"columnId": column.id, "value": one}), one) for one in values]
        if empties:
            each = max(len(values) // 16, 1)
            pairs += [(b"," + _encode({"columnId": column.id, "value": one}), None) for one in _EMPTY] * each
            pairs += [(b"", None)] * each
        self.cells = [cell for cell, _ in pairs]
        self.values = [value for _, value in pairs]


def texts() -> dict[str, str]:
    """Give the rich texts by their previews, which are what rows show."""
    made = (f"{n}: {text}" for n, text in enumerate((*sample_texts.NOTES, *sample_texts.DETAILS)) if text)
    return {one[:_PREVIEW]: one for one in made}


def values(column: Column, shape: Shape, members: list[str], rng: Random) -> list[Any]:
    """Draw values of a column's type."""
    return [_value(column, n, shape, members, rng) for n in range(_VALUES)]


def _value(column: Column, n: int, shape: Shape, members: list[str], rng: Random) -> Any:  # noqa: ANN401, PLR0911
    kind = column.type
    if kind in _SIMPLE:
        return rng.choice(_SIMPLE[kind])
    if kind in _CHOSEN:
        ids = members if kind == "USERS" else column.option_ids()
        return rng.choice(ids) if kind in _SINGLE else rng.sample(ids, rng.randrange(1, min(4, len(ids) + 1)))
    if kind == "DATE":
        moment = (shape.now - (rng.randrange(900) - 120) * 86_400) * SECOND
        return date_of(moment) if n % 3 else text_of(moment + 1_234)
    if kind == "FILE":
        return [_file(rng, shape) for _ in range(n % 3 + 1)]
    if kind in ("NUMBER", "ROLLUP", "MONEY"):
        odd = 2**53 + 1 if kind == "NUMBER" else 0.1
        return rng.choice((0, -3, odd, rng.randrange(90_000), round(rng.random() * 90_000, 2)))
    if kind == "TEXT":
        return f"{rng.choice(sample_texts.PROJECTS)} {rng.randrange(1000)}"
    if kind == "EMAIL":
        return f"m{rng.randrange(9_999)}@{rng.choice(sample_texts.DOMAINS)}"
    return {"unheard": [n, None, {"of": True}]} if kind == UNKNOWN_TYPE else None


def _file(rng: Random, shape: Shape) -> Record:
    name = rng.choice(("scan.png", "Vertrag à jour.pdf", "表.csv"))
    file_id = object_id((shape.now - rng.randrange(10**7)) * SECOND, rng)
    return {"fileId": file_id, "name": name, "mimeType": "application/octet-stream", "size": rng.randrange(10**7)}


_SIMPLE: dict[str, tuple[Any, ...]] = {
    "CHECKBOX": (True, False),
    "DURATION": (0, 90, 3_600, 86_400, 1.5),
    "PHONE": ("+1 650 555 0100", "+41 44 000 00 00", "0", "+81-3-0000-0000"),
    "WEBSITE": ("https://example.com/söhne?q=1", "example.org", "http://bücher.example/"),
    "URL": ("https://example.com/a b", "mailto:x@example.com"),
    "LINK_BUTTON": ({"label": "Open ▶", "url": "https://example.com"}, "https://example.com/b"),
    "LOCATION": ({"lat": 47.37, "lng": 8.54, "address": "Zürich"}, {"type": "Point", "coordinates": [8.54, 47.37]}),
    "PASSWORD": ("********",),
    "DESCRIPTION": tuple(texts()),
}

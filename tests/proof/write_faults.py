"""Faults that only the answer to a write can have: it was carried out and nobody heard of it, or in part."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.proof.faults import FAULTS, Fault, Told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.proof.faults import Make, Moment
    from tests.proof.seam import Asked, Piece

#: Answers that say nothing of whether the request was carried out, as a proxy or a dying server gives them.
LOST = (
    *("500", "502 in HTML", "503 with Retry-After", "504 without a body"),
    *("reset before headers", "closed before headers", "no HTTP", "stall"),
)


def half_of(asked: Asked) -> Asked | None:
    """Return a bulk request with the first half of its records; None if it is none."""
    try:
        body = json.loads(asked.body)
    except ValueError:
        return None
    lists = [name for name, value in body.items() if isinstance(value, list) and len(value) > 1 and value == [*value]]
    if not asked.path.rstrip("/").rpartition("/")[2].startswith("bulk_") or not lists:
        return None
    name = lists[0]
    return replace(asked, body=json.dumps({**body, name: body[name][: len(body[name]) // 2]}).encode())


def _carried_out(make: Make) -> Make:
    def after(moment: Moment) -> Iterable[Piece]:
        moment.whole()
        return make(moment)

    return after


def _half_carried_out(moment: Moment) -> Iterable[Piece]:
    half = half_of(moment.asked)
    if half is not None:
        moment.server.respond(half)
    return FAULTS["504 without a body"].make(moment)


def _in_another_order(moment: Moment) -> Iterable[Piece]:
    whole = moment.whole()
    try:
        value: Any = json.loads(whole.body)
    except ValueError:
        return whole.pieces()
    if not isinstance(value, list):
        return whole.pieces()
    headers = {name: one for name, one in whole.headers.items() if name != "content-length"}
    return replace(whole, headers=headers, body=json.dumps(value[::-1]).encode()).pieces()


def _of_an_earlier_write(moment: Moment) -> Iterable[Piece]:
    """Carry it out, and answer as an earlier one of its kind was answered, as a cache does that mixes them up."""
    whole = moment.whole()
    return (moment.before[0] if moment.before else whole).pieces()


WRITE_FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        *FAULTS.values(),
        *(Fault(f"{name}, carried out", _carried_out(FAULTS[name].make), effect=True) for name in LOST),
        Fault("504, half carried out", _half_carried_out),
        Fault("records in another order", _in_another_order, Told.DECEIVING, effect=True),
        Fault("answer of an earlier write", _of_an_earlier_write, Told.DECEIVING, effect=True),
    )
}

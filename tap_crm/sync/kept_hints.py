"""How the state keeps what is left of events: as JSON, read liberally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.messages import HintsKept
from tap_crm.shaping.moments import from_epoch, to_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _key(value: object) -> int | str | None:
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _pairs(value: object, second: Callable[[Any], int | None]) -> dict[int | str, int]:
    held = value if isinstance(value, list) else ()
    pairs = [one for one in held if isinstance(one, list) and len(one) == 2]  # noqa: PLR2004 - a key and what it has
    found = {_key(key): second(part) for key, part in pairs}
    return {key: part for key, part in found.items() if key is not None and part is not None}


def _place(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _write_dated_keys(keys: Mapping[int | str, int]) -> list[list[int | str]] | None:
    return [[key, from_epoch(at)] for key, at in keys.items()] or None


def parse_hints(value: object) -> HintsKept | None:
    """Return what a state has of events; None where it has nothing, or nothing sound."""
    kept = value if isinstance(value, dict) else {}
    place = _place(kept.get("place"))
    if place is None:
        return None
    told = kept.get("told")
    keys = [_key(one) for one in told] if isinstance(told, list) else []
    return HintsKept(
        place,
        again=_pairs(kept.get("again"), to_epoch),
        said_gone=_pairs(kept.get("said_gone"), _place),
        told=tuple(one for one in keys if one is not None),
        gone=_pairs(kept.get("gone"), to_epoch),
        gap=to_epoch(kept.get("gap")),
        inbox=kept["id"] if isinstance(kept.get("id"), str) else None,
    )


def write_hints(one: HintsKept) -> dict[str, Any]:
    """Return what a state has of events, as JSON."""
    again, gone = _write_dated_keys(one.again), _write_dated_keys(one.gone)
    told = list(one.told) or None
    gap = None if one.gap is None else from_epoch(one.gap)
    said_gone = [[key, place] for key, place in one.said_gone.items()] or None
    found = {"place": one.place, "again": again, "said_gone": said_gone, "told": told, "gone": gone, "gap": gap}
    found["id"] = one.inbox
    return {name: value for name, value in found.items() if value is not None}

"""How the state keeps what is left of events: as JSON, read liberally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.messages import HintsKept
from tap_crm.shaping.moments import from_epoch, to_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _key(value: object) -> int | str | None:
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _dated_keys(value: object) -> dict[int | str, int]:
    held = value if isinstance(value, list) else ()
    pairs = [one for one in held if isinstance(one, list) and len(one) == 2]  # noqa: PLR2004 - a key and a time
    found = {_key(key): to_epoch(at) for key, at in pairs}
    return {key: at for key, at in found.items() if key is not None and at is not None}


def _keys(value: object) -> Iterator[int | str]:
    found = map(_key, value if isinstance(value, list) else ())
    return (one for one in found if one is not None)


def _write_dated_keys(keys: Mapping[int | str, int]) -> list[list[int | str]] | None:
    return [[key, from_epoch(at)] for key, at in keys.items()] or None


def parse_hints(value: object) -> HintsKept | None:
    """Return what a state has of events; None where it has nothing, or nothing sound."""
    kept = value if isinstance(value, dict) else {}
    place = kept.get("place")
    if not isinstance(place, int) or isinstance(place, bool) or place < 0:
        return None
    return HintsKept(
        place,
        again=_dated_keys(kept.get("again")),
        said_gone=frozenset(_keys(kept.get("said_gone"))),
        told=tuple(_keys(kept.get("told"))),
        gone=_dated_keys(kept.get("gone")),
        gap=to_epoch(kept.get("gap")),
        inbox=kept["id"] if isinstance(kept.get("id"), str) else None,
    )


def write_hints(one: HintsKept) -> dict[str, Any]:
    """Return what a state has of events, as JSON."""
    again, gone = _write_dated_keys(one.again), _write_dated_keys(one.gone)
    told = list(one.told) or None
    gap = None if one.gap is None else from_epoch(one.gap)
    said_gone = [key for key in one.again if key in one.said_gone] or None
    found = {"place": one.place, "again": again, "said_gone": said_gone, "told": told, "gone": gone, "gap": gap}
    found["id"] = one.inbox
    return {name: value for name, value in found.items() if value is not None}

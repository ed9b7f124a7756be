"""Compares what a loader holds with what the tap wrote, kind by kind of value."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from bench.loaders.account import ADDED, COMPOSITE, NEW_TYPE, RETYPED, STREAM
from tap_crm.shaping.retyped import type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.loaders.account import Key, Loads, Record
    from bench.loaders.places import Place

#: The kinds of values, as the columns of the table name them.
KINDS = ("texts", "numbers", "booleans", "dates", "times", "arrays", "objects", "nulls")
_BY_TYPE = {"text": "texts", "json": "texts", "integer": "numbers", "number": "numbers", "boolean": "booleans"}
_BY_TYPE |= {"date": "dates", "time": "times", "object": "objects", "any": "objects"}
_LONGEST, _MOST_EXAMPLES = 24, 3


@dataclass
class Found:
    """What became of the values of each kind.

    Attributes:
        values: how many there are, by kind.
        changed: how many of these differ.
        examples: some that do: as they were written, and as they are.
    """

    values: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def take(self, kind: str, written: Any, held: Any, *, is_same: bool) -> None:  # noqa: ANN401
        """Count a value."""
        self.values[kind] += 1
        if not is_same:
            self.changed[kind] += 1
            shown, known = f"{_short(written)} → {_short(held)}", self.examples.setdefault(kind, [])
            if shown not in known and len(known) < _MOST_EXAMPLES:
                known.append(shown)

    def told(self, kind: str) -> str:
        """Return what the table says of a kind."""
        if not self.values[kind]:
            return "none"
        if not self.changed[kind]:
            return "exact"
        return f"{self.changed[kind]} of {self.values[kind]} changed: {', '.join(self.examples[kind])}"


def _short(value: Any) -> str:  # noqa: ANN401
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, Decimal) else str(value)
    text = text.replace("|", "¦")
    return f"`{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}`"


def tables_of(place: Place, loads: Loads) -> dict[str, dict[Key, Record]]:
    """Return the rows that a loader holds, the latest of each key, by stream, with the names of the properties."""
    found, tables = place.read(loads.truth), {}
    for stream in loads.truth:
        names = {name.lower(): name for name in loads.schemas[stream]["schema"]["properties"]}
        keys, table = loads.schemas[stream]["key_properties"], {}
        for row in found.get(stream, []):
            named = {name if name in names.values() else names.get(name, name): row[name] for name in row}
            table[tuple(str(named.get(name)) for name in keys)] = named
        tables[stream] = table
    return tables


def compare_values(loads: Loads, tables: Mapping[str, Mapping[Key, Record]]) -> Found:
    """Return how the values of all records that are there compare; `sync_audit` and columns of loaders aside."""
    found = Found()
    for stream, truth in loads.truth.items():
        properties, held = loads.schemas[stream]["schema"]["properties"], tables.get(stream, {})
        for key, record in truth.items():
            row = held.get(key)
            if row is None or row.get("_sdc_deleted_at") != record.get("_sdc_deleted_at"):
                continue
            for name, part in properties.items():
                if name == "_sdc_deleted_at":
                    continue
                written, kind = record.get(name), type_of(part)
                of = "nulls" if written is None else _BY_TYPE.get(kind, "arrays")
                found.take(of, written, row.get(name), is_same=is_same(kind, written, row.get(name)))
    return found


def is_same(kind: str, written: Any, held: Any) -> bool:  # noqa: ANN401 - of Singer, and of any database
    """Tell whether a value says the same as the one that was written, however it is stored."""
    if written is None or held is None:
        return written is held
    try:
        return _SAME.get(kind, _same_parts)(written, held)
    except (ValueError, TypeError, InvalidOperation, SyntaxError):
        return False


def _same_number(written: Any, held: Any) -> bool:  # noqa: ANN401
    return Decimal(str(held)) == Decimal(str(written))


def _same_date(written: str, held: Any) -> bool:  # noqa: ANN401
    return held == written if isinstance(held, str) else type(held) is date and held.isoformat() == written


def _same_time(written: str, held: Any) -> bool:  # noqa: ANN401
    return _moment(written) == (_moment(held) if isinstance(held, str) else _utc(held))


def _moment(text: str) -> datetime:
    return _utc(datetime.fromisoformat(text))


def _utc(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _same_parts(written: Any, held: Any) -> bool:  # noqa: ANN401
    found = json.loads(held, parse_float=Decimal) if isinstance(held, str) else held
    return bool(_plain(found) == _plain(written))


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _same_text(written: str, held: Any) -> bool:  # noqa: ANN401
    return bool(written == held)


def _same_boolean(written: bool, held: Any) -> bool:  # noqa: ANN401, FBT001
    return written is held or str(written) == held


_SAME: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("text", "json"), _same_text),
    **dict.fromkeys(("integer", "number"), _same_number),
    "boolean": _same_boolean,
    "date": _same_date,
    "time": _same_time,
}


def deletions(loads: Loads, tables: Mapping[str, Mapping[Key, Record]]) -> str:
    """Return what became of the rows that were deleted."""
    held = tables.get(STREAM, {})
    states = Counter(
        "removed" if key not in held else "marked" if held[key].get("_sdc_deleted_at") else "kept" for key in loads.gone
    )
    return ", ".join(f"{number} {what}" if len(states) > 1 else what for what, number in states.items())


def rows(loads: Loads, tables: Mapping[str, Mapping[Key, Record]], streams: tuple[str, ...] = ()) -> str:
    """Return whether every record of the streams has a row."""
    wanted = {stream: truth for stream, truth in loads.truth.items() if not streams or stream in streams}
    lacking = {stream: len(truth.keys() - tables.get(stream, {}).keys()) for stream, truth in wanted.items()}
    total = sum(map(len, wanted.values()))
    missing = sum(lacking.values())
    return f"all {total}" if not missing else f"{missing} of {total} missing"


def composite(loads: Loads, tables: Mapping[str, Mapping[Key, Record]]) -> str:
    """Return whether rows whose key has several columns are kept apart."""
    return rows(loads, tables, COMPOSITE)


def added(loads: Loads, tables: Mapping[str, Mapping[Key, Record]]) -> str:
    """Return whether a column that appeared in the second run has its values."""
    return _column(loads, tables, ADDED)


def retyped(loads: Loads, tables: Mapping[str, Mapping[Key, Record]]) -> str:
    """Return whether a field of another kind has its values in the new column, and the old ones in the old."""
    new = _column(loads, tables, NEW_TYPE)
    held = tables.get(STREAM, {})
    old = [(value, held[key].get(RETYPED)) for key, value in loads.before.items() if key in held]
    kept = sum(is_same("number", before, now) for before, now in old)
    return (
        f"{new}; the old column {'keeps its values' if kept == len(old) else 'loses values of rows that are rewritten'}"
    )


def _column(loads: Loads, tables: Mapping[str, Mapping[Key, Record]], name: str) -> str:
    held = tables.get(STREAM, {})
    wanted = {key: record[name] for key, record in loads.truth[STREAM].items() if record.get(name) is not None}
    good = sum(key in held and held[key].get(name) == value for key, value in wanted.items())
    return "yes" if good == len(wanted) else f"{good} of {len(wanted)} values"

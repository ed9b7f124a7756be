"""By what records are told apart, and how those of one key keep their order."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from target_crm.journal.entries import key_text
from target_crm.kinds.base import same_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_crm.sync.items import Item, StreamRun
    from target_crm.sync.run_file import RunFile

_NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]*))?")


def key_of(run: StreamRun, record: Mapping[str, Any], memory: RunFile) -> tuple[str, Any]:
    """Return the key of a record as the journal has it, "" for none, and as the report shows it."""
    values = [_plain(record.get(name)) for name in run.match]
    if all(value is not None for value in values):
        text = key_text(values)
        # of ids that are whole numbers, 7 and "007" are one
        return str(run.typed_id(text)) if run.is_by_id else text, values[0] if len(values) == 1 else values
    if run.settings.mode != "create":
        return "", values[0] if len(values) == 1 else values
    text = fingerprint(record)  # equal records are told apart by how many came before
    return f"{text}:{memory.count(run.name, text)}", None


def spelled_alike(key: str) -> str:
    """Return what keys have in common that a CRM may take for one: in other cases, or numbers with other zeros."""
    found = _NUMBER.fullmatch(key.strip())
    if found is None:
        return same_text(key).casefold()
    sign, whole, fraction = found["sign"].strip("+"), found["whole"].lstrip("0"), (found["fraction"] or "").rstrip("0")
    return f"{sign}{whole or '0'}{f'.{fraction}' if fraction else ''}"


def fingerprint(record: Mapping[str, Any]) -> str:
    """Return what is the same for records of the same content, and for no others; a new column that is null is none."""
    content = {name: value for name, value in record.items() if value is not None and not name.startswith("_sdc_")}
    return "row:" + hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:32]


def waves(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in waves of different keys, so that those of one key keep their order."""
    rest = list(items)
    while rest:
        seen: set[str] = set()
        wave: list[Item] = []
        later: list[Item] = []
        for item in rest:
            (later if item.key in seen else wave).append(item)
            seen.add(item.key)
        yield wave
        rest = later


def grouped(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items in groups of this size; the last one may be smaller."""
    group: list[Item] = []
    for item in items:
        group.append(item)
        if len(group) >= size:
            yield group
            group = []
    if group:
        yield group


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a part of a key; None where it is empty, or none that could be compared."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float) and value == int(value):
        return int(value)
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, (list, dict)):
        return msgspec.json.encode(value, order="deterministic").decode() if value else None
    return value

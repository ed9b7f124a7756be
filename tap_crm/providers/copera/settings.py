"""The settings that only Copera has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from tap_crm.config.kinds import decoded, wrong
from tap_crm.config.setting import Kind, setting
from tap_crm.errors import ConfigError

_STREAM_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class PinnedTable:
    """A table, by ids or names, and the name of its stream."""

    board: str
    table: str
    stream: str


def _pinned_tables(value: Any, name: str) -> tuple[PinnedTable, ...]:  # noqa: ANN401 - any JSON
    try:
        pins = msgspec.convert(decoded(value, name) or [], tuple[PinnedTable, ...])
    except msgspec.ValidationError:
        raise wrong(name, "must be a list of objects with `board`, `table` and `stream`") from None
    if not all(_STREAM_NAME.fullmatch(pin.stream) for pin in pins):
        raise ConfigError(
            f"the setting `{name}`: a `stream` is lower-case letters, digits and underscores, at most 63 of them"
        )
    return pins


_TEXT = {"type": ["string", "null"]}
_PART = {"type": "object", "properties": dict.fromkeys(("board", "table", "stream"), _TEXT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoperaSettings:
    """What Copera's tables need."""

    tables: tuple[PinnedTable, ...] = setting(
        Kind(_pinned_tables, ("array",), {"items": _PART}),
        "Names of tables' streams",
        "Copera: names the streams of tables: a list of `board` and `table` (ids or names) and `stream` (such as "
        "`leads`). Other tables are called `<board>__<table>`.",
        default=(),
    )

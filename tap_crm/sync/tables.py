"""Which tables the reads of a stream have written: its own, and those of arrays of its records.

A table that did not take part in each run up to now lacks rows that lie before the bookmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping, Sequence

#: What the state of a stream calls the tables that are written up to its bookmark; without it, its own alone is.
TABLES = "tables"
#: What it calls the lengths of arrays, by the array.
ARRAYS = "arrays"


def tables_written(kept: Mapping[str, Any], own: str) -> tuple[str, ...]:
    """Return the tables that earlier runs wrote, by what the state has of a stream, whose own table is ``own``."""
    names = kept.get(TABLES)
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else (own,)


def tables_behind(kept: Mapping[str, Any], own: str, tables: Sequence[str]) -> tuple[str, ...]:
    """Return those of a stream's tables that lack what lies before the bookmark."""
    written = tables_written(kept, own)
    return tuple(name for name in tables if name not in written)


def note_tables(kept: MutableMapping[str, Any], own: str, tables: Collection[str]) -> None:
    """Keep which tables are written up to the bookmark."""
    if set(tables) == {own}:
        kept.pop(TABLES, None)
    else:
        kept[TABLES] = sorted(tables)

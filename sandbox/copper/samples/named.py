"""Makes records that have only an id and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.exchange import Record


def named(first: int, names: tuple[str, ...]) -> list[Record]:
    """Make a record of each name; ids go up from the first."""
    return [{"id": first + n, "name": name} for n, name in enumerate(names)]

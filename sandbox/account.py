"""What every sandbox serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from threading import RLock

    from sandbox.exchange import Record


class Account(Protocol):
    """The data a sandbox serves; every method may be called from any thread."""

    lock: RLock

    def objects(self) -> list[str]:
        """Names of everything that `records` knows."""
        ...

    def records(self, name: str) -> list[Record]:
        """The living records of an object in the API's own form."""
        ...

    def ids(self, name: str) -> list[int | str]:
        """Their ids."""
        ...

    def change(self, verb: str, order: Record) -> list[int] | list[str]:
        """Carry out an order: `edit`, `create`, `delete` or another verb of this CRM."""
        ...

"""What the demo needs to know of a CRM: how to serve it, how to reach it, what it holds, how to change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.client import Client

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that the loader fills.

    Attributes:
        keys: its primary key.
        truth: gives the records that the CRM has now.
        changed: the column that tells when a record was last changed; None where the CRM gives none.
        alike: further columns that are compared as they are.
    """

    keys: tuple[str, ...]
    truth: Callable[[Client], list[Record]]
    changed: str | None = None
    alike: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of each row: its key, then what its version is told by."""
        return (*self.keys, *([self.changed] if self.changed is not None else []), *self.alike)


@dataclass(frozen=True, slots=True)
class Change:
    """A change made between the two loads, by a command of the sandbox."""

    says: str
    verb: str
    order: Record | Callable[[Client], Record]
    """The command's body, or what makes it from what the CRM holds then."""

    def make(self, client: Client) -> None:
        """Make the change.

        Raises:
            ValueError: the sandbox cannot make it.
        """
        answer = client.control(self.verb, self.order(client) if callable(self.order) else self.order)
        if not answer.get("ids"):
            raise ValueError(f"the sandbox did not do this: {self.says}: {answer.get('error')}")


@dataclass(frozen=True, slots=True)
class Crm:
    """A CRM that the demo can show."""

    name: str
    title: str
    extractor: str
    schema: str
    server: tuple[str, ...]
    """Arguments of the sandbox."""
    settings: Mapping[str, str]
    """The extractor's settings but its address, as the environment gives them."""
    tables: Mapping[str, Table]
    changes: tuple[Change, ...] = ()
    deletions: tuple[Change, ...] = ()
    """Changes that leave no trace but that records are missing; a reconcile finds them."""
    gone: str = ""
    """SQL that gives what the loaded tables themselves tell to be gone from the CRM: the last part of each key."""
    stages: str = ""
    """SQL that counts and adds up the deals: pipeline, stage, deals, amount."""
    currency: str = ""

    @property
    def reconciling(self) -> Mapping[str, str]:
        """The setting that has the extractor read everything once more, as the environment gives it."""
        return {f"{self.extractor.replace('-', '_').upper()}_RECONCILE": "true"}

    def removal(self, table: str) -> str:
        """Return SQL that takes out of a table what the tap has said to be gone, for a loader that does not heed it."""
        return f"""
            DELETE FROM {self.schema}.{table}
            WHERE _sdc_extracted_at < (
                SELECT max(whole_since)
                FROM {self.schema}.sync_audit
                WHERE stream = '{table}' AND complete
            )
        """  # noqa: S608 - names of this module


def truth_of(name: str) -> Callable[[Client], list[Record]]:
    """Return what asks the sandbox for its records of a name."""

    def read(client: Client) -> list[Record]:
        records: list[Record] = client.control(f"truth/{name}")
        return records

    return read

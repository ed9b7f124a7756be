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
        primary_key: its columns.
        truth: gives the records that the CRM has now.
        changed: the column with the time of a record's last change; None where the CRM gives none.
        compared: further columns, compared as they are.
    """

    primary_key: tuple[str, ...]
    truth: Callable[[Client], list[Record]]
    changed: str | None = None
    compared: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of each row: its key, then its version."""
        return (*self.primary_key, *([self.changed] if self.changed is not None else []), *self.compared)


@dataclass(frozen=True, slots=True)
class Change:
    """A change made between the two loads, by a command of the sandbox."""

    title: str
    command: str
    body: Record | Callable[[Client], Record]
    """The command's body, or what makes it of what the CRM holds then."""

    def make(self, client: Client) -> None:
        """Make the change.

        Raises:
            ValueError: the sandbox cannot make it.
        """
        answer = client.control(self.command, self.body(client) if callable(self.body) else self.body)
        if not answer.get("ids"):
            raise ValueError(f"the sandbox did not do this: {self.title}: {answer.get('error')}")


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
    """SQL for what is gone from the CRM by the loaded tables themselves: the last part of each key."""
    stages: str = ""
    """SQL that counts the deals: pipeline, stage, deals, and the amount in their middle."""
    currency: str = ""

    @property
    def reconciling(self) -> Mapping[str, str]:
        """The setting that has the extractor read everything once more, as the environment gives it."""
        return {f"{self.extractor.replace('-', '_').upper()}_RECONCILE": "true"}

    def removal(self, table: str) -> str:
        """Return SQL that deletes from a table what ACTIVATE_VERSION ended, for a loader that ignores the message."""
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

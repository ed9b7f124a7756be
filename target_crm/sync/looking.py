"""Looks into the CRM for records, and keeps a record that the CRM will not look for from stopping the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tap_crm import errors
from target_crm.sync.difference import holds, value_in
from target_crm.sync.items import REJECTED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_crm.contract import Field, Id, Snapshot
    from target_crm.sync.asking import Asking
    from target_crm.sync.ends import Ends
    from target_crm.sync.items import Item, StreamRun

Found = TypeVar("Found")


class Looking:
    """Asks for the records of items; an item for which the CRM refuses to look has ended, and is in no answer.

    Args:
        asking: asks the CRM.
        ends: takes those that the CRM refuses to look for.
    """

    def __init__(self, asking: Asking, ends: Ends) -> None:
        self._asking = asking
        self._ends = ends

    def find(
        self, run: StreamRun, fields: Sequence[Field], items: Sequence[Item], since: float | None = None
    ) -> dict[Item, Sequence[Snapshot]]:
        """Return by item the records that have what it says in these fields; see :class:`Writer`."""

        def ask(some: Sequence[Item]) -> dict[Item, Sequence[Snapshot]]:
            wanted = [key_values(item, fields) for item in some]
            found = self._asking.find(run.spec, fields, wanted, [item.wanted for item in some], since)
            return dict(zip(some, found, strict=True))

        return self._apart(run, items, ask)

    def read(self, run: StreamRun, ids: Mapping[Item, Id], since: Mapping[Id, float]) -> dict[Item, Snapshot | None]:
        """Return by item the record with its id; None where there is none; see :class:`Writer`."""

        def ask(some: Sequence[Item]) -> dict[Item, Snapshot | None]:
            wanted = [ids[item] for item in some]
            found = self._asking.read(run.spec, wanted, {one: since[one] for one in wanted if one in since})
            return {item: found.get(ids[item]) for item in some}

        return self._apart(run, list(ids), ask)

    def _apart(
        self, run: StreamRun, items: Sequence[Item], ask: Callable[[Sequence[Item]], dict[Item, Found]]
    ) -> dict[Item, Found]:
        """Ask for all at once; if the CRM refuses that, for ever fewer, until it is known which one it means."""
        if not items:
            return {}
        if run.stopped is not None:
            for item in items:
                self._ends.leave_out(item, run.stopped)
            return {}
        try:
            return ask(items)
        except errors.Refused as refusal:
            if len(items) == 1:
                self._refuse(items[0], refusal)
                return {}
        half = len(items) // 2
        return {**self._apart(run, items[:half], ask), **self._apart(run, items[half:], ask)}

    def _refuse(self, item: Item, refusal: errors.Refused) -> None:
        reason = f"the CRM refuses to look for it: {refusal.said or refusal}"
        self._ends.end(item, UNKNOWN if item.intents else REJECTED, reason, leaves_open=bool(item.intents))
        self._ends.settle()  # so many may be refused that the stream stops


def has_key(record: Snapshot, item: Item, fields: Sequence[Field]) -> bool:
    """Tell whether a record of the CRM has what an item has in the fields by which it is found."""
    return all(
        holds(field, value_in(record, field), value)
        for field, value in zip(fields, key_values(item, fields), strict=True)
    )


def key_values(item: Item, fields: Sequence[Field]) -> tuple[Any, ...]:
    """Return what an item has in the fields by which it is found, in the form of their kinds."""
    if len(fields) == 1 and item.wanted.get(fields[0]) is None and fields[0].kind is not None:
        return (fields[0].kind.read(item.shown),)
    return tuple(item.wanted.get(field) for field in fields)

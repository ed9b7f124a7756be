"""Relations between Copper's records (developer.copper.com: related-items)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.transport.question import Question
from target_crm.contract import DELETE, NotTaken, Snapshot, Written
from target_crm.writers.common import after_effect
from target_crm.writers.copper.objects import OBJECTS, RELATED

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from target_crm.contract import Answer, Field, Id, Write
    from target_crm.writers.copper.search import Search
    from target_crm.writers.definitions import Ask

_PARTS = ("parent_type", "parent_id", "type", "id")


class Relations:
    """Reads and changes relations.

    Args:
        ask: asks the CRM.
        search: reads what is related.
    """

    def __init__(self, ask: Ask, search: Search) -> None:
        self._ask = ask
        self._search = search

    def find(self, fields: Sequence[Field], wanted: Sequence[tuple[Any, ...]]) -> list[Sequence[Snapshot]]:
        """Return for each tuple of the four parts the relation, if it is there."""
        names = [field.name for field in fields]
        found = self.read([_text(dict(zip(names, values, strict=True))) for values in wanted])
        keys = [_text(dict(zip(names, values, strict=True))) for values in wanted]
        return [[found[key]] if key in found else [] for key in keys]

    def read(self, ids: Sequence[Id], known: Container[Id] = ()) -> dict[Id, Snapshot]:
        """Return the relations with these ids, which are their four parts.

        Args:
            ids: of the relations.
            known: those that were there; that one is gone is believed only if it is said twice.
        """
        found: dict[Id, Snapshot] = {}
        related: dict[tuple[str, str], set[tuple[str, int]]] = {}
        asked_again: set[tuple[str, str]] = set()
        for key in ids:
            parts = dict(zip(_PARTS, str(key).split("/"), strict=True))
            parent, other = (parts["parent_type"], parts["parent_id"]), (parts["type"], int(parts["id"]))
            if parent not in related:
                related[parent] = self._related(parent)
            if other not in related[parent] and key in known and parent not in asked_again:
                asked_again.add(parent)
                related[parent] |= self._related(parent)
            if other in related[parent]:
                found[key] = Snapshot(key, parts)
        return found

    def _related(self, parent: tuple[str, str]) -> set[tuple[str, int]]:
        return self._search.related(OBJECTS[parent[0]], int(parent[1]))

    def write(self, write: Write) -> Answer:
        """Make or remove a relation."""
        held: Mapping[str, Any] = (
            {field.name: value for field, value in write.values.items()}
            if write.present is None
            else write.present.values
        )
        key = _text(held)
        self._change(
            "DELETE" if write.action == DELETE else "POST",
            OBJECTS[held["parent_type"]],
            int(held["parent_id"]),
            str(held["type"]),
            int(held["id"]),
        )
        with after_effect(RELATED):
            there = self.read([key])
        if (key in there) is (write.action == DELETE):
            return NotTaken("the CRM answered well and ignored it")
        return Written(key, there.get(key))

    def replace(self, entity: str, key: int, kind: str, new: Any) -> None:  # noqa: ANN401
        """Relate a record to another one of this kind, of which it has one only, instead of whichever it is now.

        Raises:
            FinalWord: the CRM refuses the new relation; the old one is made again then.
        """
        present = {other for one, other in self._search.related(entity, key) if one == kind}
        wanted = set() if new is None else {int(new)}
        for other in sorted(present - wanted):
            self._change("DELETE", entity, key, kind, other)
        try:
            for other in wanted - present:
                self._change("POST", entity, key, kind, other)
        except errors.FinalWord:
            for other in sorted(present - wanted):
                with suppress(errors.ReadError, errors.Cancelled, errors.EffectUnknown):
                    self._change("POST", entity, key, kind, other)
            raise

    def _change(self, method: str, entity: str, key: int, kind: str, other: int) -> None:
        body = {"resource": {"id": other, "type": kind}}
        question = Question(method, f"/{entity}/{key}/related", f"{RELATED} of {entity}", body=body, writes=True)
        self._ask(question, lambda _: None)


def _text(parts: Mapping[str, Any]) -> str:
    return "/".join(str(parts[name]) for name in _PARTS)

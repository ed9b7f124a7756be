"""A Close organization: ask for its records, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.field_changes import FIELD_VERBS, FieldChanges

if TYPE_CHECKING:
    from sandbox.exchange import Record


class CloseAccount(FieldChanges):
    """An organization whose records and lists change on order. Every public method is safe to call from any thread."""

    def change(self, verb: str, order: Record) -> list[str]:
        """Carry out `edit`, `create`, `delete`, `merge` or one of FIELD_VERBS, as given over HTTP."""
        with self.lock:
            if verb in FIELD_VERBS:
                return [getattr(self, verb)(**order)]
            what = {key: order[key] for key in ("count", "ids") if key in order}
            if verb == "merge":
                return self.merge(count=order.get("count", 1))
            name = order["object"]
            if verb == "edit":
                return self.edit(name, changes=order.get("changes"), **what)
            if verb == "create":
                return self.create(
                    name, count=what.get("count", 1), changes=order.get("changes"), dated=order.get("dated")
                )
            if verb == "delete":
                return self.delete(name, **what)
            raise KeyError(verb)

    def edit(
        self, name: str, *, count: int = 1, ids: list[str] | None = None, changes: Record | None = None
    ) -> list[str]:
        """Change records (those named, or `count` at random): fields as given, else a text."""
        with self.lock:
            return [self.editor.edit(name, number, changes) for number in self.editor.chosen(name, count, ids)]

    def create(
        self, name: str, *, count: int = 1, changes: Record | None = None, dated: float | None = None
    ) -> list[str]:
        """Add records made now, with fields as given; `dated` (epoch seconds) is their `date_created`."""
        with self.lock:
            return [self.editor.create(name, changes or {}, dated) for _ in range(count)]

    def delete(self, name: str, *, count: int = 1, ids: list[str] | None = None) -> list[str]:
        """Delete records (those named, or `count` at random), and what belongs to them."""
        with self.lock:
            chosen = self.editor.chosen(name, count, ids)
            for number in chosen:
                self.editor.delete(name, number)
            return chosen

    def merge(self, *, count: int = 1) -> list[str]:
        """Merge so many leads, each into another one; gives the ids of those that disappeared."""
        with self.lock:
            found = self.tables["leads"].sample(self.rng, 2 * count)
            pairs = list(zip(found[::2], found[1::2], strict=False))
            for source, destination in pairs:
                self.editor.merge(source, destination)
            return [source for source, _ in pairs]

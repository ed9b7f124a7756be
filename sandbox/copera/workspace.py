"""A Copera workspace: ask for its records, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.changes import Editor
from sandbox.copera.records import WorkspaceRecords

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour
    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record


class CoperaAccount(WorkspaceRecords):
    """A workspace whose records change on order. Every public method is safe to call from any thread."""

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        super().__init__(shape, behaviour)
        self.editor = Editor(self)

    def change(self, verb: str, order: Record) -> list[str]:
        """Carry out an order; see `Editor` for the verbs."""
        with self.lock:
            return self.editor.carry_out(verb, order)

    def edit(
        self,
        name: str,
        *,
        count: int = 1,
        ids: list[str] | None = None,
        changes: Record | None = None,
    ) -> list[str]:
        """Change records (those named, or `count` at random): as given, else a text."""
        return self.change("edit", _order(name, count, ids, changes))

    def create(self, name: str, *, count: int = 1, changes: Record | None = None) -> list[str]:
        """Add records made now, with fields as given."""
        return self.change("create", _order(name, count, None, changes))

    def delete(self, name: str, *, count: int = 1, ids: list[str] | None = None) -> list[str]:
        """Delete records (those named, or `count` at random), and what belongs to them."""
        return self.change("delete", _order(name, count, ids, None))


def _order(name: str, count: int, ids: list[str] | None, changes: Record | None) -> Record:
    order: Record = {"object": name, "count": count}
    if ids is not None:
        order["ids"] = ids
    return order | ({"changes": changes} if changes is not None else {})

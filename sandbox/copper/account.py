"""A Copper account: ask for its records, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.changes import Editor
from sandbox.copper.custom_fields import SINGULAR
from sandbox.copper.field_changes import FIELD_VERBS, FieldChanges
from sandbox.copper.merges import merge, pairs_of
from sandbox.copper.records import AccountRecords

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.copper.behaviour import Behaviour
    from sandbox.copper.shape import Shape
    from sandbox.exchange import Record


class CopperAccount(AccountRecords):
    """An account whose records and lists change on order. Every public method is safe to call from any thread."""

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        super().__init__(shape, behaviour)
        self._fields = FieldChanges(self)
        self._editor = Editor(self, self._fields)

    def change(self, verb: str, order: Record) -> list[int]:
        """Carry out an order over HTTP: `edit`, `create`, `delete`, `convert`, `merge` or one of FIELD_VERBS.

        Those of FIELD_VERBS take the arguments of their methods, with `id` for `number`; `merge` answers the ids of
        a lost record and of its survivor in turn.
        """
        if verb in FIELD_VERBS:
            given = {"number" if key == "id" else key: value for key, value in order.items()}
            return [getattr(self, verb)(**given)]
        what = {key: order[key] for key in ("count", "ids") if key in order}
        changes = order.get("changes")
        if verb == "convert":
            return self.convert(**what)
        name = order["object"]
        if verb == "edit":
            return self.edit(name, changes=changes, **what)
        if verb == "create":
            return self.create(name, changes=changes, count=what.get("count", 1))
        if verb == "delete":
            return self.delete(name, **what)
        if verb == "merge":
            merged = self.merge(name, count=what.get("count", 1), pairs=order.get("pairs"))
            return [number for pair in merged for number in pair]
        raise KeyError(verb)

    def edit(
        self, name: str, *, count: int = 1, ids: Iterable[int] | None = None, changes: Record | None = None
    ) -> list[int]:
        """Change records (those named, or `count` at random): fields as given, else name or details.

        date_modified becomes the present second unless `changes` says otherwise.
        """
        with self.lock:
            return self._editor.edit(name, count, ids, changes)

    def create(self, name: str, *, count: int = 1, changes: Record | None = None) -> list[int]:
        """Add records made now, with fields as given."""
        with self.lock:
            return self._editor.create(name, count, changes or {})

    def delete(self, name: str, *, count: int = 1, ids: Iterable[int] | None = None) -> list[int]:
        """Delete records (those named, or `count` at random); activities leave a stub."""
        with self.lock:
            return self._editor.delete(name, count, ids)

    def convert(self, *, count: int = 1, ids: Iterable[int] | None = None, opportunity: bool = True) -> list[int]:
        """Convert leads (those named, or `count` unconverted ones) to a person and maybe an opportunity."""
        with self.lock:
            return self._editor.convert(count, ids, opportunity=opportunity)

    def merge(
        self, name: str, *, count: int = 1, pairs: Iterable[tuple[int, int]] | None = None
    ) -> list[tuple[int, int]]:
        """Merge people, companies or leads, each pair (lost, survivor), or `count` pairs at random; gives the pairs.

        The lost ones leave no trace; the survivors get what belonged to them.
        """
        with self.lock:
            chosen = pairs_of(self, name, count, pairs)
            self.edits += 1
            for lost, survivor in chosen:
                with self.at_once("merge"):
                    merge(self._editor, name, lost, survivor)
            return chosen

    def add_field(  # noqa: PLR0913  (a definition has that many parts)
        self,
        name: str,
        data_type: str,
        *,
        available_on: Sequence[str] = tuple(SINGULAR.values()),
        options: Sequence[str] = (),
        currency: str = "USD",
        fill: bool = False,
        is_filterable: bool | None = None,
        sampled: bool = True,
    ) -> int:
        """Define a custom field; gives its id.

        Records have it once they are edited; those made later may. With `fill` all of them have a value at once,
        and no date_modified moves. Without `sampled` only what writes it through the API gives it a value.
        `is_filterable` is what its kind has unless it is said.
        """
        return self._fields.add(
            name,
            data_type,
            available_on,
            options,
            currency,
            fill=fill,
            is_filterable=is_filterable,
            sampled=sampled,
        )

    def rename_field(self, number: int, name: str) -> int:
        """Give a definition another name."""
        return self._fields.rename(number, name)

    def retype_field(self, number: int, data_type: str, *, options: Sequence[str] = ()) -> int:
        """Give a definition another kind. Values get the form of that kind, and no date_modified moves."""
        return self._fields.retype(number, data_type, options)

    def remove_field(self, number: int) -> int:
        """Remove a definition and all its values; no date_modified moves."""
        return self._fields.remove(number)

    def add_option(self, number: int, name: str) -> int:
        """Give a definition one more option; gives the option's id."""
        return self._fields.add_option(number, name)

    def rename_option(self, number: int, option: int, name: str) -> int:
        """Give an option of a definition another name."""
        return self._fields.rename_option(number, option, name)

    def remove_option(self, number: int, option: int) -> int:
        """Remove an option from a definition; records keep its id."""
        return self._fields.remove_option(number, option)

"""Values that refer to other records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from target_crm.contract import NEW, Unwritable
from target_crm.kinds.base import Plain, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_crm.contract import Id


def plain_id(value: Any) -> Id | None:  # noqa: ANN401
    """Return an id: a whole number stays one, whatever form it has; None for an empty one.

    Raises:
        Unwritable: it is no id.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Unwritable("must be the id of a record")
    if isinstance(value, float):
        if value != int(value):
            raise Unwritable("must be the id of a record")
        return int(value)
    return value.strip() if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Reference(Plain):
    """The id of another record: the CRM's own, or the key of one that this journal has written.

    Attributes:
        object: of which it is; "" where another field says that.
        whole_ids: whether the CRM's ids are whole numbers.
    """

    object: str
    whole_ids: bool = True

    @override
    def read(self, value: Any) -> Any:
        return plain_id(value)

    @override
    def write(self, value: Any) -> Any:
        return _api_id(value, self.object) if self.whole_ids else value

    @override
    def show(self, value: Any) -> Any:
        return value

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        return _text(present) == _text(wanted)

    @override
    def refers(self, value: Any) -> tuple[str, Any] | None:
        return None if value is None else (self.object, value)

    @override
    def referring(self, value: Any, to: Any) -> Any:
        return to


@dataclass(frozen=True, slots=True)
class TypedReference(Plain):
    """``{"type": …, "id": …}``: a record of any of several objects. Inside: a pair of type and id."""

    objects: Mapping[str, str] = field(hash=False)
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Unwritable("must be an object with `type` and `id`")
        kind, key = value.get("type"), plain_id(value.get("id"))
        if kind in (None, "") and key is None:
            return None
        if kind not in self.objects:
            raise Unwritable(f"the type `{kind}` {listed('is none of', list(self.objects))}")
        if key is None:
            raise Unwritable("has a `type` and no `id`")
        return kind, key

    @override
    def write(self, value: Any) -> Any:
        return None if value is None else {"id": _api_id(value[1], self.objects[value[0]]), "type": value[0]}

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else {"id": value[1], "type": value[0]}

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return present[0] == wanted[0] and _text(present[1]) == _text(wanted[1])

    @override
    def refers(self, value: Any) -> tuple[str, Any] | None:
        return None if value is None else (self.objects[value[0]], value[1])

    @override
    def referring(self, value: Any, to: Any) -> Any:
        return value[0], to


def _text(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else str(value)


def _api_id(value: Any, name: str) -> Any:  # noqa: ANN401
    """Return an id as a whole number.

    Raises:
        Unwritable: it is none, and no record with that key was written.
    """
    if isinstance(value, str) and not value.startswith(NEW):
        if not value.isascii() or not value.isdigit():
            raise Unwritable(f"`{value}` is neither an id of {name} nor the key of a record that was written before")
        return int(value)
    return value

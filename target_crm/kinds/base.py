"""What a kind of value promises, and what most kinds have in common.

A value has one form inside of the target, which ``read`` makes of whatever a record or a CRM holds; ``None`` is empty.
"""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol

from target_crm.contract import Unwritable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPACE = re.compile(r"\s+")


class Kind(Protocol):
    """What the values of a field are."""

    @property
    def many(self) -> bool:
        """Whether it holds several things, so that the setting ``arrays`` concerns it."""
        ...

    @property
    def nested(self) -> bool:
        """Whether its values are lists or objects, which many warehouses and files hold as JSON text."""
        ...

    def read(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return the value in the form that this kind has; None for null, an empty text or an empty list.

        Raises:
            Unwritable: it is none; says what it should be, without the field's name.
        """
        ...

    def accept(self, value: Any) -> Any:  # noqa: ANN401
        """Return the value of a record, like ``read``, if the CRM can be given it.

        Raises:
            Unwritable: it cannot.
        """
        ...

    def write(self, value: Any) -> Any:  # noqa: ANN401 - of this kind
        """Return what the API takes for a value, or for None."""
        ...

    def show(self, value: Any) -> Any:  # noqa: ANN401
        """Return what a person reads in the report."""
        ...

    def holds(self, present: Any, wanted: Any) -> bool:  # noqa: ANN401
        """Tell whether nothing needs to be sent for ``present`` to be what is wanted."""
        ...

    def near(self, text: str) -> str:
        """Return what texts have in common that may be one value; what is not one may have it in common, too."""
        ...

    def agrees(self, value: Any, label: Any) -> bool:  # noqa: ANN401
        """Tell whether a label that a record shows may be the one of a value that it has.

        Raises:
            Unwritable: it cannot be a label.
        """
        ...

    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:  # noqa: ANN401
        """Return the whole value that is to be sent.

        Args:
            present: what is there, or None.
            wanted: what a record says, which may be less than the whole.
            union: what is there stays beside it.
            clear: an empty part of it empties that part.
        """
        ...

    def within(self, value: Any, whole: Any) -> Any:  # noqa: ANN401
        """Return which of several things of one name is meant, by that to which it belongs, such as its pipeline.

        Raises:
            Unwritable: none of them belongs to it.
        """
        ...

    def refers(self, value: Any) -> tuple[str, Any] | None:  # noqa: ANN401
        """Return the object and the id that a value refers to; None if it refers to nothing."""
        ...

    def referring(self, value: Any, to: Any) -> Any:  # noqa: ANN401
        """Return the value with another id."""
        ...

    def references(self, value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
        """Return all objects and ids that a value refers to; an object "" stands for any."""
        ...

    def referring_all(self, value: Any, ids: Mapping[Any, Any]) -> Any:  # noqa: ANN401
        """Return the value with other ids for those that are named here."""
        ...


class Plain:
    """What most kinds have in common: one thing, equal or not, and sent as it is."""

    many = False
    nested = False

    def read(self, value: Any) -> Any:  # noqa: ANN401
        """Return the value as it is."""
        return value

    def accept(self, value: Any) -> Any:  # noqa: ANN401
        """Take whatever can be read."""
        return self.read(value)

    def write(self, value: Any) -> Any:  # noqa: ANN401
        """Send it as it is."""
        return value

    def show(self, value: Any) -> Any:  # noqa: ANN401
        """Show what is sent."""
        return None if value is None else self.write(value)

    def holds(self, present: Any, wanted: Any) -> bool:  # noqa: ANN401
        """Compare."""
        return bool(present == wanted)

    def near(self, text: str) -> str:
        """Let capitals, ends and composed characters make no difference."""
        return same_text(text).casefold()

    def agrees(self, value: Any, label: Any) -> bool:  # noqa: ANN401
        """Compare with the value that has this label."""
        return self.holds(value, self.accept(label))

    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:  # noqa: ANN401, ARG002
        """Take what is wanted."""
        return wanted

    def within(self, value: Any, whole: Any) -> Any:  # noqa: ANN401, ARG002
        """Mean one thing."""
        return value

    def refers(self, value: Any) -> tuple[str, Any] | None:  # noqa: ANN401, ARG002
        """Refer to nothing."""
        return None

    def referring(self, value: Any, to: Any) -> Any:  # noqa: ANN401, ARG002
        """Stay as it is."""
        return value

    def references(self, value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
        """Refer to one record, or to nothing."""
        found = self.refers(value)
        return [] if found is None else [found]

    def referring_all(self, value: Any, ids: Mapping[Any, Any]) -> Any:  # noqa: ANN401
        """Refer to the one that is named."""
        return self.referring(value, next(iter(ids.values()))) if ids else value


def same_text(text: str) -> str:
    """Return what two texts have in common that a CRM may take for one: ends, line breaks, composed characters."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())


def text_of(value: float | Decimal) -> str:
    """Return a number as people write it: 5, not 5.0 or 1e+16, since columns of numbers have fractions or not."""
    text = f"{Decimal(repr(value)) if isinstance(value, float) else Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unpacked(value: Any) -> Any:  # noqa: ANN401
    """Return the list or the object that a JSON text says; anything else, such as the tag ``[2026]``, as it is."""
    if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    is_plain = isinstance(found, list) and not all(isinstance(one, (str, dict, NoneType)) for one in found)
    return value if is_plain else found


def one_spaced(text: str) -> str:
    """Return a text with single spaces for whatever is between words."""
    return _SPACE.sub(" ", same_text(text))


def listed(what: str, candidates: list[str], most: int = 20) -> str:
    """Return the end of a sentence that names what is allowed."""
    shown = ", ".join(candidates[:most])
    more = len(candidates) - most
    return f"{what}: {shown}{f' and {more} more' if more > 0 else ''}" if candidates else f"{what}: none"


def refuse(wanted: str) -> Unwritable:
    """Return the error of a value that is not what it should be."""
    return Unwritable(f"must be {wanted}")

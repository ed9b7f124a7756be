"""What values are in Close, where it differs from other CRMs: ids as texts, days that may have a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from target_crm.contract import NEW, Unwritable
from target_crm.kinds.base import Plain
from target_crm.kinds.contact_points import Address, are_same_phones, same_mail, same_phone
from target_crm.kinds.links import Reference
from target_crm.kinds.options import Option
from target_crm.kinds.plain import Text
from target_crm.kinds.times import Day, Moment, given_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_crm.contract import Id
    from target_crm.kinds.base import Kind
    from target_crm.kinds.options import Several, Unknown


@dataclass(frozen=True, slots=True)
class NamedOption(Option):
    """One of the account's definitions, by its label, or by its id.

    An id is taken as it is: lists of users, for one, name only the present ones.

    Attributes:
        prefix: how an id begins.
    """

    prefix: str = ""

    @override
    def read(self, value: Any) -> Id | Several | Unknown | None:
        if isinstance(value, str) and self.prefix and value.strip().startswith(self.prefix):
            return value.strip()
        return Option.read(self, value)


@dataclass(frozen=True, slots=True)
class Link(Reference):
    """The id of another record, or the key of one that this journal has written.

    Attributes:
        prefix: how the CRM's ids of these records begin; any, if it is empty.
    """

    prefix: str = ""

    @override
    def write(self, value: Any) -> Any:
        if value is None:
            return None
        text = str(value)
        if not text.startswith((self.prefix, NEW)):
            name = self.object or "the object"
            raise Unwritable(f"`{text}` is neither an id of {name} nor the key of a record that was written before")
        return text


@dataclass(frozen=True, slots=True)
class Many(Plain):
    """Several values of one kind; their order does not count. Inside: a tuple."""

    one: Kind
    many = True
    nested = True

    @override
    def read(self, value: Any) -> Any:
        return self._of_each(value, self.one.read)

    @override
    def accept(self, value: Any) -> Any:
        return self._of_each(value, self.one.accept)

    def _of_each(self, value: Any, take: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        if value is None:
            return None
        given = value if isinstance(value, (list, tuple)) else [value]
        found = [take(part) for part in given]
        return tuple(dict.fromkeys(part for part in found if part is not None)) or None

    @override
    def write(self, value: Any) -> Any:
        return [self.one.write(part) for part in value or ()]

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        left = list(present or ())
        for part in wanted or ():
            same = next((other for other in left if self.one.holds(other, part)), None)
            if same is None:
                return False
            left.remove(same)
        return not left

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        return (*(present or ()), *self.without(wanted, present)) or None if union else wanted

    def without(self, values: Any, others: Any) -> list[Any]:  # noqa: ANN401
        """Return the values that are not among the others."""
        return [part for part in values or () if not any(self.one.holds(other, part) for other in others or ())]


@dataclass(frozen=True, slots=True)
class Phone(Text):
    """A phone number, which comes back as E.164."""

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return are_same_phones(same_phone(present), same_phone(wanted))


@dataclass(frozen=True, slots=True)
class Mail(Text):
    """An e-mail address."""

    @override
    def read(self, value: Any) -> str | None:
        text = Text.read(self, value)
        return None if text is None else text.strip()

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return same_mail(present) == same_mail(wanted)


@dataclass(frozen=True, slots=True)
class SecureUrl(Text):
    """An address that begins with https."""

    @override
    def accept(self, value: Any) -> Any:
        text = self.read(value)
        if text is not None and not text.startswith("https://"):
            raise Unwritable("must be an address that begins with https://")
        return text


@dataclass(frozen=True, slots=True)
class DayOrMoment(Plain):
    """A day, or a moment; midnight UTC is the day."""

    @override
    def read(self, value: Any) -> str | None:
        try:
            return Day().read(value)
        except Unwritable:
            return Moment().read(value)

    @override
    def accept(self, value: Any) -> Any:
        return self.read(given_time(value))

    @override
    def show(self, value: Any) -> Any:
        return value

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None or "T" not in present or "T" not in wanted:
            return bool(present == wanted)
        return Moment().holds(present, wanted)


@dataclass(frozen=True, slots=True)
class Addresses(Plain):
    """A list of postal addresses with a label; their order does not count. Inside: a tuple of their parts by name.

    Attributes:
        parts: the names of an address's parts.
        usual: the label of an address that says none.
    """

    parts: tuple[str, ...] = ("address_1", "address_2", "city", "state", "zipcode", "country")
    usual: str = "business"
    many = True
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        given = value if isinstance(value, (list, tuple)) else [value]
        one = Address(self.parts)
        found = []
        for entry in given:
            parts = one.read(entry)
            if parts is not None:
                label = entry.get("label") if isinstance(entry, dict) else None
                found.append({**parts, "label": str(label).strip() if label else None})
        return tuple(found) or None

    @override
    def accept(self, value: Any) -> Any:
        one = Address(self.parts)
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(entry, dict):
                one.accept({name: held for name, held in entry.items() if name not in ("label", "tz_ids")})
        return self.read(value)

    @override
    def write(self, value: Any) -> Any:
        return [
            {"label": entry["label"] or self.usual, **{name: entry[name] for name in self.parts if entry.get(name)}}
            for entry in value or ()
        ]

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else self.write(value)

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        left = list(present or ())
        for entry in wanted or ():
            same = next((other for other in left if self._is_same(other, entry)), None)
            if same is None:
                return False
            left.remove(same)
        return not left

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        if not union:
            return wanted
        said = list(wanted or ())
        kept = [other for other in present or () if not any(self._is_same(other, entry) for entry in said)]
        return (*kept, *said) or None

    def _is_same(self, present: dict[str, Any], wanted: dict[str, Any]) -> bool:
        if wanted["label"] and wanted["label"].casefold() != (present["label"] or self.usual).casefold():
            return False
        return Address(self.parts).holds(present, wanted)


@dataclass(frozen=True, slots=True)
class ByAnotherStream(Plain):
    """A field that a record cannot carry, since Close does not change it through this object.

    Attributes:
        stream: by which it is written.
    """

    stream: str
    nested = True

    @override
    def accept(self, value: Any) -> Any:
        if value in (None, "", []):
            return None
        raise Unwritable(f"cannot be written through this object: use the stream `{self.stream}`")

    @override
    def read(self, value: Any) -> Any:
        return None

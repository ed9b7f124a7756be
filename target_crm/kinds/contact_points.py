"""E-mail addresses, phone numbers, web addresses: lists of entries with a category; and postal addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from target_crm.contract import Unwritable
from target_crm.kinds.base import Plain, listed, same_text, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_DIGIT = re.compile(r"\D+")
_EXTENSION = re.compile(r"(?:ext\.?|x|#)\s*\d+\s*$", re.IGNORECASE)
#: Parts of an address that are codes, or that CRMs turn into such: their capitals do not count.
_CODES = frozenset({"state", "postal_code", "zipcode", "country"})
#: So many last digits are the same number, where one of two says its country and the other does not.
_LOCAL_DIGITS = 7


def same_mail(address: str) -> str:
    """Return an e-mail address as mail systems compare it."""
    return address.strip().casefold()


def same_phone(number: str) -> str:
    """Return a phone number as E.164 has it, as far as it says its country; else its digits, without leading zeros."""
    bare = _EXTENSION.sub("", number.strip())
    digits = _NO_DIGIT.sub("", bare)
    if bare.startswith("+"):
        return f"+{digits}"
    return f"+{digits[2:]}" if digits.startswith("00") else digits.lstrip("0") or number.strip()


def same_url(url: str) -> str:
    """Return a web address as browsers compare it."""
    bare = re.sub(r"^https?://", "", url.strip(), flags=re.IGNORECASE)
    host, slash, path = bare.partition("/")
    return (host.casefold() + slash + path).rstrip("/")


def are_same_phones(one: str, other: str) -> bool:
    """Tell whether two numbers, as ``same_phone`` has them, are one: maybe only one of them says its country."""
    if one == other:
        return True
    if one.startswith("+") == other.startswith("+"):
        return False
    full, local = (one, other) if one.startswith("+") else (other, one)
    return len(local) >= _LOCAL_DIGITS and full.endswith(local)


def near_phone(number: str) -> str:
    """Return what numbers that may be one have in common, of one as ``same_phone`` has it."""
    return number[-_LOCAL_DIGITS:]


@dataclass(frozen=True, slots=True)
class Entries(Plain):
    """A list of entries with a category; their order does not count. Inside: pairs of value and category.

    Attributes:
        value: the name of the entry's value, such as ``email``.
        category: the name of its category.
        same: makes values that are the same equal.
        usual: the category of an entry that says none.
        allowed: the categories that the CRM has; any, if this is empty.
        are_same: compares two values that ``same`` has made.
    """

    value: str
    same: Callable[[str], str]
    usual: str
    allowed: tuple[str, ...] = ()
    category: str = "category"
    are_same: Callable[[str, str], bool] = str.__eq__
    many = True
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        given = value if isinstance(value, (list, tuple)) else [value]
        found: dict[tuple[str, str | None], tuple[str, str | None]] = {}
        for pair in filter(None, map(self.pair, given)):
            found.setdefault((self.same(pair[0]), pair[1]), pair)
        usual = {same for same, label in found if label == self.usual}
        return tuple(pair for (same, label), pair in found.items() if label or same not in usual) or None

    def pair(self, entry: Any) -> tuple[str, str | None] | None:  # noqa: ANN401
        """Return value and category of an entry, which may be just the value; None for an empty one.

        Raises:
            Unwritable: it is no entry.
        """
        if entry is None:
            return None
        held = entry.get(self.value) if isinstance(entry, dict) else entry
        category = entry.get(self.category) if isinstance(entry, dict) else None
        if held is None:
            return None
        if isinstance(held, (dict, list, bool)):
            raise Unwritable(f"must be a list of objects with `{self.value}`")
        text = (text_of(held) if isinstance(held, (float, Decimal)) else str(held)).strip()
        label = str(category).strip().lower() if category else None
        return (text, label) if text else None

    @override
    def accept(self, value: Any) -> Any:
        found = self.read(value)
        for _, label in found or ():
            if label and self.allowed and label not in self.allowed:
                raise Unwritable(f"has the category `{label}`, which {listed('is none of', list(self.allowed))}")
        return found

    @override
    def write(self, value: Any) -> Any:
        return [{self.value: text, self.category: label or self.usual} for text, label in value or ()]

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else [{self.value: text, self.category: label} for text, label in value]

    @override
    def near(self, text: str) -> str:
        same = self.same(text)
        return near_phone(same) if self.are_same is are_same_phones else same

    def meets(self, present: Any, wanted: Any) -> bool:  # noqa: ANN401 - of this kind
        """Tell whether two lists have an entry in common, whatever its category is."""
        return any(self._find((text, None), list(present or ())) for text, _ in wanted or ())

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        have, want = list(present or ()), list(wanted or ())
        return len(have) == len(want) and all(self._find(one, have, by_category=True) for one in want)

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        have = list(present or ())
        labelled = [one for one in wanted or () if one[1]]
        free = [one for one in have if not self._find(one, labelled, by_category=True)]
        said = [(text, label or self._category(text, free)) for text, label in wanted or ()]
        return (*((one for one in have if self._stays(one, have, said)) if union else ()), *said) or None

    def _stays(self, one: tuple[str, str | None], have: list[Any], said: list[Any]) -> bool:
        """Tell whether an entry stays beside what is said; its value may be there in several categories."""
        is_single = sum(self.same(other[0]) == self.same(one[0]) for other in have) == 1
        return not self._find(one, said, by_category=not is_single)

    def _category(self, text: str, have: list[tuple[str, str | None]]) -> str | None:
        found = self._find((text, None), have)
        return found[1] if found else None

    def _find(
        self, one: tuple[str, str | None], among: list[tuple[str, str | None]], *, by_category: bool = False
    ) -> tuple[str, str | None] | None:
        """Return the entry of the same value; by category, one that says none is of any."""
        text, label = self.same(one[0]), one[1]
        for other in among:
            is_fit = not by_category or label is None or label == (other[1] or self.usual)
            if is_fit and self.are_same(text, self.same(other[0])):
                return other
        return None


@dataclass(frozen=True, slots=True)
class OneEntry(Entries):
    """A single entry of that kind, where the CRM has no list."""

    many = False

    @override
    def read(self, value: Any) -> Any:
        found = Entries.read(self, value)
        if found and len(found) > 1:
            raise Unwritable("can hold one entry only")
        return found

    @override
    def write(self, value: Any) -> Any:
        return Entries.write(self, value)[0] if value else None

    @override
    def show(self, value: Any) -> Any:
        return Entries.show(self, value)[0] if value else None

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        return Entries.merge(self, present, wanted, union=False, clear=clear)


@dataclass(frozen=True, slots=True)
class Address(Plain):
    """One postal address. Inside: its parts by name; all are sent, since what a CRM does with fewer is not told."""

    parts: tuple[str, ...]
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise Unwritable(f"must be an object with {', '.join(self.parts)}")
        found = {name: _part(value[name]) for name in self.parts if name in value}
        return found if any(found.values()) else None

    @override
    def accept(self, value: Any) -> Any:
        found = self.read(value)
        unknown = [name for name in value or () if name not in self.parts and value[name] not in (None, "")]
        if unknown:
            raise Unwritable(f"has `{unknown[0]}`, which {listed('is none of', list(self.parts))}")
        return found

    @override
    def write(self, value: Any) -> Any:
        return None if value is None else {name: value.get(name) for name in self.parts}

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        have, want = present or {}, wanted or {}
        return all(_same_part(name, have.get(name)) == _same_part(name, want.get(name)) for name in self.parts)

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        if wanted is None:
            return None
        said = {name: text for name, text in wanted.items() if clear or text is not None}
        return {**(present or {}), **said}


def _part(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, (dict, list)):
        raise Unwritable("must be an object of texts")
    text = "" if value is None else str(value).strip()
    return text or None


def _same_part(name: str, text: str | None) -> str:
    same = same_text(text or "")
    return same.casefold() if name in _CODES else same

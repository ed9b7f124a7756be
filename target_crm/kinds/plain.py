"""Texts, numbers, yes and no, and choices whose words the CRM's documentation fixes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from typing_extensions import override

from target_crm.contract import Unwritable
from target_crm.kinds.base import Plain, listed, refuse, same_text, text_of

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class Text(Plain):
    """A text; ends and line breaks do not count where two are compared."""

    @override
    def read(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise refuse("text")
        text = text_of(value) if isinstance(value, (float, Decimal)) else str(value)
        return text if text.strip() else None

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return same_text(present) == same_text(wanted)


@dataclass(frozen=True, slots=True)
class Number(Plain):
    """A number.

    Attributes:
        whole: fractions are refused, such as those of a cent.
        of: what is counted, for messages.
    """

    whole: bool = False
    of: str = ""

    @override
    def read(self, value: Any) -> Decimal | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        wanted = f"a {'whole ' if self.whole else ''}number{f' of {self.of}' if self.of else ''}"
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise refuse(wanted)
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            raise refuse(wanted) from None
        if not number.is_finite() or (self.whole and number != number.to_integral_value()):
            raise refuse(wanted)
        return number

    @override
    def write(self, value: Any) -> Any:
        if value is None:
            return None
        return int(value) if value == value.to_integral_value() else float(value)

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        """Compare what is sent: of more digits than a CRM takes, only those count that it is given."""
        return present == wanted or bool(None not in (present, wanted) and self.write(present) == self.write(wanted))


@dataclass(frozen=True, slots=True)
class Boolean(Plain):
    """Yes or no; one that is not set is a no, where the CRM has it so."""

    unset_is_false: bool = False

    @override
    def read(self, value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if not text:
            return None
        if text not in (*_TRUE, *_FALSE):
            raise refuse("true or false")
        return text in _TRUE

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if self.unset_is_false:
            return bool(present) is bool(wanted)
        return present is wanted


@dataclass(frozen=True, slots=True)
class Word(Plain):
    """One of a few words that the CRM's documentation fixes."""

    words: tuple[str, ...]

    @override
    def read(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        text = str(value).strip()
        known = {word.casefold(): word for word in self.words}
        if text.casefold() not in known:
            raise Unwritable(f"`{text}` {listed('is none of', list(self.words))}")
        return known[text.casefold()]

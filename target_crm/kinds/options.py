"""Values that are ids of something with a name: users, stages, options of custom fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from target_crm.contract import Ambiguous, Unwritable
from target_crm.kinds.base import Plain, listed, same_text, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_crm.contract import Id


def same_label(label: str) -> str:
    """Return a label in the form in which those are equal that people take for one."""
    return same_text(label).casefold()


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen; ``labels`` are what people call it, the first one is shown.

    Attributes:
        within: the id of what it belongs to, such as the pipeline of a stage; None if that is not known.
    """

    id: Id
    labels: tuple[str, ...]
    within: Id | None = None


@dataclass(frozen=True, slots=True)
class Several:
    """A label that several choices have: it is what is there, if that is one of them, and cannot be sent."""

    label: str
    ids: frozenset[Id]
    what: str

    def refusal(self) -> Ambiguous:
        """Return the error of who has to send it."""
        listed_ids = ", ".join(sorted(str(one) for one in self.ids))
        return Ambiguous(f"`{self.label}` is the name of more than one {self.what} (ids {listed_ids}); give the id")


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is no choice's id or label: the CRM may have it of one that was deleted, and no record can have it anew.

    So what the CRM has is compared, kept and shown as it is, and never taken for nothing.
    """

    text: str


def is_ambiguous(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a value, or a part of it, is the name of more than one thing."""
    return any(isinstance(one, Several) for one in (value if isinstance(value, tuple) else (value,)))


def _is(present: Any, wanted: Any) -> bool:  # noqa: ANN401
    return present in wanted.ids if isinstance(wanted, Several) else bool(present == wanted)


@dataclass(frozen=True, slots=True)
class Option(Plain):
    """One of them, by its id or by a label; one that is unknown is refused, and one that several have, if it differs.

    Attributes:
        what: for messages, such as ``user``.
        choices: returns them; asked for only where a label is given.
        whole_ids: whether ids are whole numbers; texts otherwise.
    """

    what: str
    choices: Callable[[], Sequence[Choice]] = field(repr=False, hash=False, compare=False)
    whole_ids: bool = True

    @override
    def accept(self, value: Any) -> Any:
        found: Any = self.read(value)  # several of them are a tuple
        for one in found if isinstance(found, tuple) else (found,):
            if isinstance(one, Unknown):
                names = [choice.labels[0] for choice in self.choices() if choice.labels]
                raise Unwritable(f"`{one.text}` is no {self.what}; {listed('there are', names)}")
        return found

    @override
    def read(self, value: Any) -> Id | Several | Unknown | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise Unwritable(f"must be the name or the id of a {self.what}")
        if isinstance(value, (int, float)) and self.whole_ids:
            return self._whole(value)
        return self._by_label(str(value).strip())

    @override
    def show(self, value: Any) -> Any:
        if isinstance(value, Unknown):
            return value.text
        return value.label if isinstance(value, Several) else value

    @override
    def agrees(self, value: Any, label: Any) -> bool:
        """Compare with the labels of this id, or the id; labels of one that is not listed any more are not known."""
        if not isinstance(label, str) or same_text(label) == str(value):
            return Plain.agrees(self, value, label)
        known = next((one.labels for one in self.choices() if one.id == value), None)
        return known is None or any(same_label(one) == same_label(label) for one in known)

    def _whole(self, value: float) -> int:
        if value != int(value):
            raise Unwritable(f"must be the name or the id of a {self.what}")
        return int(value)

    @override
    def write(self, value: Any) -> Any:
        if isinstance(value, Several):
            raise value.refusal()
        return value.text if isinstance(value, Unknown) else value

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        return _is(present, wanted)

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        return present if isinstance(wanted, Several) and present in wanted.ids else wanted

    @override
    def within(self, value: Any, whole: Any) -> Any:
        if not isinstance(value, Several) or whole is None or isinstance(whole, (Several, Unknown)):
            return value
        several = [one for one in self.choices() if one.id in value.ids]
        if any(one.within is None for one in several):
            return value
        found = [one.id for one in several if one.within == whole]
        if not found:
            raise Unwritable(f"`{value.label}` is the name of more than one {self.what}, but of none in `{whole}`")
        return found[0] if len(found) == 1 else Several(value.label, frozenset(found), value.what)

    def _by_label(self, text: str) -> Id | Several | Unknown:
        choices = self.choices()
        found = {one.id for one in choices if any(same_label(label) == same_label(text) for label in one.labels)}
        if len(found) > 1:  # capitals may tell them apart
            exact = {one.id for one in choices if text in one.labels}
            found = exact if len(exact) == 1 else found
        if len(found) == 1:
            return found.pop()
        if len(found) > 1:
            return Several(text, frozenset(found), self.what)
        if self.whole_ids and text.isascii() and text.lstrip("-").isdigit():
            return int(text)
        if not self.whole_ids and any(str(one.id) == text for one in choices):
            return text
        return Unknown(text)


@dataclass(frozen=True, slots=True)
class LabelledOption(Option):
    """An option whose label the tap shows, and so does the report; the label of one may be an empty text."""

    @override
    def read(self, value: Any) -> Id | Several | Unknown | None:
        blank = isinstance(value, str) and not value.strip()
        if blank and any(not label.strip() for one in self.choices() for label in one.labels):
            return self._by_label(str(value).strip())
        return Option.read(self, value)

    @override
    def show(self, value: Any) -> Any:
        if isinstance(value, (Several, Unknown)):
            return Option.show(self, value)
        return next((one.labels[0] for one in self.choices() if one.id == value and one.labels), value)


@dataclass(frozen=True, slots=True)
class OptionSet(LabelledOption):
    """Several of them; their order does not count."""

    many = True
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        given = value if isinstance(value, (list, tuple)) else [value]
        found: list[Id | Several | Unknown] = []
        for one in (self.read_one(part) for part in given):
            if one is not None and (isinstance(one, Several) or one not in found):  # two may have the same label
                found.append(one)
        return tuple(found) or None

    def read_one(self, value: Any) -> Id | Several | Unknown | None:  # noqa: ANN401
        """Return one of them, like ``read``."""
        return LabelledOption.read(self, value)

    @override
    def write(self, value: Any) -> Any:
        return [Option.write(self, one) for one in value or ()]

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else [LabelledOption.show(self, one) for one in value]

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        return set(present or ()) == set(self.merge(present, wanted, union=False, clear=False) or ())

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        left = list(present or ())
        said = []
        for one in sorted(wanted or (), key=lambda one: isinstance(one, Several)):  # what is certain goes first
            known = next((other for other in left if _is(other, one)), one)
            if known in left:
                left.remove(known)
            said.append(known)
        return tuple(dict.fromkeys((*(present or ()), *said) if union else said)) or None


@dataclass(frozen=True, slots=True)
class TextSet(Plain):
    """Several texts, such as tags; neither their order nor capitals count."""

    many = True
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        given = value if isinstance(value, (list, tuple)) else [value]
        if any(
            not isinstance(one, (str, int, float, Decimal)) or isinstance(one, bool) for one in given if one is not None
        ):
            raise Unwritable("must be a list of texts")
        found: dict[str, str] = {}
        texts = (text_of(one) if isinstance(one, (float, Decimal)) else str(one) for one in given if one is not None)
        for text in map(str.strip, texts):
            found.setdefault(text.casefold(), text)
        found.pop("", None)
        return tuple(found.values()) or None

    @override
    def write(self, value: Any) -> Any:
        return list(value or ())

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        return _folded(present) == _folded(wanted)

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        return self.read([*(present or ()), *(wanted or ())]) if union else wanted


def _folded(texts: Any) -> set[str]:  # noqa: ANN401
    return {text.casefold() for text in texts or ()}

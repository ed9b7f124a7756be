"""What the cells of Copera's tables are, by the type of their column (copera.ai: boards-how-it-works)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from tap_crm.providers.copera.columns import SELECTS
from tap_crm.shaping.moments import Unfit, to_iso_moment
from target_crm.contract import NEW, Ambiguous, Unwritable
from target_crm.kinds.base import Plain, one_spaced, refuse, same_text
from target_crm.kinds.contact_points import are_same_phones, near_phone, same_mail, same_phone, same_url
from target_crm.kinds.links import plain_id
from target_crm.kinds.options import Choice, LabelledOption, Option, OptionSet
from target_crm.kinds.plain import Boolean, Number, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_crm.providers.copera.columns import Column
    from target_crm.contract import Id
    from target_crm.kinds.base import Kind
    from target_crm.kinds.options import Several, Unknown

ID = re.compile(r"[0-9a-fA-F]{24}")
#: What an id in an address may be, whatever its form: it adds no part to a path.
IN_A_PATH = re.compile(r"[A-Za-z0-9_-]+")
RICH_TEXT = ("DESCRIPTION", "PARAGRAPH", "RICH_TEXT")
#: What only Copera sets; files have no documented way up.
READ_ONLY = frozenset(
    {
        *("FORMULA", "FUNCTION", "ROLLUP", "LOOKUP", "TRACKER", "AUTONUMBER", "FILE"),
        *("CREATED_AT", "UPDATED_AT", "CREATED_BY", "UPDATED_BY", "LAST_MODIFIED_BY"),
    }
)
#: Any table: a column does not tell to which one its links lead.
ANY_TABLE = ""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MIDNIGHT = "T00:00:00Z"


def same_id(text: str) -> str:
    """Return an id as Copera writes it; what is none, such as a key of somebody's own, as it is."""
    return text.lower() if ID.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class CellText(Text):
    """A text that is compared as what it is: an address, a number.

    Attributes:
        same: returns what two texts have in common that are the same.
        are_same: tells of two such whether they are one; by default, if they are equal.
    """

    same: Callable[[str], str] = same_text
    are_same: Callable[[str, str], bool] | None = None

    @override
    def write(self, value: Any) -> Any:
        return "" if value is None else value

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        one, other = self.same(present), self.same(wanted)
        return one == other if self.are_same is None else self.are_same(one, other)

    @override
    def near(self, text: str) -> str:
        same = self.same(text)
        return near_phone(same) if self.are_same is are_same_phones else same

    @override
    def show(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class RichText(Text):
    """A markdown text, of which rows show a preview. Inside: what the CRM has, the preview and the text itself.

    A value that is equal to either changes nothing: a preview is never written over the text that it is of.
    """

    @override
    def read(self, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"preview", "text"}:
            known = tuple(dict.fromkeys(one for one in value.values() if isinstance(one, str) and one.strip()))
            return known or None
        return Text.read(self, value)

    @override
    def write(self, value: Any) -> Any:
        return "" if value is None else value

    @override
    def show(self, value: Any) -> Any:
        return value[-1] if isinstance(value, tuple) else value

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        known = present if isinstance(present, tuple) else (present,)
        said = wanted if isinstance(wanted, tuple) else (wanted,)
        return bool({one_spaced(one) for one in known} & {one_spaced(one) for one in said})


@dataclass(frozen=True, slots=True)
class Password(Text):
    """A text that the CRM takes and never shows."""

    @override
    def read(self, value: Any) -> Any:
        text = Text.read(self, value)
        return None if text is None or not text.strip("*") else text

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else "********"


@dataclass(frozen=True, slots=True)
class CellDate(Plain):
    """A day, a moment in UTC, or a range of them as ``start/end``."""

    @override
    def read(self, value: Any) -> str | None:
        if value is None or value in ("", {}):
            return None
        if isinstance(value, dict):
            ends = [value.get("start") or value.get("from"), value.get("end") or value.get("to")]
            return "/".join(_end(one) for one in ends)
        if not isinstance(value, str):
            raise refuse("a date, such as 2026-01-31")
        return "/".join(_end(one) for one in value.strip().split("/", 1))

    @override
    def write(self, value: Any) -> Any:
        if value is None or "/" not in value:
            return value
        start, end = (None if one == ".." else one for one in value.split("/", 1))
        return {"start": start, "end": end}

    @override
    def show(self, value: Any) -> Any:
        return value


def _end(value: Any) -> str:  # noqa: ANN401
    """Return one end of a range: midnight is the day, since either stands for the other."""
    text = "" if value is None else str(value).strip()
    if text in ("", ".."):
        return ".."
    try:
        moment = f"{text}{_MIDNIGHT}" if _DAY.fullmatch(text) else to_iso_moment(text)
        found = datetime.fromisoformat(moment).astimezone(UTC)
    except (Unfit, ValueError):
        raise refuse("a date, such as 2026-01-31, or a range of two, such as 2026-01-31/2026-02-28") from None
    if (found.hour, found.minute, found.second, found.microsecond) == (0, 0, 0, 0):
        return found.date().isoformat()
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Select(LabelledOption):
    """One option; a list of one stands for it."""

    @override
    def read(self, value: Any) -> Any:
        return LabelledOption.read(self, _only(value, self.what))

    @override
    def agrees(self, value: Any, label: Any) -> bool:
        return LabelledOption.agrees(self, value, _only(label, self.what))


def _only(value: Any, what: str) -> Any:  # noqa: ANN401
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) > 1:
        raise Unwritable(f"must be one {what}, and is a list of {len(value)}")
    return value[0] if value else None


@dataclass(frozen=True, slots=True)
class Members(OptionSet):
    """Several users, by name, e-mail or id; an id is taken as it is, since teams and bots have one, too."""

    @override
    def read_one(self, value: Any) -> Id | Several | Unknown | None:
        if isinstance(value, str) and ID.fullmatch(value.strip()):
            return same_id(value.strip())
        return LabelledOption.read(self, value)

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else [Option.show(self, one) for one in value]

    @override
    def agrees(self, value: Any, label: Any) -> bool:
        names = label if isinstance(label, (list, tuple)) else [label]
        known = {one.id: {text.casefold() for text in one.labels} for one in self.choices()}
        meant = [known.get(one) for one in value or ()]
        said = [str(one).casefold() for one in names if one is not None]
        if any(one is None for one in meant):  # of a team or a bot the name is not known
            return True
        return len(said) == len(meant) and all(any(text in one for one in meant if one) for text in said)


class Shown(Protocol):
    """What is shown for the rows that a column links to."""

    def ids(self, label: str) -> set[str]:
        """Return the ids of the rows that are shown so, whatever its capitals are."""
        ...

    def labels(self, ids: Sequence[str]) -> Mapping[str, set[str]]:
        """Return by id what is shown for rows, without capitals; nothing for those that are not linked to."""
        ...


@dataclass(frozen=True, slots=True)
class RowLinks(Plain):
    """Links to rows: their ids, the keys of rows that this journal has written, or what Copera shows for them.

    Attributes:
        shown: returns what Copera shows for the rows that this column links to already, and their ids.
    """

    shown: Callable[[], Shown] = field(repr=False, hash=False, compare=False)
    many = True
    nested = True

    @override
    def read(self, value: Any) -> Any:
        if value is None:
            return None
        given = value if isinstance(value, (list, tuple)) else [value]
        found = [plain_id(one) for one in given]
        return tuple(dict.fromkeys(str(one) for one in found if one is not None)) or None

    @override
    def accept(self, value: Any) -> Any:
        found = self.read(value)
        return None if found is None else tuple(dict.fromkeys(self._meant(one) for one in found))

    def _meant(self, text: str) -> str:
        """Return the id of the row that is shown so; anything else as it is: it may be a key."""
        if ID.fullmatch(text) or text.isdigit():
            return text
        ids = self.shown().ids(text)
        if len(ids) > 1:
            raise Ambiguous(f"`{text}` is what more than one row shows (ids {', '.join(sorted(ids))}); give the id")
        return ids.pop() if ids else text

    @override
    def write(self, value: Any) -> Any:
        for one in value or ():
            if not ID.fullmatch(one) and not one.startswith(NEW):
                raise Unwritable(
                    f"`{one}` is neither the id of a row, nor the key of one that was written before, nor what Copera "
                    "shows for a row that this column links to"
                )
        return list(dict.fromkeys(map(same_id, value or ())))

    @override
    def show(self, value: Any) -> Any:
        return None if value is None else list(value)

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        return set(map(same_id, present or ())) == set(map(same_id, wanted or ()))

    @override
    def agrees(self, value: Any, label: Any) -> bool:
        labels = label if isinstance(label, (list, tuple)) else [label]
        said = {str(one).casefold() for one in labels if one not in (None, "")}
        known = self.shown().labels(list(value)) if said else {}
        meant = [known.get(one) for one in value]
        if not said or any(one is None for one in meant):  # what is shown for a row that was not linked is not known
            return True
        return all(any(text in one for one in meant if one) for text in said)

    @override
    def merge(self, present: Any, wanted: Any, *, union: bool, clear: bool) -> Any:
        return tuple(dict.fromkeys((*(present or ()), *(wanted or ())))) if union else wanted

    @override
    def references(self, value: Any) -> list[tuple[str, Any]]:
        return [(ANY_TABLE, one) for one in value or ()]

    @override
    def referring_all(self, value: Any, ids: Mapping[Any, Any]) -> Any:
        return tuple(dict.fromkeys(str(ids.get(one, one)) for one in value))


@dataclass(frozen=True, slots=True)
class AnyJson(Plain):
    """A value whose shape is not documented, as JSON or as its text."""

    @override
    def read(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip()[:1] in ("{", "["):
            try:
                value = json.loads(value)
            except ValueError:
                return value
        return None if value in (None, "", [], {}) else _with_floats(value)


def _with_floats(value: Any) -> Any:  # noqa: ANN401
    """Return a value whose numbers are equal to those that were read in another way: without decimals."""
    if isinstance(value, dict):
        return {name: _with_floats(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_with_floats(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


_KINDS: Mapping[str, Kind] = {
    "TEXT": CellText(),
    "EMAIL": CellText(same_mail),
    "PHONE": CellText(same_phone, are_same_phones),
    **dict.fromkeys(("WEBSITE", "URL"), CellText(same_url)),
    **dict.fromkeys(("NUMBER", "MONEY", "DURATION"), Number()),
    **dict.fromkeys(RICH_TEXT, RichText()),
    "CHECKBOX": Boolean(unset_is_false=True),
    "DATE": CellDate(),
    "PASSWORD": Password(),
}


def kind_of(column: Column, members: Callable[[], Sequence[Choice]], shown: Callable[[], Shown]) -> Kind | None:
    """Return what the cells of a column are; None where only Copera sets them.

    Args:
        column: the column.
        members: returns the workspace's members.
        shown: returns what the rows show to which the column links.
    """
    if column.kind in READ_ONLY:
        return None
    if column.kind in SELECTS:
        choices = [Choice(key, (label,)) for key, label in column.options.items()]
        make = OptionSet if column.kind == "LABELS" else Select
        return make(f"option of `{column.label}`", lambda: choices, whole_ids=False)
    if column.kind == "USERS":
        return Members("member", members, whole_ids=False)
    if column.kind == "LINK":
        return RowLinks(shown)
    return _KINDS.get(column.kind, AnyJson())

"""Reads the values of a body strictly: each kind of value, and the sentence for one that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.close.moments import micros_of_filter, text_of

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount

Reader: TypeAlias = Callable[["CloseAccount", Any], Any]
"""Makes the value that is kept of the value that was sent; raises Wrong."""

_DAY = 10
_MOST = 1 << 53
_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Wrong(Exception):  # noqa: N818 - it says what a value is
    """A value that can not be taken; `text` is what `field-errors` says of it, maybe nested."""

    def __init__(self, text: Any) -> None:  # noqa: ANN401
        super().__init__(text)
        self.text = text


def text(_: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a text."""
    if not isinstance(value, str):
        raise Wrong("Not a valid string.")
    return value


def filled(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a text that is not blank."""
    found = text(account, value)
    if not found.strip():
        raise Wrong("This field can not be blank.")
    return found


def mail_address(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read an email address."""
    found = text(account, value).strip()
    if not _ADDRESS.fullmatch(found):
        raise Wrong("Invalid email address.")
    return found


def secure_url(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read an address that starts with https."""
    found = text(account, value)
    if not found.startswith("https://"):
        raise Wrong("Must be an https URL.")
    return found


def truth(_: CloseAccount, value: Any) -> bool:  # noqa: ANN401
    """Read a truth value."""
    if not isinstance(value, bool):
        raise Wrong("Not a valid boolean.")
    return value


def whole(low: int = -_MOST, high: int = _MOST) -> Reader:
    """Read a whole number between two others."""

    def read(_: CloseAccount, value: Any) -> int:  # noqa: ANN401
        if not isinstance(value, int) or isinstance(value, bool):
            raise Wrong("Not a valid integer.")
        if not low <= value <= high:
            raise Wrong(f"Value must be between {low} and {high}.")
        return value

    return read


def one_of(*known: str) -> Reader:
    """Read a text out of a few."""

    def read(_: CloseAccount, value: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str) or value not in known:
            raise Wrong(f"Not a valid choice; there are {', '.join(known)}.")
        return value

    return read


def moment(_: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a moment; it comes back in Close's form, in UTC."""
    return text_of(micros_of_time(value))


def micros_of_time(value: Any) -> int:  # noqa: ANN401
    """Read a moment that has a time of day."""
    try:
        if not isinstance(value, str) or len(value) <= _DAY:
            raise Wrong("Not a valid datetime.")
        return micros_of_filter(value)
    except (ValueError, OverflowError):
        raise Wrong("Not a valid datetime.") from None


def day(_: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a date; of a moment, the day that it is in UTC."""
    if isinstance(value, str) and len(value) > _DAY:
        return text_of(micros_of_time(value))[:_DAY]
    try:
        if not isinstance(value, str) or len(value) != _DAY:
            raise Wrong("Not a valid date.")
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Wrong("Not a valid date.") from None


def day_or_moment(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a date or a moment, and keep it as what it is."""
    return moment(account, value) if isinstance(value, str) and len(value) > _DAY else day(account, value)


def listed(one: Reader) -> Reader:
    """Read a list, each item by a reader."""

    def read(account: CloseAccount, value: Any) -> list[Any]:  # noqa: ANN401
        if not isinstance(value, list):
            raise Wrong("Not a valid list.")
        found, wrong = [], {}
        for place, item in enumerate(value):
            try:
                found.append(one(account, item))
            except Wrong as error:
                wrong[str(place)] = error.text
        if wrong:
            raise Wrong(wrong)
        return found

    return read


def reference(*names: str) -> Reader:
    """Read the id of a record of one of these objects that the key sees."""

    def read(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str) or not any(is_there(account, name, value) for name in names):
            raise Wrong(f"There is no {names[0]} with this id.")
        return value

    return read


def is_there(account: CloseAccount, name: str, number: str) -> bool:
    """Whether the key sees a living record."""
    if name in account.tables:
        return number in account.tables[name].living and account.sees(name, number)
    return any(one["id"] == number for one in account.lists[name]) and account.sees(name, number)


def own_organization(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read the id of the organization."""
    if value != account.source.organization_id:
        raise Wrong("Not your organization.")
    return str(value)


def attachment(account: CloseAccount, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Read a file that was uploaded before."""
    if not isinstance(value, dict) or set(value) - {"url", "filename", "content_type", "size"}:
        raise Wrong("An attachment has url, filename, content_type and maybe size.")
    for key in ("url", "filename", "content_type"):
        text(account, value.get(key))
    return value


def plain_object(_: CloseAccount, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Read an object of which no page says what it may have."""
    if not isinstance(value, dict):
        raise Wrong("Not a valid object.")
    return value


def attendee(account: CloseAccount, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Read somebody who takes part in a meeting."""
    known = {"email", "name", "status", "is_organizer", "contact_id", "user_id"}
    if not isinstance(value, dict) or set(value) - known:
        raise Wrong("An attendee has email, and maybe name, status, is_organizer, contact_id and user_id.")
    mail_address(account, value.get("email"))
    return value


def or_null(one: Reader, empty: Any = None) -> Reader:  # noqa: ANN401
    """Read a value, or null, which is kept as something else maybe."""
    return lambda account, value: empty if value is None else one(account, value)


USER = reference("users")

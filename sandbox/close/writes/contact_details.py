"""Reads addresses, emails, phones and URLs, and gives them the form in which they come back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.close.writes.fields import Reader, Wrong, filled, listed, mail_address, text

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount
    from sandbox.exchange import Record

_OWN_COUNTRY = "1"
_CODES = {"1": "US", "41": "CH", "43": "AT", "44": "GB", "49": "DE", "33": "FR", "81": "JP"}
_BETWEEN = re.compile(r"[\s().\-/]")
_LOCAL, _SHORTEST, _LONGEST = 10, 8, 15
_ADDRESS = ("address_1", "address_2", "city", "state", "zipcode", "country")


def _checked(account: CloseAccount, value: Any, needed: Record, optional: dict[str, Reader]) -> Record:  # noqa: ANN401
    """Read an object whose keys are all known."""
    if not isinstance(value, dict):
        raise Wrong("Not a valid object.")
    found: Record = {}
    wrong: Record = {}
    readers = needed | optional
    for key, item in value.items():
        if key not in readers:
            if account.behaviour.unknown_fields == "refused":
                wrong[key] = "Unknown field."
            continue
        try:
            found[key] = readers[key](account, item)
        except Wrong as error:
            wrong[key] = error.text
    wrong |= dict.fromkeys(needed.keys() - value.keys(), "This field is required.")
    if wrong:
        raise Wrong(wrong)
    return found


def _email(account: CloseAccount, value: Any) -> Record:  # noqa: ANN401
    given = _checked(account, value, {"email": mail_address}, {"type": filled})
    return {"email": given["email"], "type": given.get("type", "office")} | {
        "is_unsubscribed": is_unsubscribed(account, given["email"])
    }


def is_unsubscribed(account: CloseAccount, email: str) -> bool:
    """Whether an address wants no mail."""
    return any(one["email"].casefold() == email.casefold() for one in account.lists["unsubscribed_emails"])


def _phone(account: CloseAccount, value: Any) -> Record:  # noqa: ANN401
    given = _checked(account, value, {"phone": phone_number}, {"type": filled})
    number = given["phone"]
    return {
        "phone": number,
        "type": given.get("type", "office"),
        "country": country_of(number),
        "phone_formatted": formatted(number),
    }


def phone_number(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a phone number as people write it; it comes back in the form of E.164."""
    digits = _BETWEEN.sub("", text(account, value))
    if not digits.startswith("+"):
        local = len(digits) == _LOCAL
        digits = f"+{_OWN_COUNTRY if local else ''}{digits}" if local or digits.startswith(_OWN_COUNTRY) else ""
    if not (digits[1:].isascii() and digits[1:].isdigit() and _SHORTEST <= len(digits[1:]) <= _LONGEST):
        raise Wrong("Invalid phone number.")
    return digits


def country_of(number: str) -> str | None:
    """Give the country of a number, by its two letters."""
    return _CODES.get(_code_of(number))


def _code_of(number: str) -> str:
    return next((code for code in _CODES if number[1:].startswith(code)), "")


def formatted(number: str) -> str:
    """Write a number for people."""
    code = _code_of(number)
    rest = number[1 + len(code) :]
    if code == _OWN_COUNTRY and len(rest) == _LOCAL:
        rest = f"{rest[:3]}-{rest[3:6]}-{rest[6:]}"
    return f"+{code} {rest}" if code else number


def _url(account: CloseAccount, value: Any) -> Record:  # noqa: ANN401
    given = _checked(account, value, {"url": filled}, {"type": filled})
    return {"url": given["url"], "type": given.get("type", "url")}


def _address(account: CloseAccount, value: Any) -> Record:  # noqa: ANN401
    def part(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
        return "" if value is None else text(account, value)

    given = _checked(account, value, {}, {"label": filled} | dict.fromkeys(_ADDRESS, part))
    return {"label": given.get("label", "business")} | {key: given.get(key, "") for key in _ADDRESS}


EMAILS = listed(_email)
PHONES = listed(_phone)
URLS = listed(_url)
ADDRESSES = listed(_address)

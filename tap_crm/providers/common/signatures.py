"""What the CRMs that sign their events have in common: HMAC-SHA256 in hexadecimal digits, under one of several keys."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGITS = re.compile(r"(?:[0-9a-fA-F]{2})+")


def is_signed(signature: str, signed: bytes, keys: Iterable[bytes]) -> bool:
    """Tell, in a time that says nothing of the keys, whether one of them makes this signature of what was signed."""
    given = signature.strip().lower().encode()
    found = False
    for key in keys:
        found |= hmac.compare_digest(hmac.new(key, signed, "sha256").hexdigest().encode(), given)
    return found


def from_digits(key: str) -> bytes | None:
    """Return the bytes of a key in hexadecimal digits; None if it is not written so."""
    return bytes.fromhex(key) if _DIGITS.fullmatch(key) else None

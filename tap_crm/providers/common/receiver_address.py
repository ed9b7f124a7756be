"""The address at which an inbox receives a CRM's events: its last two parts are the CRM's name and a secret token."""

from __future__ import annotations

import hmac
import re
from urllib.parse import urlsplit

from tap_crm.config.kinds import SHORTEST_TOKEN


def address_of(place: str, token: str) -> str:
    """Return the address of a CRM's receiver.

    Args:
        place: the address without the token, such as ``https://host/prefix/copper``.
        token: the secret part.
    """
    return f"{place}/{token}"


def place_of(public_url: str, provider: str) -> str:
    """Return a receiver's address without its token."""
    return f"{public_url.rstrip('/')}/{provider}"


def is_receiver(address: object, provider: str, token: str) -> bool:
    """Tell whether an address ends in a CRM's name and this token; compares in constant time."""
    if not isinstance(address, str):
        return False
    try:
        path = urlsplit(address).path
    except ValueError:
        return False
    name, _, given = path.rstrip("/").rpartition("/")
    return name.rpartition("/")[2] == provider and hmac.compare_digest(given.encode(), token.encode())


def token_in(provider: str) -> re.Pattern[str]:
    """Return what the token is in a text that holds such an address, whosever token it is."""
    return re.compile(rf"(?<=/{provider}/)[^/?#\s]{{{SHORTEST_TOKEN},}}")

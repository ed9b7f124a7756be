"""Makes users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.samples.named import named

if TYPE_CHECKING:
    from sandbox.exchange import Record

_USER_NAMES = ("Admin", "Jonathan Lee", "Agnès Varda", "Ödön", "吉田", "Taylor Lowe")


def users(count: int) -> list[Record]:
    """Make users; the first is the admin whose key is used."""
    teams = named(9_001, ("Sales", "Vertrieb Süd", "Support"))
    return [
        {
            "id": 137_650 + 2 * n,
            "name": _USER_NAMES[n] if n < len(_USER_NAMES) else f"User {n}",
            "email": "admin@example.com" if n == 0 else f"user{n}@example.com",
            "groups": teams[: n % 4],
        }
        for n in range(count)
    ]

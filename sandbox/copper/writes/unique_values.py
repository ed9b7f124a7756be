"""Who has a value that only one record may have: e-mail addresses of people, domains of companies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copper.table import Table


class _Email(msgspec.Struct):
    email: str


class _Person(msgspec.Struct):
    emails: list[_Email] = []


class _Company(msgspec.Struct):
    email_domain: str | None = None


_person = msgspec.json.Decoder(_Person).decode
_company = msgspec.json.Decoder(_Company).decode


def values_of(name: str, raw: bytes) -> set[str]:
    """Give what a person or company has to itself; upper and lower case are the same."""
    if name == "people":
        return {one.email.casefold() for one in _person(raw).emails}
    domain = _company(raw).email_domain
    return {domain.casefold()} if domain else set()


class UniqueValues:
    """The holders of each value, found anew for the records that changed since it was asked last."""

    def __init__(self, name: str, table: Table) -> None:
        self.name = name
        self.table = table
        self._holders: dict[str, set[int]] = defaultdict(set)
        self._values: dict[int, set[str]] = {}
        self._read: int | None = None

    def holders(self, value: str) -> list[int]:
        """Give the ids of the living records that have a value."""
        self._catch_up()
        return sorted(self._holders.get(value.casefold(), ()))

    def _catch_up(self) -> None:
        touched = self.table.touched
        changed: Iterable[int] = list(self.table.living)
        if self._read is not None:
            changed = dict.fromkeys(touched[self._read :])
        self._read = len(touched)
        for number in changed:
            for value in self._values.pop(number, ()):
                self._holders[value].discard(number)
            row = self.table.living.get(number)
            if row is not None and (values := values_of(self.name, row.raw)):
                self._values[number] = values
                for value in values:
                    self._holders[value].add(number)

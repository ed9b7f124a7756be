"""Which CRMs there are; what one of them is gets imported when it is asked for: a run reads one."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.contract.stream import Provider


@dataclass(frozen=True)
class Later:
    """A CRM that is imported when it is asked for, and what is known before.

    Attributes:
        title: its name for people.
        settings: declares the settings that only this CRM has.
        module: has it as ``PROVIDER``.
    """

    title: str
    settings: type | None
    module: str

    def imported(self) -> Provider:
        """Return the CRM."""
        found: Provider = import_module(self.module).PROVIDER
        return found


class Registry(MutableMapping[str, "Provider"]):
    """Every CRM that can be read, by the value of the setting ``provider``."""

    def __init__(self) -> None:
        self._crms: dict[str, Provider | Later] = {}

    @override
    def __getitem__(self, name: str) -> Provider:
        found = self._crms[name]
        if isinstance(found, Later):
            found = self._crms[name] = found.imported()
        return found

    @override
    def __setitem__(self, name: str, provider: Provider) -> None:
        self._crms[name] = provider

    @override
    def __delitem__(self, name: str) -> None:
        del self._crms[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._crms)

    @override
    def __len__(self) -> int:
        return len(self._crms)

    def offer(self, name: str, later: Later) -> None:
        """Offer a CRM that is imported when it is asked for."""
        self._crms[name] = later

    def titles(self) -> dict[str, str]:
        """Return the names for people."""
        return {name: crm.title for name, crm in self._crms.items()}

    def settings(self) -> dict[str, type]:
        """Return what declares the settings that only one CRM has, for each that has some."""
        return {name: crm.settings for name, crm in self._crms.items() if crm.settings is not None}

"""The registry: one line for each CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.providers.close.settings import CloseSettings
from tap_crm.providers.copera.settings import CoperaSettings
from tap_crm.providers.copper.settings import CopperSettings
from tap_crm.providers.registry import Later, Registry

if TYPE_CHECKING:
    from tap_crm.contract.stream import Provider

#: Every CRM that can be read, by the value of the setting `provider`.
PROVIDERS = Registry()


def register(provider: Provider) -> None:
    """Let a CRM be read; a package of its own may do so before it calls the tap's `main`.

    Raises:
        ValueError: another CRM has that name.
    """
    if provider.name in PROVIDERS and PROVIDERS[provider.name] is not provider:
        raise ValueError(f"there is a provider `{provider.name}` already")
    PROVIDERS[provider.name] = provider


PROVIDERS.offer("copper", Later("Copper", CopperSettings, "tap_crm.providers.copper.provider"))
PROVIDERS.offer("close", Later("Close", CloseSettings, "tap_crm.providers.close.provider"))
PROVIDERS.offer("copera", Later("Copera", CoperaSettings, "tap_crm.providers.copera.provider"))

"""The registry: one line for each CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.providers import close, copera, copper

if TYPE_CHECKING:
    from tap_crm.contract.stream import Provider

#: Every CRM that can be read, by the value of the setting `provider`.
PROVIDERS: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Let a CRM be read; a package of its own may do so before it calls the tap's `main`.

    Raises:
        ValueError: another CRM has that name.
    """
    if PROVIDERS.setdefault(provider.name, provider) is not provider:
        raise ValueError(f"there is a provider `{provider.name}` already")


register(copper.PROVIDER)
register(close.PROVIDER)
register(copera.PROVIDER)

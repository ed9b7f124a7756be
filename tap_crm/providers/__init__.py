"""The registry: one line for each CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.providers import close, copera, copper

if TYPE_CHECKING:
    from tap_crm.contract.stream import Provider

PROVIDERS: dict[str, Provider] = {
    provider.name: provider for provider in (copper.PROVIDER, close.PROVIDER, copera.PROVIDER)
}

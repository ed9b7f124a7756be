"""The registry: what writes to which CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.errors import ConfigError
from tap_crm.providers import PROVIDERS
from target_crm.writers.close import make_close_writer
from target_crm.writers.copera import make_copera_writer
from target_crm.writers.copper import make_copper_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_crm.transport.session import Transport
    from target_crm.config.settings import TargetSettings
    from target_crm.contract import Writer

#: By the CRM's name, what makes its writer from the settings and the way to the CRM, which is opened when needed.
WRITERS: Mapping[str, Callable[[TargetSettings, Callable[[], Transport]], Writer]] = {
    "close": make_close_writer,
    "copera": make_copera_writer,
    "copper": make_copper_writer,
}


def make_writer(settings: TargetSettings, transport: Callable[[], Transport]) -> Writer:
    """Return what writes to the CRM; nothing is asked.

    Raises:
        ConfigError: this CRM cannot be written yet, or credentials are missing.
    """
    provider = PROVIDERS[settings.connection.provider]
    if provider.name not in WRITERS:
        known = ", ".join(sorted(WRITERS))
        raise ConfigError(f"{provider.title} cannot be written yet; target-crm writes to: {known}")
    provider.authenticate(settings.connection)
    return WRITERS[provider.name](settings, transport)

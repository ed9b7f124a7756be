"""Pebble's one kind of credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.errors import ConfigError
from tap_crm.transport.signing import bearer

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from tap_crm.config.settings import AccountSettings


def authenticate(settings: AccountSettings) -> AuthBase:
    """Return what signs a request.

    Raises:
        ConfigError: there is no key.
    """
    if not settings.api_key:
        raise ConfigError("the setting `api_key` is missing; make one in Pebble under Settings > API")
    return bearer(settings.api_key)

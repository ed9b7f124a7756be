"""Copera's tokens (university.copera.ai: developer guides): three kinds, told apart by how they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.errors import ConfigError
from tap_crm.transport.signing import bearer

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from tap_crm.config.settings import AccountSettings

PREFIXES = ("cp_pat_", "cp_key_", "cp_oat_")


def authenticate(settings: AccountSettings) -> AuthBase:
    """Return what signs a request.

    Raises:
        ConfigError: there is no token, or one that Copera cannot have given.
    """
    token = settings.access_token or settings.api_key
    if not token:
        raise ConfigError(
            "the setting `api_key` is missing; make a personal access token in Copera under "
            "Workspace Settings > Integrations"
        )
    if not token.startswith(PREFIXES):
        raise ConfigError(f"the setting `api_key` is no token of Copera: those begin with {', '.join(PREFIXES)}")
    return bearer(token)

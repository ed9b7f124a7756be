"""Copper's two kinds of credentials (developer.copper.com: introduction/authentication, introduction/oauth)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.errors import ConfigError
from tap_crm.providers.copper.settings import CopperSettings
from tap_crm.transport.signing import FixedHeaders, bearer

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from tap_crm.config.settings import AccountSettings


def authenticate(settings: AccountSettings) -> AuthBase:
    """Return what signs a request.

    Raises:
        ConfigError: the key or the e-mail of its owner is missing.
    """
    if settings.access_token:
        return bearer(settings.access_token)
    if not settings.api_key:
        raise ConfigError("the setting `api_key` is missing; make one in Copper under System settings > API Keys")
    user_email = settings.of(CopperSettings).user_email
    if not user_email:
        raise ConfigError("the setting `user_email` is missing; Copper wants the e-mail of the user that owns the key")
    return FixedHeaders(
        {
            "X-PW-AccessToken": settings.api_key,
            "X-PW-Application": "developer_api",
            "X-PW-UserEmail": user_email,
        }
    )
